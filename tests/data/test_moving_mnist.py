"""Tests of moving MNIST against the rule itself."""

import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.data.moving_mnist import SIDE, moving_mnist
from keras_videolstm.errors import InputError

DIGITS = np.random.default_rng(0).integers(1, 256, (7, 28, 28)).astype("uint8")
# A digit whose top left pixel shows where it stands, whatever else overlaps.
SQUARE = np.full((1, 28, 28), 200, "uint8")


def clips(digits: np.ndarray = DIGITS, count: int = 12, **arguments: object) -> np.ndarray:
    arguments = {"seed": 1, "batch_size": 4, "count": count, **arguments}
    return np.concatenate(list(moving_mnist(digits, **arguments).as_numpy_iterator()))


def corners(sequences: np.ndarray) -> np.ndarray:
    """Top left corner `(sequences, steps, 2)` of a single digit without a zero pixel."""
    lit = sequences[..., 0] > 0
    return np.stack([lit.any(axis=3).argmax(axis=2), lit.any(axis=2).argmax(axis=2)], axis=-1)


def test_frames_are_bytes_of_the_published_size():
    sequences = clips()
    assert sequences.shape == (12, 20, 64, 64, 1)
    assert sequences.dtype == np.uint8


def test_one_digit_is_shown_whole_and_unchanged_in_every_frame():
    sequences = clips(digits_per_frame=1)
    for sequence, places in zip(sequences, corners(sequences), strict=True):
        shown = [
            frame[top : top + 28, left : left + 28, 0]
            for frame, (top, left) in zip(sequence, places, strict=True)
        ]
        number = [i for i, digit in enumerate(DIGITS) if (digit == shown[0]).all()]
        assert len(number) == 1
        assert all((image == DIGITS[number[0]]).all() for image in shown)
        assert all(int((frame > 0).sum()) == 28 * 28 for frame in sequence)


def simulate(start: np.ndarray, velocity: np.ndarray, steps: int) -> np.ndarray:
    """The rule of section 3.2, written anew: move, clamp, turn round; then draw."""
    position, velocity, places = list(start), list(velocity), []
    for _ in range(steps):
        for axis in range(2):
            position[axis] += velocity[axis]
            if not 0 <= position[axis] <= 1:
                position[axis] = min(max(position[axis], 0.0), 1.0)
                velocity[axis] = -velocity[axis]
        places.append([int(36 * p) for p in position])
    return np.array(places)


def test_sequences_are_those_of_a_plain_simulation_of_the_rule():
    seed, steps, speed = 5, 25, 0.15
    seeds = tf.random.experimental.stateless_split(tf.constant([seed, 0], tf.int64), 4)
    chosen = tf.random.stateless_uniform((100, 2), seeds[0], 0, 7, tf.int32).numpy()
    start = tf.random.stateless_uniform((100, 2, 2), seeds[1], dtype=tf.float64).numpy()
    angle = tf.random.stateless_uniform((100, 2), seeds[2], 0, 2 * np.pi, tf.float64).numpy()
    velocity = speed * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    expected = np.zeros((100, steps, 64, 64, 1), "uint8")
    for clip in range(100):
        for digit in range(2):
            path = simulate(start[clip, digit], velocity[clip, digit], steps)
            for frame, (top, left) in zip(expected[clip], path, strict=True):
                part = frame[top : top + 28, left : left + 28, 0]
                np.maximum(part, DIGITS[chosen[clip, digit]], out=part)
    found = clips(count=100, batch_size=50, seed=seed, steps=steps, speed=speed)
    np.testing.assert_array_equal(found, expected)


def test_digits_stay_inside_and_move_by_their_speed_at_most():
    sequences = clips(SQUARE, count=100, batch_size=50, digits_per_frame=1, steps=30)
    places = corners(sequences).astype(int)
    assert places.min() == 0
    assert places.max() == SIDE - 28
    assert np.abs(np.diff(places, axis=1)).max() <= 0.1 * 36 + 1
    # Every digit meets a wall in 30 frames of a tenth of the way and comes back.
    ways = np.sign(np.diff(places, axis=1))
    assert all({-1, 1} <= set(way[:, 0]) | set(way[:, 1]) for way in ways)


def test_the_speed_is_the_same_in_every_direction():
    free = clips(SQUARE, count=200, batch_size=100, digits_per_frame=1, speed=0.05, steps=6)
    places = corners(free).astype(float)
    inside = (places > 0).all(axis=(1, 2)) & (places < 36).all(axis=(1, 2))
    way = np.linalg.norm(places[inside, -1] - places[inside, 0], axis=-1) / 36
    assert inside.sum() > 50
    # Five steps of 0.05, seen in whole pixels.
    np.testing.assert_allclose(way, 0.25, atol=1.5 / 36)


def test_starts_and_directions_are_spread_evenly():
    first = corners(clips(SQUARE, count=400, batch_size=100, digits_per_frame=1, steps=2))
    assert np.abs(first[:, 0].mean(axis=0) - 17.5).max() < 2.5
    moved = (first[:, 1].astype(int) - first[:, 0]).mean(axis=0)
    assert np.abs(moved).max() < 0.6


@pytest.mark.parametrize("mirrored", [False, True])
def test_what_is_mirrored_stands_everywhere_equally_often_and_what_is_clamped_at_walls(mirrored):
    arguments = {"digits_per_frame": 1, "angle": (0.0, 0.0), "mirrored": mirrored}
    sequences = clips(count=1000, batch_size=100, steps=12, speed=0.15, **arguments)
    across = corners(sequences)[..., 1]
    shares = np.stack([np.bincount(places, minlength=37) for places in across.T]) / len(across)
    if mirrored:
        # At every time, 36 places; one in 36 of 1000 is 28 ± 5.
        assert np.abs(shares[:, :36] - 1 / 36).max() < 0.025
        assert shares[:, 36].max() < 0.005
        turned = np.sign(np.diff(across, axis=1))[:, 0]
        assert np.mean(turned > 0) == pytest.approx(0.5, abs=0.06)
    else:
        assert shares[:, [0, 36]].sum(axis=1).max() > 0.1
    moved = np.abs(np.diff(across, axis=1))
    assert moved.max() <= 6
    assert (moved >= 5).mean() > 0.6


def test_a_range_of_speeds_is_used():
    sequences = clips(SQUARE, count=100, digits_per_frame=1, speed=(0.0, 0.3), steps=2)
    ways = np.abs(np.diff(corners(sequences).astype(int), axis=1)).max(axis=(1, 2))
    assert ways.min() <= 1
    assert 6 <= ways.max() <= 0.3 * 36 + 1


def test_where_digits_overlap_the_brighter_pixel_shows():
    dark, bright = np.full((1, 28, 28), 90, "uint8"), np.full((1, 28, 28), 200, "uint8")
    both = clips(np.concatenate([dark, bright]), count=50, batch_size=50, steps=3)
    assert set(np.unique(both)) <= {0, 90, 200}
    lit = (both > 0).sum(axis=(2, 3, 4))
    assert lit.max() <= 2 * 28 * 28
    mixed = [frame for clip in both for frame in clip if {90, 200} <= set(np.unique(frame))]
    overlapping = [frame for frame in mixed if (frame > 0).sum() < 2 * 28 * 28]
    assert overlapping
    # The bright digit is never covered.
    assert all((frame == 200).sum() == 28 * 28 for frame in overlapping)


def test_sequence_i_depends_on_seed_and_i_alone():
    sequences = clips(count=230, batch_size=10, steps=3)
    np.testing.assert_array_equal(clips(count=230, batch_size=64, steps=3), sequences)
    np.testing.assert_array_equal(clips(count=130, first=100, steps=3), sequences[100:])
    assert (clips(count=12, seed=2, steps=3) != sequences[:12]).any()


def test_without_a_count_the_stream_goes_on_in_full_batches():
    stream = moving_mnist(DIGITS, seed=1, batch_size=100, steps=2).take(3)
    assert [batch.shape for batch in stream.as_numpy_iterator()] == [(100, 2, 64, 64, 1)] * 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"speed": -0.1}, "Expected a speed"),
        ({"speed": 1.5}, "Expected a speed"),
        ({"speed": (0.3, 0.1)}, "Expected a speed"),
        ({"speed": (0.1,)}, "Expected a speed"),
        ({"speed": (0.1, 0.2, 0.3)}, "Expected a speed"),
        ({"speed": float("nan")}, "Expected a speed"),
        ({"steps": 0}, "Expected positive numbers"),
        ({"digits_per_frame": 0}, "Expected positive numbers"),
        ({"batch_size": 0}, "Expected positive numbers"),
        ({"first": 50}, "multiple of 100"),
        ({"digits": np.zeros((3, 32, 32), "uint8")}, "Expected digits"),
        ({"digits": np.zeros((3, 28, 28), "float32")}, "uint8.*float32"),
        ({"digits": np.zeros((0, 28, 28), "uint8")}, "Expected digits"),
    ],
)
def test_unusable_arguments_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        clips(**arguments)
