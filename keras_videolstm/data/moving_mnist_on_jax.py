"""Moving MNIST, drawn where Keras on JAX trains."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_videolstm.data.speed_bounds import speed_bounds

_SIDE = 64
_FREE = _SIDE - 28


class MovingDigits:
    """Draws the sequences of `moving_mnist` in operations of JAX, inside a compiled step.

    No batch then waits for the host, nor travels from it. The sequences are distributed as those of
    `moving_mnist`, but are others: the generators of random numbers differ, even between releases
    of JAX.

    Args:
        batch_size: sequences a batch.
        steps: frames a sequence; default 20.
        digits_per_frame: default 2.
        speed: part of the free range a frame, or a (low, high) range, as in `moving_mnist`; default
            0.1.

    Raises:
        InputError: if the speed is unusable.

    Example:
        >>> images = ops.convert_to_tensor(load_digits().images)
        >>> MovingDigits(batch_size=16).draw(images, seed=(1, 7)).shape
        (16, 20, 64, 64, 1)
    """

    def __init__(
        self,
        batch_size: int,
        steps: int = 20,
        digits_per_frame: int = 2,
        speed: float | Sequence[float] = 0.1,
    ) -> None:
        self._shape = (batch_size, digits_per_frame)
        self._steps = steps
        self._slowest, self._fastest = speed_bounds(speed)

    def draw(self, images: Any, seed: Any) -> Any:
        """Return sequences `(batch, steps, 64, 64, 1)`, uint8, a function of the seed alone.

        Args:
            images: of digits, `(count, 28, 28)`, uint8.
            seed: two integers, as an array or a tuple: of the run, and the batch's number.
        """
        import jax

        key = jax.random.fold_in(jax.random.key(seed[0]), seed[1])
        of_digit, of_start, of_turn = jax.random.split(key, 3)
        chosen = jax.random.randint(of_digit, self._shape, 0, len(images))
        start = jax.random.uniform(of_start, (*self._shape, 2))
        turn = jax.random.uniform(of_turn, self._shape, maxval=2 * np.pi)
        of_speed = jax.random.fold_in(of_turn, 0)
        speed = jax.random.uniform(
            of_speed, (*self._shape, 1), minval=self._slowest, maxval=self._fastest
        )
        velocity = speed * ops.stack([ops.sin(turn), ops.cos(turn)], axis=-1)
        return self.render(images[chosen], start, velocity)

    def render(self, images: Any, start: Any, velocity: Any) -> Any:
        """Return the sequences `(batch, steps, 64, 64, 1)`, uint8, of given draws.

        Args:
            images: of the digits of each sequence, `(batch, digits, 28, 28)`.
            start: (down, right) of each before the first step, in its free range, as part of it:
                `(batch, digits, 2)`.
            velocity: what each goes in a frame, likewise.
        """
        import jax

        corners = _trajectory(start, velocity, self._steps)
        around = ops.pad(images, ((0, 0), (0, 0), (_FREE, _FREE), (_FREE, _FREE)))

        def window(image: Any, corner: Any) -> Any:
            return jax.lax.dynamic_slice(image, (corner[0], corner[1]), (_SIDE, _SIDE))

        of_sequences = jax.vmap(jax.vmap(jax.vmap(window, (None, 0))))
        frames = of_sequences(around, _FREE - corners)
        return ops.max(frames, axis=1)[..., None]


def _trajectory(start: Any, velocity: Any, steps: int) -> Any:
    """Return top left corners `(batch, digits, steps, 2)` in whole pixels."""
    position, corners = start, []
    for _ in range(steps):
        moved = position + velocity
        position = ops.clip(moved, 0.0, 1.0)
        velocity = ops.where(moved == position, velocity, -velocity)
        corners.append(ops.cast(_FREE * position, "int32"))
    return ops.stack(corners, axis=2)
