import keras
import numpy as np
import pytest

from keras_videolstm import save
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.start import take_weights


def small_model(**convolution) -> VideoLSTM:
    spec = {"patch_size": 4, "max_displacement": 2, **convolution}
    return VideoLSTM("conditional_composite", (8, 8, 1), [3], 2, convolution=spec)


@pytest.fixture(scope="module")
def without_tracks(tmp_path_factory):
    keras.utils.set_random_seed(5)
    model = small_model()
    save(model, folder := tmp_path_factory.mktemp("start") / "entry", {"description": "toy"})
    return folder


def test_a_model_with_tracks_starts_as_one_without(without_tracks):
    larger, smaller = small_model(motion_tracks=True), small_model()
    take_weights(larger, str(without_tracks))
    take_weights(smaller, str(without_tracks))
    assert larger.count_params() > smaller.count_params()
    clip = np.random.default_rng(1).random((2, 4, 8, 8, 1), "float32")
    np.testing.assert_allclose(larger.forecast(clip, 3), smaller.forecast(clip, 3), atol=1e-6)
    np.testing.assert_allclose(larger.reconstruct(clip), smaller.reconstruct(clip), atol=1e-6)


def test_another_architecture_is_refused(without_tracks, tmp_path):
    save(small_model(motion_tracks=True), tmp_path / "tracks", {"description": "toy"})
    for start, model in (
        (tmp_path / "tracks", small_model()),
        (without_tracks, small_model(motion_tracks=True, kernel_size=5)),
    ):
        with pytest.raises(InputError, match=r"recipe's \[model\] to start from"):
            take_weights(model, str(start))
