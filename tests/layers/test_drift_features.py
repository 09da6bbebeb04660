import keras
import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.layers import DriftFeatures, FrameTraces

FEATURES, SIZE, RATE = 5, 2, 0.1


def made(rate: float = RATE) -> DriftFeatures:
    layer = DriftFeatures(FEATURES, SIZE, rate)
    layer.set_directions(np.random.default_rng(0).normal(size=(FEATURES, SIZE)))
    return layer


def clip(time: int = 6) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(2, time, FEATURES)).astype("float32")


def by_hand(layer: DriftFeatures, frames: np.ndarray) -> np.ndarray:
    directions = np.asarray(layer.directions).astype("float64")
    drifts = []
    for last in range(frames.shape[1]):
        shares = (1 - layer.rate) ** np.arange(last, -1, -1)
        mean = np.einsum("t,btf->bf", shares, frames[:, : last + 1]) / shares.sum()
        drifts.append((frames[:, last] - mean) @ directions)
    return np.stack(drifts, axis=1)


@pytest.mark.parametrize("time", [1, 2, 6, 70])
@pytest.mark.parametrize("rate", [0.0, RATE])
def test_it_projects_how_far_frames_lie_from_the_mean_of_those_up_to_them(
    time: int, rate: float
) -> None:
    layer, frames = made(rate), clip(time)
    np.testing.assert_allclose(layer(frames), by_hand(layer, frames), atol=1e-5)


def test_a_clip_in_parts_is_the_whole_clip() -> None:
    layer, frames, traces = made(), clip(), FrameTraces([1.0, RATE])
    before = traces.of_lowest_rate(traces(frames[:, :4]))
    parts = [layer(frames[:, :4]), layer(frames[:, 4:], initial=before)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), layer(frames), atol=1e-5)


def test_what_stays_is_not_seen_and_what_moves_is_seen_with_its_sign() -> None:
    layer, frames = made(), clip()
    np.testing.assert_allclose(layer(frames + 100), layer(frames), atol=1e-4)
    np.testing.assert_allclose(layer(-frames), -layer(frames), atol=1e-6)
    # Of two frames the drift is half the step between them, and the other way backwards.
    forwards, backwards = (made(0.0)(frames[:, order]) for order in ([0, 1], [1, 0]))
    np.testing.assert_allclose(forwards[:, 1], -backwards[:, 1], atol=1e-6)


def test_no_gradient_changes_it_and_a_saved_model_keeps_it(tmp_path) -> None:
    layer = made()
    assert not layer.trainable_weights
    frames = keras.Input((None, FEATURES))
    keras.Model(frames, layer(frames)).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(clip()), layer(clip()), atol=1e-6)
    assert again.get_layer(layer.name).get_config() == layer.get_config()


@pytest.mark.parametrize("size", [0, FEATURES + 1])
def test_impossible_sizes_are_an_error(size: int) -> None:
    with pytest.raises(ValueError, match="from 1 direction to as many as there are features"):
        DriftFeatures(FEATURES, size, RATE)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_mean_that_is_the_frame_itself_is_an_error(rate: float) -> None:
    with pytest.raises(ValueError, match=f"at least 0 and below 1. Received: rate={rate}"):
        DriftFeatures(FEATURES, SIZE, rate)


def test_directions_that_are_no_numbers_are_an_error() -> None:
    with pytest.raises(InputError, match="finite directions"):
        made().set_directions(np.full((FEATURES, SIZE), np.nan))
