"""Windows of consecutive percepts, drawn from stores as an endless or a fixed stream."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.running_moments import RunningMoments
from keras_videolstm.errors import InputError


@dataclass(frozen=True)
class StoreSelection:
    """A percept store, or some groups of it.

    Attributes:
        store: the store.
        groups: names of the groups to take; `None` takes all.
    """

    store: PerceptStore
    groups: tuple[str, ...] | None = None

    @property
    def videos(self) -> NDArray[Any]:
        """Numbers of the videos taken."""
        return self.store.videos_of_groups(self.groups)

    def window_starts(self, length: int) -> NDArray[Any]:
        """Return the first row of every window of `length` frames inside one video."""
        starts = [
            first + np.arange(count - length + 1)
            for first, count in (
                (self.store.starts[i], self.store.frame_counts[i]) for i in self.videos
            )
            if count >= length
        ]
        return np.concatenate(starts) if starts else np.empty(0, np.int64)


def percept_windows(
    selections: Sequence[StoreSelection],
    length: int,
    *,
    seed: int,
    batch_size: int,
    first: int = 0,
    count: int | None = None,
) -> tf.data.Dataset[Any]:
    """Draw windows uniformly over all places, with replacement.

    Window i is a function of `seed` and i alone, so a stream can be taken up again anywhere.

    Args:
        selections: stores or parts of them, of one feature dimension.
        length: frames a window.
        seed: of the draws.
        batch_size: windows a batch.
        first: number of the first window.
        count: number of windows; `None` is endless.

    Returns:
        A data set of batches `(batch, length, features)`, float32.

    Raises:
        InputError: if no video is long enough or the feature dimensions differ.

    Example:
        >>> windows = percept_windows(
        ...     [StoreSelection(PerceptStore("ucf.h5"))], 29, seed=1, batch_size=8
        ... )
        >>> next(iter(windows)).shape
        TensorShape([8, 29, 1280])
    """
    dims = {selection.store.feature_dim for selection in selections}
    if len(dims) != 1:
        raise InputError(f"Expected stores of one feature dimension. Received: {sorted(dims)}")
    starts = [selection.window_starts(length) for selection in selections]
    total = sum(map(len, starts))
    if not total:
        raise InputError(
            f"Expected at least one video of {length} frames. Received: stores with shorter ones"
        )
    numbers = np.repeat(np.arange(len(starts)), [len(s) for s in starts])
    places = tf.constant(np.concatenate(starts), tf.int64)
    store_of = tf.constant(numbers, tf.int32)
    (feature_dim,) = dims
    readers = [selection.store.row_reader() for selection in selections]

    def window(index: tf.Tensor) -> tf.Tensor:
        drawn = tf.random.stateless_uniform((), (seed, index), 0, total, tf.int64)
        start = places[drawn]
        # Bound as a default: the lambdas outlive the loop variable.
        branches = [lambda read=read: read(start, length) for read in readers]
        found = tf.switch_case(store_of[drawn], branches)
        return tf.ensure_shape(found, (length, feature_dim))

    indices = tf.data.Dataset.counter(start=first)
    if count is not None:
        indices = indices.take(count)
    drop = count is None
    batches = indices.map(window, num_parallel_calls=2).batch(batch_size, drop_remainder=drop)
    return batches.prefetch(tf.data.AUTOTUNE)


def feature_statistics(
    parts: Sequence[tuple[PerceptStore, Sequence[int] | NDArray[Any]]],
    prepare: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean and standard deviation `(features,)` over all frames of the named videos.

    One pass, video by video.

    Args:
        parts: stores, each with the numbers of its videos that count.
        prepare: what to measure of percepts `(time, features)`; default: themselves.

    Example:
        >>> mean, deviation = feature_statistics([(PerceptStore("ucf.h5"), [0, 1, 2])])
    """
    moments = RunningMoments()
    for store, videos in parts:
        for video in videos:
            percepts = store.read(video).astype("float64")
            moments.add(percepts if prepare is None else prepare(percepts))
    return moments.mean, moments.deviation
