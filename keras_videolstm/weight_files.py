"""Weight files, written so that a full disk is an error and not the end of the process."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.files import LateErrorFile

_WEIGHTS = "model.weights.h5"
_NOT_WEIGHTS = ("optimizer",)


def write_weights(
    keras_file: Path, path: Path, change: Callable[[NDArray[Any]], NDArray[Any]] = np.asarray
) -> list[np.dtype[Any]]:
    """Write the weights of a `.keras` file as `.weights.h5`, the optimiser's state left out.

    `keras.Model.save_weights` has HDF5 write to the disk, which crashes where that is full; into a
    `.keras` file Keras writes by way of memory.

    Args:
        keras_file: written by `keras.Model.save`.
        path: the file to write.
        change: applied to each array.

    Returns:
        The dtype of each array that was written.

    Raises:
        OSError: if it cannot be written.

    Example:
        >>> model.save("model.keras")
        >>> dtypes = write_weights(Path("model.keras"), Path("model.weights.h5"))
    """
    with zipfile.ZipFile(keras_file) as archive:
        image = io.BytesIO(archive.read(_WEIGHTS))
    disk = LateErrorFile(path)
    try:
        with h5py.File(image, "r") as source, h5py.File(disk, "w") as target:
            dtypes = _copy_group(source, target, change)
    finally:
        disk.close()
    disk.check()
    return dtypes


def _copy_group(
    source: h5py.Group, target: h5py.Group, change: Callable[[NDArray[Any]], NDArray[Any]]
) -> list[np.dtype[Any]]:
    """Copy groups and attributes as they are, and arrays changed."""
    target.attrs.update(source.attrs)
    dtypes = []
    for name, item in source.items():
        if name in _NOT_WEIGHTS:
            continue
        if isinstance(item, h5py.Group):
            dtypes += _copy_group(item, target.create_group(name), change)
            continue
        values = change(item[()])
        target.create_dataset(name, data=values).attrs.update(item.attrs)
        dtypes.append(values.dtype)
    return dtypes
