"""The part of a model that is exported, as a function of frames."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.blocks import PADDING
from keras_videolstm.errors import InputError
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.models.frames import checked_steps

INPUT = "frames"
# Of samples, where a number is free.
_BATCHES, _TIMES = (2, 1), (10, 7)

Clips = tuple[int | None, int | None]


@dataclass(frozen=True)
class Serving:
    """A function of clips with one result, its weights, and what the model itself answers.

    Attributes:
        clips: how many are read at once, and the frames of each; `None` is any number.
        output: name of the result: `"features"`, `"prediction"` or `"action"`.
        frame_shape: of what is read, `(batch, time, *frame_shape)`.
        compute: the function, in TensorFlow.
        expected: the model's own answer, through its verbs.
        layers: whose weights are used.
        padded: whether clips may be padded at their end.
        forecasts: whether the result is frames, one a step.

    Example:
        >>> model = VideoLSTM("composite", (3,), units=[8], activation="linear")
        >>> serving = serving_of(model, "encoder", clips=(None, None))
        >>> serving.function(tf.zeros((2, 5, 3)))["features"].shape
        TensorShape([2, 8])
    """

    clips: Clips
    output: str
    frame_shape: tuple[int, ...]
    compute: Callable[[tf.Tensor], tf.Tensor]
    expected: Callable[[NDArray[Any]], NDArray[Any]]
    layers: tuple[keras.layers.Layer, ...]
    padded: bool = False
    forecasts: bool = False

    @functools.cached_property
    def function(self) -> Any:
        """The `tf.function`, which gives a dict."""
        return tf.function(
            lambda frames: {self.output: self.compute(frames)},
            input_signature=[tf.TensorSpec(self.input_shape, tf.float32, name=INPUT)],
        )

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Shape of what is read; `None` is any number."""
        return (*self.clips, *self.frame_shape)

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Shape of the result; `None` is any number."""
        return tuple(self.function.get_concrete_function().structured_outputs[self.output].shape)

    def samples(self) -> list[NDArray[Any]]:
        """Return clips to compare answers on, of different numbers where a number is free."""
        rng = np.random.default_rng(2015)
        samples = [
            rng.random((self.clips[0] or batch, self.clips[1] or time, *self.frame_shape))
            for batch, time in zip(_BATCHES, _TIMES, strict=True)
        ]
        if self.padded:
            last = samples[-1]
            last[:, (last.shape[1] + 1) // 2 :] = PADDING
        return [sample.astype("float32") for sample in samples]


def serving_of(
    model: keras.Model,
    what: str,
    clips: Clips = (None, None),
    steps: int | None = None,
    loop: bool = False,
) -> Serving:
    """Return a part of a model as a function of frames.

    Args:
        model: a `VideoLSTM` or an `ActionClassifier`.
        what: `"encoder"` or `"forecaster"`, of a video model; `"classifier"`.
        clips: how many are read at once, and the frames of each; default: any number.
        steps: frames to forecast; default: as trained.
        loop: forecast in a loop, however few the steps; default `False`.

    Raises:
        InputError: if the model has no such part, or `steps` is not positive or has no use.

    Example:
        >>> model = VideoLSTM("composite", (3,), units=[8], activation="linear")
        >>> serving_of(model, "forecaster", steps=4).output_shape
        (None, 4, 3)
    """
    if isinstance(model, ActionClassifier):
        parts, kind = ("classifier",), "an action classifier"
    elif isinstance(model, VideoLSTM):
        parts, kind = ("encoder", "forecaster"), "a video model (finetune makes it a classifier)"
    else:
        raise InputError(f"Expected a video model or a classifier. Received: {model.name!r}")
    if what not in parts:
        raise InputError(f"Expected {' or '.join(parts)}, of {kind}. Received: {what!r}")
    if steps is not None and what != "forecaster":
        raise InputError(f"Expected steps with a forecaster alone. Received: {what!r}")
    if what == "classifier":
        return _classifier(model, clips)
    if what == "encoder":
        return _encoder(model, clips)
    return _forecaster(model, clips, steps, loop)


def _classifier(model: ActionClassifier, clips: Clips) -> Serving:
    return Serving(
        clips,
        "action",
        (model.feature_dim,),
        lambda frames: model(frames, training=False)["action"],
        lambda frames: model.predict(frames, verbose=0)["action"],
        (model,),
        padded=True,
    )


def _encode(model: VideoLSTM, frames: tf.Tensor) -> tuple[tf.Tensor, Any]:
    seen = frames if model.standardizer is None else model.standardizer(frames)
    return model.run_encoder(seen, training=False)


def _encoder(model: VideoLSTM, clips: Clips) -> Serving:
    return Serving(
        clips,
        "features",
        model.frame_shape,
        lambda frames: _encode(model, frames)[0][:, -1],
        model.encode,
        _used(model.standardizer, model.slow, model.drift, model.encoder),
    )


def _forecaster(model: VideoLSTM, clips: Clips, steps: int | None, loop: bool) -> Serving:
    if "prediction" not in model.decoders:
        raise InputError(f"Expected a variant with a prediction. Received: {model.variant!r}")
    decoder, standardizer = model.decoders["prediction"], model.standardizer
    steps = checked_steps(model.prediction_steps if steps is None else steps)

    def compute(frames: tf.Tensor) -> tf.Tensor:
        _, state = _encode(model, frames)
        # Layers write a few steps out, one after another, but not a number that is a tensor.
        number = tf.constant(steps) if loop else steps
        future = decoder(state, steps=number, feedback=True, training=False)
        future.set_shape((frames.shape[0], steps, *model.frame_shape))
        return future if standardizer is None else standardizer.invert(future)

    return Serving(
        clips,
        "prediction",
        model.frame_shape,
        compute,
        lambda frames: model.forecast(frames, steps),
        _used(standardizer, model.slow, model.drift, model.encoder, decoder),
        forecasts=True,
    )


def _used(*layers: keras.layers.Layer | None) -> tuple[keras.layers.Layer, ...]:
    return tuple(layer for layer in layers if layer is not None)
