"""Weight files at half their size, where that costs nothing measurable."""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.files import atomic_path
from keras_videolstm.weight_files import write_weights

MAX_RELATIVE_ERROR = 1e-3


def save_half(model: keras.Model, path: Path) -> int:
    """Save weights as `.weights.h5` in half precision; return how many arrays stayed float32.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> save_half(model, Path("w.weights.h5"))
        0
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        full = Path(folder, "model.keras")
        model.save(full)
        with atomic_path(path) as temporary:
            dtypes = write_weights(full, temporary, narrow)
    return dtypes.count(np.dtype("float32"))


def narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Return float32 values as float16 where that costs at most 1e-3 of them, else unchanged.

    Example:
        >>> narrow(np.array([0.1], "float32")).dtype, narrow(np.array([1e-7], "float32")).dtype
        (dtype('float16'), dtype('float32'))
    """
    if values.dtype != np.float32:
        return values
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    # A kernel's terms are summed, so an error counts against its largest term. In a vector each
    # number rules a channel alone, so it counts by itself: the variances of dead channels, down to
    # 1e-22, would underflow, and the vectors are too short for their size to matter.
    scale = np.abs(values).max(initial=0) if values.ndim > 1 else np.abs(values)
    fits = np.abs(half.astype(np.float32) - values) <= MAX_RELATIVE_ERROR * scale
    return half if fits.all() else values
