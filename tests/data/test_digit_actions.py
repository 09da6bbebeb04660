"""Tests of labelled moving digits: what the label says is what moves."""

import numpy as np
import pytest

from keras_videolstm.data.digit_actions import write_digit_actions
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError

# Digit d is a square of 2 + 2d pixels.
IMAGES = np.zeros((10, 28, 28), np.uint8)
for digit in range(10):
    IMAGES[digit, : 2 + 2 * digit, : 2 + 2 * digit] = 255
PARTS = {"train": (IMAGES, np.arange(10), 4), "test": (IMAGES, np.arange(10), 2)}


def clips_by_class(store: PerceptStore) -> dict[str, list[np.ndarray]]:
    found = {name: [] for name in store.class_names}
    for number in range(len(store)):
        clip = store.read(number).reshape(10, 64, 64)
        found[store.class_names[store.labels[number]]].append(clip)
    return found


def steps(clip: np.ndarray) -> np.ndarray:
    """Distances from frame to frame of the upper left corner, (down, across), without sign."""
    corners = np.array([np.argwhere(frame).min(axis=0) for frame in clip])
    return np.abs(np.diff(corners, axis=0))


def test_digits_are_told_by_their_images(tmp_path):
    found = clips_by_class(write_digit_actions(tmp_path / "s.h5", "digit", PARTS))
    assert len(found) == 10
    for name, clips in found.items():
        assert len(clips) == 6
        assert {int(frame.sum()) for clip in clips for frame in clip} == {(2 + 2 * int(name)) ** 2}


def test_directions_differ_in_where_they_move(tmp_path):
    found = clips_by_class(write_digit_actions(tmp_path / "s.h5", "direction", PARTS))
    moved = {name: np.array([steps(clip).sum(axis=0) for clip in c]) for name, c in found.items()}
    assert (moved["across"][:, 0] == 0).all()
    assert (moved["across"][:, 1] > 10).all()
    assert (moved["down"][:, 1] == 0).all()
    assert (moved["diagonal"] > 10).all()


def test_speeds_differ_in_how_far_they_move(tmp_path):
    found = clips_by_class(write_digit_actions(tmp_path / "s.h5", "speed", PARTS))
    # The longest step is not cut short by a wall; free range 36 pixels, whole pixels.
    longest = {
        name: np.median([np.hypot(*steps(clip).T).max() for clip in clips])
        for name, clips in found.items()
    }
    assert longest["slow"] == pytest.approx(1.8, abs=0.8)
    assert longest["middle"] == pytest.approx(3.6, abs=0.8)
    assert longest["fast"] == pytest.approx(5.4, abs=0.8)


def test_parts_and_seeds_have_draws_of_their_own(tmp_path):
    def made(seed: int) -> PerceptStore:
        return write_digit_actions(
            tmp_path / f"{seed}.h5", "speed", PARTS, seed, lambda *state: told.append(state)
        )

    told = []
    store = made(1)
    assert told == [(number, 18) for number in range(1, 19)]
    assert list(store.groups).count("train") == 12
    assert list(store.groups).count("test") == 6
    assert store.count_clips(range(len(store))) == 18
    clips = {store.read(number).tobytes() for number in range(len(store))}
    assert len(clips) == 18
    np.testing.assert_array_equal(made(1).read(0), store.read(0))
    assert made(2).read(0).tobytes() not in clips


def test_what_cannot_be_made_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"digit, direction, speed. Received: 'colour'"):
        write_digit_actions(tmp_path / "s.h5", "colour", PARTS)
    parts = {"train": (IMAGES[:9], np.arange(9), 1)}
    with pytest.raises(InputError, match=r"images of every digit.*none of \[9\]"):
        write_digit_actions(tmp_path / "s.h5", "digit", parts)
    assert not list(tmp_path.iterdir())
