"""Weight files at half their size, where that costs nothing measurable."""

import tempfile
from pathlib import Path

import h5py
import keras
import numpy as np

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
        full, half = Path(folder, "full.weights.h5"), Path(folder, "half.weights.h5")
        model.save_weights(full)
        with h5py.File(full, "r") as source, h5py.File(half, "w") as target:
            kept = _copy_group(source, target)
        # Renamed only when complete, so that a broken run never leaves half a file behind.
        half.replace(path)
    return kept


def _copy_group(source: h5py.Group, target: h5py.Group) -> int:
    """Copy groups and attributes as they are and datasets narrowed; count those left wide."""
    target.attrs.update(source.attrs)
    kept = 0
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            kept += _copy_group(item, target.create_group(name))
            continue
        values = narrow(item[()])
        target.create_dataset(name, data=values).attrs.update(item.attrs)
        kept += values.dtype == np.float32
    return kept


def narrow(values: np.ndarray) -> np.ndarray:
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
