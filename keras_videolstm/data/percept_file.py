"""One HDF5 file of percepts, videos one after another."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

FORMAT = 1
UNLABELLED = -1

# By path, which file tensorflow-io has opened there.
_opened: dict[Path, tuple[int, int, int]] = {}

ReadRows = Callable[[tf.Tensor, tf.Tensor | int], tf.Tensor]


class PerceptFile:
    """A file of a percept store, opened for reading; `PerceptStore` says what it holds.

    Args:
        path: the file.

    Attributes:
        metadata: what the writer knew, videos included.
        frame_counts: `(videos,)`.
        labels: `(videos,)`.
        shape: `(frames, features)` of the percepts.

    Raises:
        InputError: if it is missing, not a file of percepts, of a newer format, or inconsistent.

    Example:
        >>> PerceptFile(Path("ucf.h5")).shape
        (49021, 1280)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not self.path.is_file():
            raise InputError(f"Expected a percept store. Received: {path}, which does not exist")
        self._stamp = _stamp(self.path)
        try:
            with h5py.File(self.path) as file:
                self.metadata: dict[str, Any] = json.loads(bytes(file["metadata"][()]))
                self.frame_counts: NDArray[Any] = file["frame_counts"][()]
                self.labels: NDArray[Any] = file["labels"][()]
                self.shape: tuple[int, int] = file["percepts"].shape
                self._check(file["percepts"].dtype)
        except InputError:
            raise
        except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise InputError(
                f"Expected a percept store (HDF5 with percepts, frame_counts, labels, metadata). "
                f"Received: {path} ({error})"
            ) from error

    def _check(self, dtype: np.dtype[Any]) -> None:
        found = self.metadata.get("format")
        if found != FORMAT:
            raise InputError(
                f"Expected percept store format {FORMAT}. Received: {self.path} of format {found}; "
                f"a newer keras-videolstm may read it"
            )
        if len(self.shape) != 2 or dtype != np.float32:
            raise InputError(
                f"Expected percepts (frames, features) of float32. "
                f"Received: {self.path} with shape={self.shape}, dtype={dtype}"
            )
        videos = self.metadata["videos"]
        named = all(isinstance(v["path"], str) and isinstance(v["group"], str) for v in videos)
        counted = int(self.frame_counts.sum())
        sizes = {len(self.frame_counts), len(self.labels), len(videos)}
        if not named or counted != self.shape[0] or len(sizes) > 1 or (self.frame_counts < 1).any():
            raise InputError(
                f"Expected {len(videos)} videos of {counted} frames in all. "
                f"Received: {self.path} with {self.shape[0]} frames, "
                f"{len(self.frame_counts)} counts and {len(self.labels)} labels"
            )
        classes = len(self.metadata["class_names"])
        if ((self.labels < UNLABELLED) | (self.labels >= classes)).any():
            raise InputError(
                f"Expected labels from {UNLABELLED} to {classes - 1}. "
                f"Received: {self.path} with labels up to {self.labels.max()}"
            )

    @property
    def is_replaced(self) -> bool:
        """Whether another file stands in the place since this was opened."""
        return _stamp(self.path) != self._stamp

    def read(self, start: int, length: int) -> NDArray[Any]:
        """Return `length` rows from `start` on, `(length, features)`."""
        with h5py.File(self.path) as file:
            return file["percepts"][start : start + length]

    def row_reader(self) -> ReadRows:
        """Return `read(start, length) -> (length, features)`, a function for tf.data graphs.

        It streams through tensorflow-io where its operations run, and else through h5py.
        """
        return self._tensorflow_io_reader() or self._h5py_reader()

    def _tensorflow_io_reader(self) -> ReadRows | None:
        features = self.shape[1]
        # It keeps what it has opened under a name for as long as the process lives.
        stamp = _stamp(self.path)
        if _opened.setdefault(self.path.resolve(), stamp) != stamp:
            return None
        try:
            import tensorflow_io as tfio

            rows = tfio.IOTensor.from_hdf5(str(self.path))("/percepts")
            tf.ensure_shape(rows[0:1], (1, features))
        except Exception as error:  # any failure at all: its import succeeds where no op runs
            logging.getLogger(__name__).info("tensorflow-io does not run here: %s", error)
            return None

        def read(start: tf.Tensor, length: tf.Tensor | int) -> tf.Tensor:
            return tf.ensure_shape(rows[start : start + length], (None, features))

        return read

    def _h5py_reader(self) -> ReadRows:
        rows, features = h5py.File(self.path)["percepts"], self.shape[1]

        def read(start: tf.Tensor, length: tf.Tensor | int) -> tf.Tensor:
            def slice_rows(first: NDArray[Any], count: NDArray[Any]) -> NDArray[Any]:
                return rows[first : first + count]

            found = tf.numpy_function(slice_rows, [start, length], tf.float32, stateful=False)
            return tf.ensure_shape(found, (None, features))

        return read


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
