"""How fast digits move."""

from collections.abc import Sequence

from keras_videolstm.errors import InputError


def speed_bounds(speed: float | Sequence[float]) -> tuple[float, float]:
    """Return the lowest and the highest speed, parts of the free range a frame.

    Args:
        speed: one speed, or a (low, high) range.

    Raises:
        InputError: if it is neither, or not from 0 to 1.

    Example:
        >>> speed_bounds(0.1)
        (0.1, 0.1)
    """
    bounds = [speed, speed] if isinstance(speed, int | float) else list(speed)
    if len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1] <= 1:
        raise InputError(
            f"Expected a speed from 0 to 1, or a (low, high) range. Received: speed={speed}"
        )
    return bounds[0], bounds[1]
