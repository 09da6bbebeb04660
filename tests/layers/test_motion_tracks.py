import numpy as np
import pytest

from keras_videolstm.layers import Convolution
from keras_videolstm.layers.block_matching import BlockMatching
from keras_videolstm.layers.frame_layout import FrameLayout
from keras_videolstm.layers.motion_tracks import MotionTracks

REACH, PATCH, SIDE = 3, 4, 7
DECAYS = (0.5, 0.8, 0.95)
LAYOUT = FrameLayout((48, 48, 1), Convolution(PATCH, max_displacement=REACH, motion_tracks=True))


def defined(tracks: np.ndarray, match: np.ndarray) -> np.ndarray:
    """One step by the definition, place by place and displacement by displacement, in float64."""
    probabilities = match.astype("float64") + 1 / SIDE**2
    moved = np.zeros_like(tracks, "float64")
    rows, columns, _ = tracks.shape
    for row, column in np.ndindex(rows, columns):
        of_place = probabilities[row, column].reshape(SIDE, SIDE)
        weight = np.sum(of_place**2) - 1 / SIDE**2
        for down, across in np.ndindex(SIDE, SIDE):
            y, x = down - REACH, across - REACH
            signals = weight * np.array([1, y / REACH, x / REACH, abs(y) / REACH, abs(x) / REACH])
            came = interpolated(tracks, row + y / PATCH, column + x / PATCH)
            decayed = came * np.repeat(DECAYS, 5)
            moved[row, column] += of_place[down, across] * (decayed + np.tile(signals, 3))
    return moved


def interpolated(maps: np.ndarray, row: float, column: float) -> np.ndarray:
    total = np.zeros(maps.shape[-1])
    for i, j in np.ndindex(*maps.shape[:2]):
        total += max(0, 1 - abs(i - row)) * max(0, 1 - abs(j - column)) * maps[i, j]
    return total


def test_it_agrees_with_the_definition() -> None:
    rng = np.random.default_rng(0)
    layout = FrameLayout((16, 20, 1), LAYOUT.convolution)
    tracks = MotionTracks(layout)
    kept = rng.normal(size=(1, *tracks.shape)).astype("float32")
    logits = rng.normal(0, 3, (1, 4, 5, SIDE**2))
    match = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True) - 1 / SIDE**2
    match = match.astype("float32")
    found = np.asarray(tracks.advance(kept, tracks.observe(match)))
    np.testing.assert_allclose(found[0], defined(kept[0], match[0]), atol=1e-5)


def followed(places: list[tuple[int, int]]) -> np.ndarray:
    """What is read of the tracks, where a spot of noise is, after it was at these places."""
    spot = (np.random.default_rng(1).random((12, 12)) > 0.5).astype("float32")
    tracks, match = MotionTracks(LAYOUT), BlockMatching(LAYOUT)
    kept = np.zeros((1, *tracks.shape), "float32")
    before = np.zeros((1, 12, 12, 16), "float32")
    for down, across in places:
        frame = np.zeros((1, 1, 48, 48, 1), "float32")
        frame[0, 0, down : down + 12, across : across + 12, 0] = spot
        now = np.asarray(LAYOUT.arrange(frame))[0]
        kept = tracks.advance(kept, tracks.observe(match(now, before)))
        before = now
    down, across = (place // PATCH + 1 for place in places[-1])
    return np.asarray(tracks.read(kept))[0, down, across].reshape(3, 5)


def test_the_speed_of_a_thing_is_found_between_two_pixels() -> None:
    # 2.5 pixels down, 1.25 back: rounded, a frame alone says 2 or 3, and 1 or 2.
    places = [(int(2.5 * step), int(34 - 1.25 * step)) for step in range(13)]
    _, down, across, *_ = followed(places)[2] * REACH
    # Where a thing came from is named: above, and to the right.
    assert down == pytest.approx(-2.5, abs=0.1)
    assert across == pytest.approx(1.25, abs=0.1)
    latest = followed(places)[0] * REACH
    assert abs(latest[1] + 2.5) > abs(down + 2.5)


def test_a_thing_that_turns_keeps_its_pace() -> None:
    places = [(18, abs(18 - 3 * step)) for step in range(13)]
    for _, down, across, vertical, horizontal in followed(places)[:2] * REACH:
        assert (down, vertical) == pytest.approx((0, 0), abs=0.1)
        assert across < -1.5  # it has turned
        assert horizontal == pytest.approx(3, abs=0.2)


def test_where_nothing_is_nothing_is_known() -> None:
    read = np.asarray(MotionTracks(LAYOUT).read(np.zeros((2, 12, 12, 15), "float32")))
    np.testing.assert_array_equal(read, 0)
