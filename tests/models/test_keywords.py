import pytest

from keras_videolstm.models import ActionClassifier, VideoLSTM


def test_a_misspelt_argument_is_refused_and_named() -> None:
    with pytest.raises(TypeError, match=r"VideoLSTM.*Received: unit$"):
        VideoLSTM("composite", (3,), unit=[8])
    with pytest.raises(TypeError, match=r"ActionClassifier.*Received: unit$"):
        ActionClassifier(3, ["run", "walk"], unit=[8])
