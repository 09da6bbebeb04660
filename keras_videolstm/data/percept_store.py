"""Percepts on disk: one HDF5 file of feature vectors, videos one after another."""

import json
import logging
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tensorflow as tf

from keras_videolstm.errors import InputError

FORMAT = 1
UNLABELLED = -1

ReadRows = Callable[[tf.Tensor, tf.Tensor | int], tf.Tensor]


class PerceptStore:
    """A percept store opened for reading.

    The file holds `/percepts` (all frames, features) float32 with the videos one after another,
    `/frame_counts` (videos) int64, `/labels` (videos) int32 with -1 for unlabelled, and
    `/metadata`, UTF-8 JSON as bytes: format, extractor, frame format, class names, and path and
    group of each video. Nothing in it is half precision or a variable-length string, since one
    such data set makes a whole file unreadable for tensorflow-io.

    Args:
        path: the file; written by `PerceptStoreWriter` or `videolstm-tools extract`.

    Raises:
        InputError: if it is missing, not a percept store, of a newer format, or inconsistent.

    Example:
        >>> store = PerceptStore("ucf.h5")
        >>> store.read(0).shape, store.class_names[store.labels[0]], store.groups[0]
        ((87, 1280), 'Archery', 'g08')
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"Expected a percept store. Received: {path}, which does not exist")
        try:
            with h5py.File(self.path) as file:
                self.metadata: dict[str, Any] = json.loads(bytes(file["metadata"][()]))
                self.frame_counts: np.ndarray = file["frame_counts"][()]
                self.labels: np.ndarray = file["labels"][()]
                self.shape: tuple[int, int] = file["percepts"].shape
                self._check(file["percepts"].dtype)
        except InputError:
            raise
        except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
            raise InputError(
                f"Expected a percept store (HDF5 with percepts, frame_counts, labels, metadata). "
                f"Received: {path} ({error})"
            ) from error

    def _check(self, dtype: np.dtype) -> None:
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
        videos = len(self.metadata["videos"])
        counted = int(self.frame_counts.sum())
        sizes = (len(self.groups), len(self.names), len(self.frame_counts), len(self.labels))
        if counted != self.shape[0] or set(sizes) != {videos} or (self.frame_counts < 1).any():
            raise InputError(
                f"Expected {videos} videos of {counted} frames in all. "
                f"Received: {self.path} with {self.shape[0]} frames, "
                f"{len(self.frame_counts)} counts and {len(self.labels)} labels"
            )
        if ((self.labels < UNLABELLED) | (self.labels >= len(self.class_names))).any():
            raise InputError(
                f"Expected labels from {UNLABELLED} to {len(self.class_names) - 1}. "
                f"Received: {self.path} with labels up to {self.labels.max()}"
            )

    @property
    def feature_dim(self) -> int:
        """Length of one feature vector."""
        return self.shape[1]

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; a label is an index into them."""
        return tuple(self.metadata["class_names"])

    @cached_property
    def groups(self) -> np.ndarray:
        """Name of the source of each video."""
        return np.array([video["group"] for video in self.metadata["videos"]], dtype=object)

    @cached_property
    def names(self) -> np.ndarray:
        """Path of each video as it was given to the extraction."""
        return np.array([video["path"] for video in self.metadata["videos"]], dtype=object)

    @cached_property
    def starts(self) -> np.ndarray:
        """Row of each video's first frame."""
        return np.concatenate([[0], np.cumsum(self.frame_counts)[:-1]]).astype(np.int64)

    def __len__(self) -> int:
        return len(self.frame_counts)

    def read(self, index: int) -> np.ndarray:
        """Return all percepts `(time, features)` of one video.

        Args:
            index: number of the video.

        Example:
            >>> PerceptStore("ucf.h5").read(3).dtype
            dtype('float32')
        """
        start = int(self.starts[index])
        with h5py.File(self.path) as file:
            return file["percepts"][start : start + int(self.frame_counts[index])]

    def videos_of_groups(self, groups: tuple[str, ...] | None) -> np.ndarray:
        """Return the numbers of the videos of the named groups, `None` meaning all.

        Raises:
            InputError: if a group does not occur.

        Example:
            >>> PerceptStore("ucf.h5").videos_of_groups(("g08", "g09"))
            array([0, 1, 2, 3, ...])
        """
        if groups is None:
            return np.arange(len(self))
        known = set(self.groups)
        missing = sorted(set(groups) - known)
        if missing:
            raise InputError(
                f"Expected groups that occur in {self.path}: {', '.join(sorted(known)[:30])}. "
                f"Received: {', '.join(missing)}"
            )
        return np.flatnonzero(np.isin(self.groups.astype(str), groups))

    def row_reader(self) -> ReadRows:
        """Return `read(start, length) -> (length, features)`, a function for tf.data graphs.

        It streams through tensorflow-io where its operations run, and else through h5py.

        Example:
            >>> read = PerceptStore("ucf.h5").row_reader()
            >>> read(tf.constant(40, tf.int64), 16).shape
            TensorShape([16, 1280])
        """
        return self._tensorflow_io_reader() or self._h5py_reader()

    def _tensorflow_io_reader(self) -> ReadRows | None:
        try:
            import tensorflow_io as tfio

            rows = tfio.IOTensor.from_hdf5(str(self.path))("/percepts")
            tf.ensure_shape(rows[0:1], (1, self.feature_dim))
        except Exception as error:  # any failure at all: its import succeeds where no op runs
            logging.getLogger(__name__).info("tensorflow-io does not run here: %s", error)
            return None

        def read(start: tf.Tensor, length: tf.Tensor | int) -> tf.Tensor:
            return tf.ensure_shape(rows[start : start + length], (None, self.feature_dim))

        return read

    def _h5py_reader(self) -> ReadRows:
        rows = h5py.File(self.path)["percepts"]

        def read(start: tf.Tensor, length: tf.Tensor | int) -> tf.Tensor:
            def slice_rows(first: np.ndarray, count: np.ndarray) -> np.ndarray:
                return rows[first : first + count]

            found = tf.numpy_function(slice_rows, [start, length], tf.float32, stateful=False)
            return tf.ensure_shape(found, (None, self.feature_dim))

        return read
