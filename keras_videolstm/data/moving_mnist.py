"""Moving MNIST, made on the fly in graph operations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.data.speed_bounds import speed_bounds
from keras_videolstm.errors import InputError

SIDE = 64
_DIGIT = 28
_FREE = SIDE - _DIGIT
# Sequences are made in blocks of this many, so that the same seed gives the same sequences under
# any batch size.
BLOCK = 100
WHOLE_CIRCLE = (0.0, 2 * np.pi)


def moving_mnist(
    digits: NDArray[Any],
    *,
    seed: int,
    batch_size: int,
    steps: int = 20,
    digits_per_frame: int = 2,
    speed: float | Sequence[float] = 0.1,
    angle: Sequence[float] = WHOLE_CIRCLE,
    mirrored: bool = False,
    first: int = 0,
    count: int | None = None,
) -> tf.data.Dataset[Any]:
    """Make sequences of digits that bounce inside a 64x64 frame (paper, section 3.2).

    Each digit starts anywhere, in any direction, and moves by `speed` of its free range of 36
    pixels a frame; it moves before the first frame is drawn. At a wall the position is clamped
    and that component of the velocity negated. Where digits overlap the brighter pixel shows.
    Sequence i is a function of `seed` and i alone.

    Args:
        digits: images `(count, 28, 28)`, uint8.
        seed: of all draws.
        batch_size: sequences a batch.
        steps: frames a sequence; default 20.
        digits_per_frame: default 2.
        speed: part of the free range a frame, or a (low, high) range to draw it from, one draw a
            digit; default 0.1 as in the published test set.
        angle: (low, high) range of the direction that a digit starts in, in radians, one draw a
            digit; 0 is to the right, π/2 down; default the whole circle.
        mirrored: whether a digit's way is mirrored at a wall, and begins there or back. So it
            stands everywhere equally often at any time, whatever its angle and speed, where a
            clamped one stands at walls more often than beside them; default `False`, as in the
            published test set.
        first: number of the first sequence, a multiple of 100.
        count: number of sequences; `None` is endless.

    Returns:
        A data set of batches `(batch, steps, 64, 64, 1)`, uint8.

    Raises:
        InputError: if digits, speed or a number is unusable.

    Example:
        >>> batches = moving_mnist(load_digits().images, seed=1, batch_size=16)
        >>> next(iter(batches)).shape
        TensorShape([16, 20, 64, 64, 1])
    """
    low, high = speed_bounds(speed)
    if digits.shape[1:] != (_DIGIT, _DIGIT) or digits.dtype != np.uint8 or not len(digits):
        raise InputError(
            f"Expected digits (count, 28, 28) of uint8. "
            f"Received: shape={digits.shape}, dtype={digits.dtype}"
        )
    if min(steps, digits_per_frame, batch_size) < 1 or first % BLOCK:
        raise InputError(
            f"Expected positive numbers, and a first sequence that is a multiple of {BLOCK}. "
            f"Received: steps={steps}, digits_per_frame={digits_per_frame}, "
            f"batch_size={batch_size}, first={first}"
        )
    if len(angle) != 2 or not np.isfinite(angle).all() or angle[0] > angle[1]:
        raise InputError(f"Expected a (low, high) range of angles. Received: angle={angle}")
    strips = tf.constant(_strips(digits))
    trajectory = _mirrored_trajectory if mirrored else _trajectory

    def block(number: tf.Tensor) -> tf.Tensor:
        seeds = tf.random.experimental.stateless_split((seed, number), 4)
        shape = (BLOCK, digits_per_frame)
        chosen = tf.random.stateless_uniform(shape, seeds[0], 0, len(digits), tf.int32)
        start = tf.random.stateless_uniform((*shape, 2), seeds[1], dtype=tf.float64)
        turn = tf.random.stateless_uniform(shape, seeds[2], *angle, tf.float64)
        step = tf.random.stateless_uniform(shape, seeds[3], low, high, tf.float64)
        velocity = step[..., None] * tf.stack([tf.sin(turn), tf.cos(turn)], axis=-1)
        return _draw(tf.gather(strips, chosen), trajectory(start, velocity, steps))

    blocks = tf.data.Dataset.counter(start=first // BLOCK)
    sequences = blocks.map(block, num_parallel_calls=2)
    if batch_size != BLOCK or count is not None:
        sequences = sequences.unbatch()
        if count is not None:
            sequences = sequences.take(count)
        sequences = sequences.batch(batch_size, drop_remainder=count is None)
    return sequences.prefetch(tf.data.AUTOTUNE)


def _strips(digits: NDArray[Any]) -> NDArray[Any]:
    """Pad each digit's rows to the frame's width and lay them end to end, with zeros around.

    A window of 4096 bytes cut out of such a strip is a whole frame; where the window starts says
    where the digit stands.
    """
    wide = np.zeros((len(digits), _DIGIT, SIDE), np.uint8)
    wide[:, :, :_DIGIT] = digits
    border = _FREE * SIDE + _FREE
    return np.pad(wide.reshape(len(digits), -1), ((0, 0), (border, border)))


def _trajectory(start: tf.Tensor, velocity: tf.Tensor, steps: int) -> tf.Tensor:
    """Return top left corners `(block, digits, steps, 2)` in whole pixels."""
    position, corners = start, []
    for _ in range(steps):
        moved = position + velocity
        position = tf.clip_by_value(moved, 0.0, 1.0)
        velocity = tf.where(moved == position, velocity, -velocity)
        corners.append(tf.cast(_FREE * position, tf.int32))
    return tf.stack(corners, axis=2)


def _mirrored_trajectory(start: tf.Tensor, velocity: tf.Tensor, steps: int) -> tf.Tensor:
    """Return corners as `_trajectory` does, of ways that are mirrored at walls.

    A way there and back is of length 2. Anywhere on it is anywhere in the frame, going either way.
    """
    times = tf.range(1, steps + 1, dtype=start.dtype)[:, None]
    unfolded = tf.math.floormod(2 * start[:, :, None] + times * velocity[:, :, None], 2.0)
    return tf.cast(_FREE * (1 - tf.abs(1 - unfolded)), tf.int32)


def _draw(strips: tf.Tensor, corners: tf.Tensor) -> tf.Tensor:
    offset = _FREE * SIDE + _FREE - (corners[..., 0] * SIDE + corners[..., 1])
    window = offset[..., None] + tf.range(SIDE * SIDE)
    frames = tf.gather(strips, window, batch_dims=2)
    brightest = tf.reduce_max(frames, axis=1)
    return tf.reshape(brightest, (BLOCK, -1, SIDE, SIDE, 1))
