"""Checks on what callers hand to the drawing functions; every complaint is an `InputError`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.style import on_one_line

# A linear read-out overshoots [0, 1] a little, and is clipped; beyond this it is another scale.
OVERSHOOT = 8.0


def named_shape(dimensions: Sequence[str]) -> str:
    """Write dimension names as a shape, `(time,)` or `(time, classes)`."""
    inside = ", ".join(dimensions)
    return f"({inside},)" if len(dimensions) == 1 else f"({inside})"


def check_numbers(name: str, value: Any, dimensions: Sequence[str]) -> NDArray[Any]:
    """Return `value` as a float64 array of the named dimensions, none empty, all finite."""
    array = check_shape(name, value, dimensions).astype(np.float64)
    check_finite(name, array)
    return array


def check_shape(name: str, value: Any, dimensions: Sequence[str]) -> NDArray[Any]:
    """Return `value` as an array of real numbers of the named dimensions, none empty."""
    array = _as_array(name, value)
    if array.ndim != len(dimensions) or 0 in array.shape:
        expected = named_shape(dimensions)
        raise InputError(
            f"Expected `{name}` of shape {expected}, none of them 0. Received: shape={array.shape}"
        )
    return array


def _as_array(name: str, value: Any) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"Expected `{name}` as one array. Received: ragged lengths") from error
    if array.dtype.kind not in "buif":
        raise InputError(f"Expected `{name}` as real numbers. Received: dtype={array.dtype}")
    return array


def check_finite(name: str, array: NDArray[Any]) -> None:
    """Refuse NaN and infinity."""
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise InputError(
            f"Expected finite numbers in `{name}`. "
            f"Received: {bad} of {array.size} are NaN or infinite"
        )


def check_labels(labels: Sequence[str], count: int, what: str) -> list[str]:
    """Return the labels as a list of `count` strings of one line each."""
    if isinstance(labels, str) or len(labels) != count:
        received = repr(labels) if isinstance(labels, str) else f"{len(labels)} labels"
        raise InputError(f"Expected {count} labels, one for each {what}. Received: {received}")
    return [on_one_line(str(label)) for label in labels]


def check_times(name: str, times: Any, count: int) -> NDArray[Any]:
    """Return `count` times in seconds, each later than the one before."""
    array = check_numbers(name, times, ("time",))
    if len(array) != count:
        raise InputError(f"Expected {count} times in `{name}`. Received: {len(array)}")
    if np.any(np.diff(array) <= 0):
        raise InputError(f"Expected `{name}` to increase. Received: {_brief(array)}")
    return array


def _brief(array: NDArray[Any]) -> str:
    shown = ", ".join(f"{number:g}" for number in array[:6])
    return f"[{shown}, ...]" if len(array) > 6 else f"[{shown}]"


def check_frames(name: str, value: Any) -> NDArray[Any]:
    """Return a film as uint8 `(time, height, width, 3)`, grey repeated on the three channels.

    Floats are in [0, 1]; what overshoots a little is clipped.
    """
    array = _as_array(name, value)
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3) or 0 in array.shape:
        raise InputError(
            f"Expected `{name}` of shape (time, height, width), (time, height, width, 1) or "
            f"(time, height, width, 3), none of them 0. Received: shape={np.shape(value)}"
        )
    pixels = array if array.dtype == np.uint8 else _bytes_from_unit(name, array)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:3], 3)))


def _bytes_from_unit(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind not in "bf":
        raise InputError(
            f"Expected `{name}` as uint8, or as floats in [0, 1]. Received: dtype={array.dtype}"
        )
    numbers = array.astype(np.float32)
    check_finite(name, numbers)
    if np.abs(numbers).max() > OVERSHOOT:
        raise InputError(
            f"Expected `{name}` as uint8, or as floats in [0, 1]. "
            f"Received: floats from {numbers.min():g} to {numbers.max():g}"
        )
    return np.rint(np.clip(numbers, 0.0, 1.0) * 255.0).astype(np.uint8)


def check_count(name: str, value: Any, lowest: int, highest: int | None = None) -> int:
    """Return a whole number within its bounds."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and value >= lowest and (highest is None or value <= highest):
        return int(value)
    bounds = f"at least {lowest}" if highest is None else f"from {lowest} to {highest}"
    raise InputError(f"Expected `{name}` as a whole number {bounds}. Received: {value!r}")
