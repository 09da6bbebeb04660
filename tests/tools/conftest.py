from collections.abc import Iterator
from functools import partial

import pytest
import tensorflow as tf

from keras_videolstm.training.finetune import FinetuneSettings


@pytest.fixture(scope="module", autouse=True)
def quick_commands(request: pytest.FixtureRequest) -> Iterator[None]:
    """Spare commands what other folders test, and what no option of theirs makes short.

    The softmax alone learns for ten steps only. TensorFlow runs operation by operation: of a model
    that is used for a few steps, to trace graphs takes twice as long as all else. A file that is
    about graphs, or compares bits with a process of its own, is marked `in_graphs`.
    """
    with pytest.MonkeyPatch.context() as patch:
        for tool in ("finetune", "label_protocols", "reproduce_controls"):
            place = f"keras_videolstm_tools.{tool}.FinetuneSettings"
            patch.setattr(place, partial(FinetuneSettings, head_steps=10))
        tf.config.run_functions_eagerly(request.node.get_closest_marker("in_graphs") is None)
        yield
        tf.config.run_functions_eagerly(False)
