"""Percepts on disk: feature vectors of many videos, in one HDF5 file or several."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.data.percept_file import FORMAT, UNLABELLED, PerceptFile, ReadRows
from keras_videolstm.data.store_files import files_of_store
from keras_videolstm.errors import InputError

__all__ = ["FORMAT", "UNLABELLED", "PerceptStore", "ReadRows"]

# What all files of a store have in common.
_SHARED = ("extractor", "version", "fps", "size", "fit", "short_side", "class_names")


class PerceptStore:
    """A percept store opened for reading.

    A file holds `/percepts` (all frames, features) float32 with the videos one after another,
    `/frame_counts` (videos) int64, `/labels` (videos) int32 with -1 for unlabelled, and
    `/metadata`, UTF-8 JSON as bytes: format, extractor, frame format, class names, and path and
    group of each video. Nothing in it is half precision or a variable-length string, since one
    such data set makes a whole file unreadable for tensorflow-io. A store of several files is a
    folder of `shard-00000-of-00008.h5` and so on, read as if they were one.

    Args:
        path: the file or folder; written by `videolstm-tools extract`.

    Raises:
        InputError: if it is missing, not a percept store, of a newer format, inconsistent, or if
            one of its files is missing.

    Example:
        >>> store = PerceptStore("ucf.h5")
        >>> store.read(0).shape, store.class_names[store.labels[0]], store.groups[0]
        ((87, 1280), 'Archery', 'g08')
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._files = [PerceptFile(file) for file in files_of_store(self.path)]
        self.metadata: dict[str, Any] = self._files[0].metadata
        self._check_same_kind()
        self.frame_counts = np.concatenate([file.frame_counts for file in self._files])
        self.labels = np.concatenate([file.labels for file in self._files])
        self._first_rows = np.cumsum([0] + [file.shape[0] for file in self._files])
        self.shape: tuple[int, int] = (int(self._first_rows[-1]), self._files[0].shape[1])

    def _check_same_kind(self) -> None:
        first, *others = self._files
        for file in others:
            for key in _SHARED:
                if file.metadata.get(key) != first.metadata.get(key):
                    raise InputError(
                        f"Expected {key}={first.metadata.get(key)!r} in all files of {self.path}. "
                        f"Received: {file.metadata.get(key)!r} in {file.path.name}"
                    )
            if file.shape[1] != first.shape[1]:
                raise InputError(
                    f"Expected {first.shape[1]} features in all files of {self.path}. "
                    f"Received: {file.shape[1]} in {file.path.name}"
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
    def groups(self) -> NDArray[Any]:
        """Name of the source of each video."""
        return np.array([video["group"] for video in self._videos], dtype=object)

    @cached_property
    def names(self) -> NDArray[Any]:
        """Path of each video as it was given to the extraction."""
        return np.array([video["path"] for video in self._videos], dtype=object)

    def clips_of(self, videos: Sequence[int] | NDArray[Any]) -> NDArray[Any]:
        """Return a number for each video, the same for all views of one clip, `(videos,)`.

        A clip's views are videos of the same path and group: other crops, and flips.

        Example:
            >>> PerceptStore("flipped.h5").clips_of([0, 1, 2, 3])
            array([0, 0, 1, 1])
        """
        chosen = list(videos)
        clips = zip(self.names[chosen], self.groups[chosen], strict=True)
        numbers: dict[tuple[str, str], int] = {}
        return np.array([numbers.setdefault(clip, len(numbers)) for clip in clips], np.int64)

    def count_clips(self, videos: Sequence[int] | NDArray[Any]) -> int:
        """Return how many clips videos are views of."""
        return len(np.unique(self.clips_of(videos)))

    @property
    def keys(self) -> list[str]:
        """What each video's percepts depend on, as a hash; `""` where the writer did not say."""
        return [video.get("key", "") for video in self._videos]

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Path and reason of each file that the extraction left out."""
        faults = [fault for file in self._files for fault in file.metadata.get("skipped", [])]
        return [(path, reason) for path, reason in faults]

    @property
    def _videos(self) -> list[dict[str, Any]]:
        return [video for file in self._files for video in file.metadata["videos"]]

    @cached_property
    def starts(self) -> NDArray[Any]:
        """Row of each video's first frame."""
        return (np.cumsum(self.frame_counts) - self.frame_counts).astype(np.int64)

    def __len__(self) -> int:
        return len(self.frame_counts)

    def read(self, index: int) -> NDArray[Any]:
        """Return all percepts `(time, features)` of one video.

        Args:
            index: number of the video.

        Example:
            >>> PerceptStore("ucf.h5").read(3).dtype
            dtype('float32')
        """
        start = int(self.starts[index])
        number = int(np.searchsorted(self._first_rows, start, side="right")) - 1
        first = start - int(self._first_rows[number])
        return self._files[number].read(first, int(self.frame_counts[index]))

    def videos_of_groups(self, groups: tuple[str, ...] | None) -> NDArray[Any]:
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

        It streams through tensorflow-io where its operations run, and else through h5py. The rows
        are of one video, which stands in one file.

        Example:
            >>> read = PerceptStore("ucf.h5").row_reader()
            >>> read(tf.constant(40, tf.int64), 16).shape
            TensorShape([16, 1280])
        """
        filled = [file for file in self._files if len(file.labels)]
        readers = [file.row_reader() for file in filled]
        if len(readers) == 1:
            return readers[0]
        firsts = np.cumsum([0] + [file.shape[0] for file in filled[:-1]])
        first_rows = tf.constant(firsts, tf.int64)

        def read(start: tf.Tensor, length: tf.Tensor | int) -> tf.Tensor:
            start = tf.cast(start, tf.int64)
            number = tf.searchsorted(first_rows, start[None], side="right")[0] - 1
            inside = start - first_rows[number]
            # Bound as a default: the lambdas outlive the loop variable.
            branches = [lambda reader=reader: reader(inside, length) for reader in readers]
            return tf.ensure_shape(tf.switch_case(number, branches), (None, self.feature_dim))

        return read
