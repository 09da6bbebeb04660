"""Mean and deviation of what does not fit in memory."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class RunningMoments:
    """Sums values and their squares in double precision, part by part.

    Example:
        >>> moments = RunningMoments()
        >>> for part in ([[1.0]], [[2.0], [3.0]]):
        ...     moments.add(np.array(part))
        >>> moments.mean, moments.deviation
        (array([2.]), array([0.81649658]))
    """

    def __init__(self) -> None:
        self._count = 0
        self._total: Any = 0.0
        self._squares: Any = 0.0

    def add(self, rows: NDArray[Any]) -> None:
        """Add rows `(rows, features)`."""
        rows = rows.astype("float64")
        self._count += len(rows)
        self._total = self._total + rows.sum(axis=0)
        self._squares = self._squares + np.square(rows).sum(axis=0)

    @property
    def mean(self) -> NDArray[Any]:
        """Mean of each feature."""
        return self._total / self._count

    @property
    def deviation(self) -> NDArray[Any]:
        """Standard deviation of each feature."""
        return np.sqrt(np.maximum(self._squares / self._count - self.mean**2, 0))
