"""Labelled blocks of percepts as tf.data, for training and for scoring classifiers."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.blocks import BLOCK_STEPS, BLOCK_STRIDE, PADDING, video_blocks
from keras_videolstm.data.percept_store import PerceptStore


def random_blocks(
    store: PerceptStore,
    videos: Sequence[int] | NDArray[Any],
    *,
    seed: int,
    batch_size: int,
    steps: int = BLOCK_STEPS,
) -> tf.data.Dataset[Any]:
    """Draw blocks without end: a video at random, then a place in it.

    Args:
        store: labelled percepts.
        videos: numbers of the videos to draw from.
        seed: of the draws; block i is a function of `seed` and i alone.
        batch_size: blocks a batch.
        steps: frames a block.

    Returns:
        A data set of `(blocks (batch, steps, features), labels (batch,))`.

    Example:
        >>> store = PerceptStore("ucf.h5")
        >>> blocks, labels = next(iter(random_blocks(store, [0, 1, 2], seed=1, batch_size=8)))
    """
    starts = tf.constant(store.starts[list(videos)], tf.int64)
    counts = tf.constant(store.frame_counts[list(videos)], tf.int64)
    labels = tf.constant(store.labels[list(videos)], tf.int32)
    read = store.row_reader()

    def block(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        seeds = tf.random.experimental.stateless_split((seed, index), 2)
        video = tf.random.stateless_uniform((), seeds[0], 0, len(videos), tf.int32)
        places = tf.maximum(counts[video] - steps, 0) + 1
        place = tf.random.stateless_uniform((), seeds[1], 0, places, tf.int64)
        rows = read(starts[video] + place, tf.minimum(counts[video], steps))
        missing = steps - tf.shape(rows)[0]
        rows = tf.pad(rows, ((0, missing), (0, 0)), constant_values=PADDING)
        return tf.ensure_shape(rows, (steps, store.feature_dim)), labels[video]

    blocks = tf.data.Dataset.counter().map(block, num_parallel_calls=2)
    return _ahead(blocks.batch(batch_size, drop_remainder=True))


def all_blocks(
    store: PerceptStore,
    videos: Sequence[int] | NDArray[Any],
    *,
    batch_size: int,
    steps: int = BLOCK_STEPS,
    stride: int = BLOCK_STRIDE,
) -> tf.data.Dataset[Any]:
    """Give every block of the videos, in order, for scoring.

    Returns:
        A data set of `(blocks (batch, steps, features), labels (batch,))`; the blocks of video v
        number `len(block_starts(frame_counts[v]))`.

    Example:
        >>> store = PerceptStore("ucf.h5")
        >>> for blocks, labels in all_blocks(store, [0, 1, 2], batch_size=64):
        ...     print(blocks.shape)
    """

    def generate() -> Iterator[tuple[NDArray[Any], np.int32]]:
        for video in videos:
            for block in video_blocks(store.read(video), steps, stride):
                yield block, store.labels[video]

    dataset = tf.data.Dataset.from_generator(
        generate,
        output_signature=(
            tf.TensorSpec((steps, store.feature_dim), tf.float32),
            tf.TensorSpec((), tf.int32),
        ),
    )
    return _ahead(dataset.batch(batch_size))


def _ahead(batches: tf.data.Dataset[Any]) -> tf.data.Dataset[Any]:
    """Make batches while others are used, without the thread that tunes how many.

    Fine-tuning makes many short-lived iterators. One that goes waits for its tuner to end, for
    minutes at times (TensorFlow 2.16).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(4).with_options(options)
