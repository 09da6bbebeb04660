"""Tests of windows drawn from percept stores."""

from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data.percept_file import PerceptFile
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_windows import (
    StoreSelection,
    feature_statistics,
    percept_windows,
)
from keras_videolstm.errors import InputError
from tests.percept_files import numbered_store, toy_actions

LENGTHS = [12, 3, 30, 6, 9]


@pytest.fixture
def store(tmp_path: Path) -> PerceptStore:
    return numbered_store(tmp_path / "s.h5", LENGTHS)


def drawn(selections: list[StoreSelection], **arguments: int) -> np.ndarray:
    """Sixty windows `(60, length, features)`, however they come in batches."""
    defaults = {"length": 6, "seed": 1, "batch_size": 8, "first": 0}
    arguments = {**defaults, **arguments}
    batches = percept_windows(selections, **arguments, count=60)
    return np.concatenate(list(batches.as_numpy_iterator()))


def test_a_window_is_consecutive_frames_of_one_video(store):
    windows = drawn([StoreSelection(store)])
    assert windows.shape == (60, 6, 4)
    assert (windows[:, :, 0] == windows[:, :1, 0]).all()
    assert (np.diff(windows[:, :, 1], axis=1) == 1).all()
    ends = windows[:, -1, 1]
    assert (ends < np.array(LENGTHS)[windows[:, 0, 0].astype(int)]).all()


def test_every_place_of_every_long_enough_video_is_drawn_alike(store):
    windows = percept_windows([StoreSelection(store)], 6, seed=3, batch_size=500, count=2000)
    windows = np.concatenate(list(windows.as_numpy_iterator()))
    places, counts = np.unique(windows[:, 0, :2], axis=0, return_counts=True)
    expected = [(v, p) for v, n in enumerate(LENGTHS) for p in range(n - 5)]
    assert [tuple(place) for place in places.astype(int)] == expected
    # Uniform over 37 places: 54 each, a standard deviation of 7.3.
    assert counts.min() > 54 - 33
    assert counts.max() < 54 + 33


def test_window_i_depends_on_seed_and_i_alone(store):
    selection = [StoreSelection(store)]
    windows = drawn(selection)
    np.testing.assert_array_equal(drawn(selection, batch_size=7), windows)
    np.testing.assert_array_equal(drawn(selection, first=20)[:40], windows[20:])
    assert (drawn(selection, seed=2) != windows).any()


def test_both_readers_give_the_same_windows(store, monkeypatch):
    windows = drawn([StoreSelection(store)])
    monkeypatch.setattr(PerceptFile, "_tensorflow_io_reader", lambda self: None)
    np.testing.assert_array_equal(drawn([StoreSelection(store)]), windows)


def test_groups_limit_what_is_drawn(store):
    windows = drawn([StoreSelection(store, ("g03", "g04"))])
    assert set(windows[:, 0, 0]) == {3, 4}


def test_several_stores_are_drawn_from_in_proportion(store, tmp_path):
    other = numbered_store(tmp_path / "other.h5", [1000])
    windows = drawn([StoreSelection(store), StoreSelection(other)])
    assert ((windows[:, 0, 1] > 30).sum()) > 45


def test_without_a_count_the_stream_does_not_end(store):
    windows = percept_windows([StoreSelection(store)], 30, seed=1, batch_size=4)
    taken = list(windows.take(50).as_numpy_iterator())
    assert {batch.shape for batch in taken} == {(4, 30, 4)}
    assert len(taken) == 50


def test_too_short_videos_and_unequal_features_are_refused(store, tmp_path):
    with pytest.raises(InputError, match="at least one video of 31 frames"):
        percept_windows([StoreSelection(store)], 31, seed=1, batch_size=4)
    other = numbered_store(tmp_path / "other.h5", [40], features=5)
    with pytest.raises(InputError, match=r"one feature dimension. Received: \[4, 5\]"):
        percept_windows([StoreSelection(store), StoreSelection(other)], 6, seed=1, batch_size=4)


def test_statistics_are_those_of_all_frames_of_the_named_videos(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=2)
    mean, deviation = feature_statistics([(store, [0, 3])])
    frames = np.concatenate([store.read(0), store.read(3)]).astype("float64")
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(deviation, frames.std(axis=0), rtol=1e-9)


def test_statistics_may_be_those_of_something_made_of_the_frames(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=2)
    mean, deviation = feature_statistics([(store, [0, 3])], prepare=np.exp)
    frames = np.exp(np.concatenate([store.read(0), store.read(3)]).astype("float64"))
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(deviation, frames.std(axis=0), rtol=1e-9)
