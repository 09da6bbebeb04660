from collections.abc import Iterator
from functools import partial

import pytest
import tensorflow as tf

from keras_videolstm.training.finetune import FinetuneSettings


@pytest.fixture(scope="module", autouse=True)
def quick_commands() -> Iterator[None]:
    """Spare commands what other folders test, and what no option of theirs makes short.

    The softmax alone learns for ten steps only. TensorFlow runs operation by operation: of a model
    that takes a few steps, to trace graphs costs as much as all else. Programs that a test starts
    run graphs.
    """
    with pytest.MonkeyPatch.context() as patch:
        for tool in ("finetune", "label_protocols", "reproduce_controls"):
            place = f"keras_videolstm_tools.work.{tool}.FinetuneSettings"
            patch.setattr(place, partial(FinetuneSettings, head_steps=10))
        tf.config.run_functions_eagerly(True)
        yield
        tf.config.run_functions_eagerly(False)
