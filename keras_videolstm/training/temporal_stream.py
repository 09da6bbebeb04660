"""Training of a temporal-stream convnet on the optical flow of labelled video."""

from typing import Any

import keras
import tensorflow as tf

from keras_videolstm.data.percept_blocks import all_blocks, random_blocks
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import OpticalFlowPercepts, TemporalStream
from keras_videolstm.percepts.flow_percepts import FLOW_SIDE
from keras_videolstm.training.splits import Split
from keras_videolstm.training.temporal_stream_settings import TemporalStreamSettings
from keras_videolstm.training.told_steps import Progress, ToldSteps
from keras_videolstm.training.video_probabilities import VideoProbabilities

_STACKS_A_BATCH = 128
_STRIDE = 8
_FARTHEST_SHIFT = 6


def train_temporal_stream(
    store: PerceptStore,
    split: Split,
    settings: TemporalStreamSettings,
    progress: Progress | None = None,
) -> tuple[TemporalStream, dict[str, list[float]]]:
    """Train a temporal stream to name actions; keep the weights that validate best.

    Stacks are drawn at random, video by video, shifted by up to a tenth of a side, and half of them
    mirrored, which turns what moves right into what moves left. The test part is not touched.

    Args:
        store: labelled flows, extracted by `optical_flow`.
        split: parts; with an empty validation part the last weights are kept.
        settings: see there.
        progress: called with (training steps done, training steps in all).

    Returns:
        The convnet, and the history: a list of values, one for each look, by name.

    Raises:
        InputError: if the store is of other percepts.

    Example:
        >>> store = PerceptStore("flow.h5")
        >>> split = split_by_group(store, seed=0)
        >>> stream, history = train_temporal_stream(store, split, TemporalStreamSettings())
    """
    if store.metadata.get("extractor") != OpticalFlowPercepts.name:
        raise InputError(
            f"Expected percepts of {OpticalFlowPercepts.name!r}. "
            f"Received: {store.path} with {store.metadata.get('extractor')!r}"
        )
    keras.utils.set_random_seed(settings.seed)
    stream = TemporalStream(store.class_names, settings.stack, settings.features, settings.dropout)
    _follow_within(stream, settings.steps)
    looks = max(settings.steps // settings.check_every, 1)
    steps_a_look = min(settings.check_every, settings.steps)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, looks * steps_a_look)
    stream.compile(
        keras.optimizers.Adam(rate),
        loss={"action": "sparse_categorical_crossentropy", "features": None},
        metrics={"action": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]},
    )
    stacks = random_blocks(
        store,
        split.train,
        seed=settings.seed,
        batch_size=settings.batch_size,
        steps=settings.stack,
    )
    numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(), stacks)
    varied = numbered.map(
        lambda number, batch: _with_targets(_varied(batch[0], (settings.seed, number)), batch[1]),
        num_parallel_calls=2,
    )
    validation, callbacks = None, [ToldSteps(progress, looks * steps_a_look)]
    if len(split.validation):
        validation = _all_stacks(store, split.validation, settings.stack)
        # Never early: the rate is on its way to zero.
        callbacks.append(
            keras.callbacks.EarlyStopping("val_loss", patience=looks, restore_best_weights=True)
        )
    history = stream.fit(
        varied.prefetch(tf.data.AUTOTUNE),
        steps_per_epoch=steps_a_look,
        epochs=looks,
        validation_data=validation,
        callbacks=callbacks,
        verbose=0,
    ).history
    return stream, history


def stream_probabilities(
    stream: TemporalStream, store: PerceptStore, videos: Any
) -> VideoProbabilities:
    """Return what a temporal stream says of videos: the mean over stacks, one every 8 frames.

    Example:
        >>> stream_probabilities(stream, store, split.test).accuracy
        0.61
    """
    stacks = _all_stacks(store, videos, stream.stack)
    said = stream.predict(stacks, verbose=0)["action"]
    return VideoProbabilities.of_blocks(said, store, videos, stream.stack, _STRIDE)


def _follow_within(stream: TemporalStream, steps: int) -> None:
    """Let moving averages span a tenth of the training, or a short one ends before they follow."""
    for layer in stream.get_layer("mobilenet").layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, max(0.0, 1 - 10 / steps))


def _all_stacks(store: PerceptStore, videos: Any, stack: int) -> tf.data.Dataset[Any]:
    stacks = all_blocks(store, videos, batch_size=_STACKS_A_BATCH, steps=stack, stride=_STRIDE)
    return stacks.map(_with_targets)


def _with_targets(flows, labels):
    return flows, {"action": labels, "features": labels}


def _varied(flows: tf.Tensor, seed: tuple[Any, Any]) -> tf.Tensor:
    """Shift a batch of stacks `(batch, stack, 8192)` by one place drawn for all; mirror half."""
    batch, stack = tf.shape(flows)[0], flows.shape[1]
    seeds = tf.random.experimental.stateless_split(seed, 2)
    fields = tf.reshape(flows, (batch, stack, FLOW_SIDE, FLOW_SIDE, 2))
    edge = [_FARTHEST_SHIFT, _FARTHEST_SHIFT]
    padded = tf.pad(fields, ([0, 0], [0, 0], edge, edge, [0, 0]))
    down, right = tf.unstack(
        tf.random.stateless_uniform((2,), seeds[0], 0, 2 * _FARTHEST_SHIFT + 1, tf.int32)
    )
    shifted = padded[:, :, down : down + FLOW_SIDE, right : right + FLOW_SIDE]
    mirrored = tf.reverse(shifted, [3]) * tf.constant([-1.0, 1.0])
    chosen = tf.random.stateless_uniform((batch, 1, 1, 1, 1), seeds[1]) < 0.5
    return tf.reshape(tf.where(chosen, mirrored, shifted), tf.shape(flows))
