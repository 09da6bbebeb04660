from collections.abc import Iterator
from functools import partial

import pytest

from keras_videolstm.layers import over_time
from keras_videolstm.training.finetune import FinetuneSettings


@pytest.fixture(scope="module", autouse=True)
def quick_commands() -> Iterator[None]:
    """Spare commands what other folders test, and what no option of theirs makes short.

    The softmax alone learns for ten steps only, and time is a loop, which is quicker to trace than
    steps written out.
    """
    with pytest.MonkeyPatch.context() as patch:
        for tool in ("finetune", "label_protocols", "reproduce_controls"):
            place = f"keras_videolstm_tools.{tool}.FinetuneSettings"
            patch.setattr(place, partial(FinetuneSettings, head_steps=10))
        patch.setattr(over_time, "_LONGEST_WRITTEN_OUT", 2)
        yield
