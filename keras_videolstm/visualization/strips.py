"""Film strips that know when they start and what they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_count, check_frames
from keras_videolstm.visualization.style import ROLES, Role


@dataclass(frozen=True)
class Strip:
    """A piece of film with its place in time.

    Args:
        frames: `(time, height, width)`, `(time, height, width, 1)` or
            `(time, height, width, 3)`; uint8, or floats in [0, 1].
        start: time step of the first frame, counted from 0. Defaults to 0.
        role: "input" (what the model saw), "truth" (what really followed), "rebuilt" (what
            the model made of what it saw) or "prediction" (of what followed). Defaults to "input".

    Raises:
        InputError: for a negative start or an unknown role. The frames are checked when drawn.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import Strip
        >>> strip = Strip(np.zeros((10, 64, 64)), start=10, role="prediction")
        >>> strip.stop
        20
    """

    frames: NDArray[Any]
    start: int = 0
    role: Role = "input"

    def __post_init__(self) -> None:
        check_count("start", self.start, 0)
        if self.role not in ROLES:
            raise InputError(f"Expected `role` as one of {ROLES}. Received: {self.role!r}")

    @property
    def stop(self) -> int:
        """The time step after the last frame."""
        return self.start + len(self.frames)

    def frame_at(self, time: int) -> NDArray[Any] | None:
        """Return the frame at a time step, None where the strip has none."""
        return self.frames[time - self.start] if self.start <= time < self.stop else None


Row = NDArray[Any] | Strip | Sequence[Strip]
"""One row of a picture: a bare film, a strip, or strips that follow each other in time."""


def check_rows(rows: Mapping[str, Row]) -> dict[str, tuple[Strip, ...]]:
    """Return every row as a tuple of strips whose frames are uint8 `(time, height, width, 3)`.

    A bare array starts at time 0; its role is its row's name where that is one, else "input".

    Args:
        rows: the rows by name.

    Raises:
        InputError: for no rows, a film that is none, or strips of a row that overlap in time.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization.strips import check_rows
        >>> check_rows({"truth": np.zeros((5, 8, 8))})["truth"][0].role
        'truth'
    """
    if not isinstance(rows, Mapping) or not rows:
        received = f"{len(rows)} rows" if isinstance(rows, Mapping) else type(rows).__name__
        raise InputError(
            f"Expected `rows` to map at least one name to a film. Received: {received}"
        )
    return {str(name): _check_row(str(name), row) for name, row in rows.items()}


def _check_row(name: str, row: Row) -> tuple[Strip, ...]:
    strips = tuple(_check_strip(name, strip) for strip in _strips_of(name, row))
    ordered = sorted(strips, key=lambda strip: strip.start)
    for earlier, later in pairwise(ordered):
        if later.start < earlier.stop:
            raise InputError(
                f"Expected strips of row `{name}` that do not overlap in time. Received: one that "
                f"ends before {earlier.stop} and one that starts at {later.start}"
            )
    return strips


def _strips_of(name: str, row: Row) -> list[Strip]:
    if isinstance(row, Strip):
        return [row]
    if isinstance(row, list | tuple) and row and all(isinstance(part, Strip) for part in row):
        return list(row)
    return [Strip(row, role=name if name in ROLES else "input")]


def _check_strip(name: str, strip: Strip) -> Strip:
    return Strip(check_frames(name, strip.frames), strip.start, strip.role)


def time_span(rows: Mapping[str, tuple[Strip, ...]]) -> range:
    """Return the time steps from the first frame of any row to the last."""
    strips = [strip for row in rows.values() for strip in row]
    return range(min(strip.start for strip in strips), max(strip.stop for strip in strips))


def strip_at(row: tuple[Strip, ...], time: int) -> Strip | None:
    """Return the strip of a row that has a frame at a time step, None where none has."""
    return next((strip for strip in row if strip.start <= time < strip.stop), None)
