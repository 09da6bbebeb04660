import keras
import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.layers import SlowFeatures

FEATURES, SIZE = 5, 2


def made() -> SlowFeatures:
    rng = np.random.default_rng(0)
    layer = SlowFeatures(FEATURES, SIZE)
    layer.set_directions(
        rng.normal(size=(FEATURES, SIZE)),
        rng.normal(size=FEATURES),
        rng.normal(size=(FEATURES, SIZE)),
    )
    return layer


def clip(time: int = 6) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(2, time, FEATURES)).astype("float32")


def by_hand(layer: SlowFeatures, frames: np.ndarray) -> np.ndarray:
    directions, mean, changed = (np.asarray(w).astype("float64") for w in layer.weights)
    changes = np.abs(np.diff(frames, axis=1, prepend=frames[:, :1])) - mean
    return np.concatenate([frames @ directions, changes @ changed], axis=-1)


@pytest.mark.parametrize("time", [1, 2, 6])
def test_it_projects_frames_and_how_much_they_change(time: int) -> None:
    layer, frames = made(), clip(time)
    np.testing.assert_allclose(layer(frames), by_hand(layer, frames), atol=1e-5)


def test_a_clip_in_parts_is_the_whole_clip() -> None:
    layer, frames = made(), clip()
    parts = [layer(frames[:, :4]), layer(frames[:, 4:], previous=frames[:, 3:4])]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), layer(frames), atol=1e-6)


def test_no_gradient_changes_it_and_a_saved_model_keeps_it(tmp_path) -> None:
    layer = made()
    assert not layer.trainable_weights
    frames = keras.Input((None, FEATURES))
    keras.Model(frames, layer(frames)).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(clip()), layer(clip()))


@pytest.mark.parametrize("size", [0, FEATURES + 1])
def test_impossible_sizes_are_an_error(size: int) -> None:
    with pytest.raises(ValueError, match="from 1 direction to as many as there are features"):
        SlowFeatures(FEATURES, size)


def test_directions_that_are_no_numbers_are_an_error() -> None:
    directions = np.full((FEATURES, SIZE), np.nan)
    with pytest.raises(InputError, match="finite directions"):
        made().set_directions(directions, np.zeros(FEATURES), directions)
