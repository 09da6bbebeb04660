"""Tests of controls of order: the same frames in every class, sources kept."""

import numpy as np
import pytest

from keras_videolstm.data.order_controls import CONTROLS, write_order_control
from keras_videolstm.errors import InputError
from tests.percept_files import numbered_store

# The percepts of a numbered store say (video, frame, ...).


def frames_by_class(store, video: int) -> dict[str, list[int]]:
    found = {}
    for number in range(len(store)):
        percepts = store.read(number)
        if percepts[0, 0] == video:
            found[store.class_names[store.labels[number]]] = percepts[:, 1].astype(int).tolist()
    return found


@pytest.mark.parametrize("control", CONTROLS)
def test_each_long_video_stands_once_in_every_class(control, tmp_path):
    store = numbered_store(tmp_path / "s.h5", [100, 3, 64])
    made = write_order_control(store, tmp_path / "c.h5", control)
    for video in (0, 2):
        assert set(frames_by_class(made, video)) == set(made.class_names)
    assert len(made) == 2 * len(made.class_names)
    assert set(made.groups) == {store.groups[0], store.groups[2]}
    # Versions are videos of their own, not views of one.
    assert made.count_clips(range(len(made))) == len(made)
    assert made.metadata["control"] == control
    assert made.metadata["extractor"] == store.metadata["extractor"]


def test_directions_have_the_same_frames_in_opposite_order(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [151])
    found = frames_by_class(write_order_control(store, tmp_path / "c.h5", "direction"), 0)
    assert found["forwards"] == list(range(0, 151, 10))
    assert found["backwards"] == found["forwards"][::-1]


def test_speeds_leave_out_frames(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [64])
    found = frames_by_class(write_order_control(store, tmp_path / "c.h5", "speed"), 0)
    assert found == {
        "slow": list(range(24, 40)),
        "twice": list(range(16, 48, 2)),
        "four_times": list(range(0, 64, 4)),
    }


def test_segments_are_the_same_three_in_six_orders(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [30])
    found = frames_by_class(write_order_control(store, tmp_path / "c.h5", "segments"), 0)
    first, second, third = [2, 3, 4, 5, 6], [12, 13, 14, 15, 16], [22, 23, 24, 25, 26]
    assert len(found) == 6
    assert found["abc"] == first + second + third
    assert found["cab"] == third + first + second
    assert all(sorted(frames) == found["abc"] for frames in found.values())


def test_what_cannot_be_made_is_refused(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [20, 63])
    with pytest.raises(InputError, match=r"direction, speed, segments. Received: 'colour'"):
        write_order_control(store, tmp_path / "c.h5", "colour")
    with pytest.raises(InputError, match=r"at least 64 frames. Received: .*s\.h5 with 63"):
        write_order_control(store, tmp_path / "c.h5", "speed")
    assert not (tmp_path / "c.h5").exists()
    np.testing.assert_array_equal(store.read(0)[:, 1], np.arange(20))
