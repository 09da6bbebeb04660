import numpy as np
import pytest

from keras_videolstm.layers import FrameTraces

BATCH, TIME, FEATURES = 2, 9, 4
RATES = [1.0, 0.3, 0.0]


def made_frames(time: int = TIME) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(BATCH, time, FEATURES)).astype("float32")


def by_hand(frames: np.ndarray, rate: float) -> np.ndarray:
    """The running mean, frame by frame."""
    total, weight = np.zeros((BATCH, FEATURES)), 0.0
    for frame in np.moveaxis(frames.astype("float64"), 1, 0):
        total, weight = (1 - rate) * total + frame, (1 - rate) * weight + 1
    return total / weight


@pytest.mark.parametrize("time", [1, TIME, 300])
def test_traces_are_running_means(time: int) -> None:
    frames = made_frames(time)
    means = np.asarray(FrameTraces.means(FrameTraces(RATES)(frames)))
    for place, rate in enumerate(RATES):
        np.testing.assert_allclose(means[:, place], by_hand(frames, rate), atol=1e-5)
    np.testing.assert_array_equal(means[:, 0], frames[:, -1])
    np.testing.assert_allclose(means[:, -1], frames.mean(axis=1), atol=1e-6)


def test_traces_go_on_from_chunk_to_chunk() -> None:
    frames, layer = made_frames(), FrameTraces(RATES)
    trace = None
    for chunk in np.split(frames, [1, 2, 6], axis=1):
        trace = layer(chunk, initial=trace)
    for part, whole in zip(trace, layer(frames), strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-6)
    for part, shape in zip(trace, layer.state_shapes(FEATURES), strict=True):
        assert part.shape == (BATCH, *shape)


def test_where_nothing_was_read_a_trace_is_zero() -> None:
    shapes = FrameTraces(RATES).state_shapes(FEATURES)
    nothing = [np.zeros((BATCH, *shape), "float32") for shape in shapes]
    np.testing.assert_array_equal(FrameTraces.means(nothing), np.zeros((BATCH, 3, FEATURES)))


@pytest.mark.parametrize("rates", [[], [-0.1], [0.5, 1.1], [float("nan")]])
def test_rates_are_from_0_to_1(rates: list[float]) -> None:
    with pytest.raises(ValueError, match="rates from 0 to 1"):
        FrameTraces(rates)
