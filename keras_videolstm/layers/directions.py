"""What layers that project frames onto measured directions refuse."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError


def check_size(size: int, feature_dim: int) -> None:
    """Raise a `ValueError` for a number of directions that a frame cannot have.

    Example:
        >>> check_size(48, feature_dim=1280)
    """
    if not 1 <= size <= feature_dim:
        raise ValueError(
            f"Expected from 1 direction to as many as there are features ({feature_dim}). "
            f"Received: size={size}"
        )


def check_finite(*values: NDArray[Any]) -> None:
    """Raise an `InputError` for directions that are no numbers.

    Example:
        >>> check_finite(np.eye(3))
    """
    if not all(np.isfinite(value).all() for value in values):
        raise InputError("Expected finite directions. Received: NaN or infinite values")
