"""Whether one method is better than another, judged on the same draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

_CONFIDENCE = 0.95
_HALVINGS = 60


@dataclass(frozen=True)
class PairedDifference:
    """The mean of paired differences and its 95% confidence interval (Student's t).

    Attributes:
        mean: of the differences.
        low, high: ends of the interval; infinite for a single pair, and where all differences are
            the same, which a few coarse accuracies may be by chance.

    Example:
        >>> PairedDifference.between([0.62, 0.65, 0.61], [0.60, 0.61, 0.60])
        PairedDifference(mean=0.023, low=-0.014, high=0.061)
    """

    mean: float
    low: float
    high: float

    @classmethod
    def between(
        cls, ours: Sequence[float] | NDArray[Any], theirs: Sequence[float] | NDArray[Any]
    ) -> "PairedDifference":
        """Compare two methods' results, the i-th of both from the same draw.

        Raises:
            InputError: if there are none, or not as many of both.
        """
        if len(ours) != len(theirs) or not len(ours):
            raise InputError(
                f"Expected as many results of both methods. Received: {len(ours)} and {len(theirs)}"
            )
        differences = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
        mean, freedom = float(differences.mean()), len(differences) - 1
        if np.allclose(differences, mean, rtol=0, atol=1e-12):
            return cls(mean, -np.inf, np.inf)
        error = float(differences.std(ddof=1)) / np.sqrt(freedom + 1)
        half = _t_quantile((1 + _CONFIDENCE) / 2, freedom) * error
        return cls(mean, mean - half, mean + half)

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite(self.low))

    @property
    def significant(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def _t_quantile(probability: float, freedom: int) -> float:
    """Return the quantile, above the median, of Student's t, by bisection of its distribution."""
    low, high = 0.0, 1e6
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # The tail beyond t is half of the regularised incomplete beta function.
        x = np.float64(freedom / (freedom + middle**2))
        tail = float(tf.math.betainc(np.float64(freedom / 2), np.float64(0.5), x)) / 2
        low, high = (middle, high) if 1 - tail < probability else (low, middle)
    return high
