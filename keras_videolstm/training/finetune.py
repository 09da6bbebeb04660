"""From a representation learned without labels to an action classifier."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_videolstm.blocks import PADDING
from keras_videolstm.data.percept_blocks import all_blocks, random_blocks
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_windows import feature_statistics
from keras_videolstm.data.running_moments import RunningMoments
from keras_videolstm.errors import InputError
from keras_videolstm.layers.frozen_parts import freeze_among, frozen_among
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.objectives import StepCrossentropy
from keras_videolstm.training.finetune_settings import FinetuneSettings as FinetuneSettings
from keras_videolstm.training.splits import Split
from keras_videolstm.training.told_steps import Progress, ToldSteps
from keras_videolstm.training.variables import make_variables

# Raised where classifiers are made or trained otherwise, so that no table mixes both.
REVISION = 1

_BLOCKS_A_BATCH = 256


Start = Callable[[PerceptStore, Split, FinetuneSettings], ActionClassifier]
"""Makes the classifier that a method begins with."""


def single_frame_classifier(
    store: PerceptStore, split: Split, settings: FinetuneSettings, standardize: str = "feature"
) -> ActionClassifier:
    """Make an untrained logistic regression on single frames, the paper's first baseline.

    Example:
        >>> classifier = single_frame_classifier(store, split, FinetuneSettings())
    """
    keras.utils.set_random_seed(settings.seed)
    classifier = ActionClassifier(
        store.feature_dim, store.class_names, units=(), standardize=standardize, normalize=True
    )
    prepare = classifier.standardizer.prepare
    classifier.standardizer.set_statistics(*feature_statistics([(store, split.train)], prepare))
    return classifier


def scratch_classifier(
    store: PerceptStore, split: Split, settings: FinetuneSettings, like: VideoLSTM
) -> ActionClassifier:
    """Make a classifier with the layers and initialisation of a model, the paper's LSTM baseline.

    What the model standardises by statistics it saw, this does by those of the training part. It
    reads percepts: slow and drift features are learned without labels, and this learns from none.

    Raises:
        InputError: if the store's percepts are not what the model reads.

    Example:
        >>> classifier = scratch_classifier(store, split, FinetuneSettings(), like=model)
    """
    keras.utils.set_random_seed(settings.seed)
    percepts_alone = {"slow_features": 0, "drift_features": 0}
    untrained = VideoLSTM.from_config({**like.get_config(), **percepts_alone})
    if untrained.standardizer is not None:
        prepare = untrained.standardizer.prepare
        statistics = feature_statistics([(store, split.train)], prepare)
        untrained.set_statistics(*(np.reshape(values, like.frame_shape) for values in statistics))
    return pretrained_classifier(store, split, settings, untrained)


def learned_features_classifier(
    store: PerceptStore, split: Split, settings: FinetuneSettings, model: VideoLSTM
) -> ActionClassifier:
    """Make a classifier that starts from a model's learned features, its encoder from scratch.

    Beside `pretrained_classifier` it shows what the encoder's own training without labels adds.

    Raises:
        InputError: if the store's percepts are not what the model reads.

    Example:
        >>> classifier = learned_features_classifier(store, split, FinetuneSettings(), model)
    """
    keras.utils.set_random_seed(settings.seed)
    untrained = VideoLSTM.from_config(model.get_config())
    for layer, learned in (
        (untrained.standardizer, model.standardizer),
        (untrained.slow, model.slow),
        (untrained.drift, model.drift),
    ):
        if layer is not None:
            layer.set_weights(learned.get_weights())
    return pretrained_classifier(store, split, settings, untrained)


def pretrained_classifier(
    store: PerceptStore, split: Split, settings: FinetuneSettings, model: VideoLSTM
) -> ActionClassifier:
    """Make a classifier that starts from a model's encoder.

    Raises:
        InputError: if the store's percepts are not what the model reads.

    Example:
        >>> classifier = pretrained_classifier(store, split, FinetuneSettings(), model)
    """
    if math.prod(model.frame_shape) != store.feature_dim:
        raise InputError(
            f"Expected percepts of shape {model.frame_shape}, which the model reads. "
            f"Received: {store.path} with {store.feature_dim} features"
        )
    keras.utils.set_random_seed(settings.seed)
    # What a single frame shows is named from few labels by itself; of pixels that is very little,
    # and maps show it, too: alone they validated better on UCF-101's eleven classes.
    linear = model.activation == "linear"
    skip = linear and model.convolution is None
    classifier = ActionClassifier.from_video_lstm(
        model,
        store.class_names,
        dropout=settings.dropout,
        normalize=True,
        skip=skip,
        skip_slow=False,
        standardize_state=linear,
    )
    if linear:
        _measure_state(classifier, store, split)
    return classifier


def _measure_state(classifier: ActionClassifier, store: PerceptStore, split: Split) -> None:
    """Set the statistics of the encoder's output on the training part's blocks."""
    encode = keras.Model(classifier.input, classifier.state_standardizer.input)
    moments = RunningMoments()
    of_training = all_blocks(store, split.train, batch_size=_BLOCKS_A_BATCH)
    for blocks, _ in of_training.as_numpy_iterator():
        real = np.any(blocks != PADDING, axis=-1)
        moments.add(encode.predict_on_batch(blocks)[real])
    classifier.state_standardizer.set_statistics(moments.mean, moments.deviation)


def finetune(
    classifier: ActionClassifier,
    store: PerceptStore,
    split: Split,
    settings: FinetuneSettings,
    *,
    verbose: int | str = 0,
    progress: Progress | None = None,
) -> dict[str, list[float]]:
    """Train a classifier in place: first the softmax alone, then all; keep the best weights.

    Blocks are drawn at random, video by video; each step of a block is asked for the video's
    label. Training stops when the validation loss no longer gains; the weights of the best one are
    kept, those after the first part included. The test part is not touched.

    Args:
        classifier: trained in place.
        store: labelled percepts.
        split: parts; with an empty validation part all steps are run.
        settings: see there.
        verbose: as in `keras.Model.fit`.
        progress: called with (training steps done, training steps in all).

    Returns:
        The history: by name a list of values, first the softmax alone, then one for each look.

    Raises:
        InputError: if the loss is no longer a number.

    Example:
        >>> history = finetune(classifier, store, split, FinetuneSettings())
        >>> history["val_loss"][-1]
        0.31
    """
    blocks = random_blocks(
        store, split.train, seed=settings.seed, batch_size=settings.batch_size
    ).map(_with_targets)
    validation, callbacks = None, [keras.callbacks.TerminateOnNaN()]
    if len(split.validation):
        validation = all_blocks(store, split.validation, batch_size=_BLOCKS_A_BATCH)
        validation = validation.map(_with_targets)
        callbacks.append(
            keras.callbacks.EarlyStopping(
                "val_loss", patience=settings.patience, restore_best_weights=True
            )
        )
    steps_a_look = min(settings.check_every, settings.steps)
    looks = max(settings.steps // settings.check_every, 1)
    told = ToldSteps(progress, _head_steps(settings) + looks * steps_a_look)
    before = _fit_head(classifier, blocks, validation, settings, told)
    _compile(classifier, keras.optimizers.Adam(settings.learning_rate, global_clipnorm=5.0), blocks)
    weights = classifier.get_weights()
    history = classifier.fit(
        blocks,
        steps_per_epoch=steps_a_look,
        epochs=looks,
        validation_data=validation,
        callbacks=[*callbacks, told],
        verbose=verbose,
    ).history
    told.end()
    if not np.isfinite(history["loss"]).all():
        raise InputError(
            f"Expected a finite loss. Received: NaN at a learning rate of {settings.learning_rate}"
        )
    if validation is not None and min(history["val_loss"]) >= before["val_loss"]:
        classifier.set_weights(weights)
    return {name: [before[name], *values] for name, values in history.items()}


def _fit_head(
    classifier: ActionClassifier,
    blocks: tf.data.Dataset[Any],
    validation: tf.data.Dataset[Any] | None,
    settings: FinetuneSettings,
    told: ToldSteps,
) -> dict[str, float]:
    """Train the softmax alone, before an untrained one can spoil what the encoder has learned.

    From zero by plain gradients, which give, of all weights that fit the few clips, the smallest.
    Returned are the last losses, by name, of that which validates best.
    """
    encoder = classifier.encoder
    learns = encoder is not None and encoder.trainable
    frozen = frozen_among(encoder.parts) if learns else []
    if learns:
        encoder.trainable = False
    optimizer = keras.optimizers.SGD(momentum=0.9)
    _compile(classifier, optimizer, blocks)
    untrained, found = classifier.head.get_weights(), []
    for rate in settings.head_learning_rates:
        classifier.head.set_weights(untrained)
        _begin_again(optimizer, rate)
        losses = _fit_compiled_head(classifier, blocks, validation, settings, told)
        found.append((losses, classifier.head.get_weights()))
    # A loss that is no longer a number is never the best.
    losses, weights = min(
        found, key=lambda pair: np.nan_to_num(pair[0].get("val_loss", 0.0), nan=np.inf)
    )
    classifier.head.set_weights(weights)
    if learns:
        encoder.trainable = True
        freeze_among(encoder.parts, frozen)
    return losses


def _begin_again(optimizer: keras.optimizers.Optimizer, rate: float) -> None:
    """Forget momentum and set a rate; compiling again would trace the whole step anew."""
    for variable in optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
    optimizer.learning_rate = rate


def _fit_compiled_head(
    classifier: ActionClassifier,
    blocks: tf.data.Dataset[Any],
    validation: tf.data.Dataset[Any] | None,
    settings: FinetuneSettings,
    told: ToldSteps,
) -> dict[str, float]:
    history = classifier.fit(
        blocks, steps_per_epoch=settings.head_steps, callbacks=[told], verbose=0
    ).history
    losses = {name: values[-1] for name, values in history.items()}
    if validation is None:
        return losses
    seen = classifier.evaluate(validation, verbose=0, return_dict=True)
    return losses | {f"val_{name}": value for name, value in seen.items()}


def _head_steps(settings: FinetuneSettings) -> int:
    return settings.head_steps * len(settings.head_learning_rates)


def _compile(
    classifier: ActionClassifier,
    optimizer: keras.optimizers.Optimizer,
    blocks: tf.data.Dataset[Any],
) -> None:
    classifier.compile(
        optimizer=optimizer,
        loss={"steps": StepCrossentropy(), "action": None},
        metrics={"action": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]},
        jit_compile=False,
    )
    make_variables(classifier, blocks)


def _with_targets(blocks, labels):
    return blocks, {"steps": labels, "action": labels}
