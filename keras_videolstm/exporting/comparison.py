"""Whether an exported file gives the model's numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.exporting.serving import Serving

# Far more than other orders of the same float32 sums come to.
_NUDGE = 1e-4


@dataclass(frozen=True)
class Comparison:
    """How far a file's numbers are from the model's.

    Attributes:
        difference: the largest, relative to the largest value of the model's own output.
        checked_steps: how many steps of a forecast were compared, from the first; else `None`.
    """

    difference: float
    checked_steps: int | None


def compare(
    serving: Serving, run: Callable[[NDArray[Any]], NDArray[Any]], tolerance: float
) -> Comparison:
    """Compare what a file gives for a few clips with what the model gives.

    A recurrent model may be chaotic, and then rounding, which differs from runtime to runtime, has
    made another forecast of it after some dozens of steps. Those steps say nothing of the file:
    steps count up to the first where clips that are darker by a ten-thousandth change the model's
    own forecast by more than the tolerance.

    Args:
        serving: the model's function.
        run: the file's.
        tolerance: largest difference that is no change.

    Raises:
        InputError: if shapes differ.

    Example:
        >>> serving = serving_of(VideoLSTM("composite", (3,), units=[8]), "forecaster", steps=4)
        >>> compare(serving, serving.expected, tolerance=1e-3)
        Comparison(difference=0.0, checked_steps=4)
    """
    difference, steps = 0.0, None
    for frames in serving.samples():
        expected, found = serving.expected(frames), run(frames)
        if found.shape != expected.shape:
            raise InputError(
                f"Expected an exported output {expected.shape}. Received: {found.shape}"
            )
        largest = max(float(np.abs(expected).max()), 1e-6)
        errors = np.abs(found - expected) / largest
        if serving.forecasts:
            nudged = serving.expected(frames * np.float32(1 - _NUDGE))
            counted = _steady_steps(np.abs(nudged - expected) / largest, tolerance)
            steps = counted if steps is None else min(steps, counted)
            errors = errors[:, :counted]
        # NumPy's maximum keeps NaN.
        difference = float(np.maximum(difference, errors.max()))
    return Comparison(difference, steps)


def _steady_steps(changes: NDArray[Any], tolerance: float) -> int:
    """Return the steps before the first whose change is too large, at least one."""
    unsteady = np.flatnonzero(changes.max(axis=(0, *range(2, changes.ndim))) > tolerance)
    return max(1, int(unsteady[0])) if len(unsteady) else changes.shape[1]
