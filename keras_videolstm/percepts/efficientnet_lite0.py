"""EfficientNet-Lite0: a small convolutional network whose pooled output is a 1280-d percept.

The network is the "Lite0" member of the EfficientNet family (no squeeze-and-excitation, ReLU6 in
place of swish, stem and head not scaled), so that it stays cheap on a CPU.
"""

import os
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import KerasTensor, layers
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

IMAGE_SIZE = 224
FEATURE_SIZE = 1280
CLASSES = 1000
STEM_FILTERS = 32
BATCH_NORM_EPSILON = 1e-3


class Stage(NamedTuple):
    """One row of the architecture table: `repeats` blocks of which the first has the stride.

    Example:
        >>> Stage(kernel=3, repeats=2, stride=2, expansion=6, filters=24).filters
        24
    """

    kernel: int
    repeats: int
    stride: int
    expansion: int
    filters: int


STAGES = (
    Stage(3, 1, 1, 1, 16),
    Stage(3, 2, 2, 6, 24),
    Stage(5, 2, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(5, 3, 1, 6, 112),
    Stage(5, 4, 2, 6, 192),
    Stage(3, 1, 1, 6, 320),
)


def efficientnet_lite0(
    weights: str | os.PathLike[str] | None = None, folded: bool = False
) -> keras.Model:
    """Build EfficientNet-Lite0, with random weights or with those of a `.weights.h5` file.

    Input: `(batch, 224, 224, 3)`, RGB in 0..255, uint8 or float; it is rescaled inside the graph.
    With `folded` each batch normalisation is folded into its convolution, which runs about 1.4
    times faster on a CPU and cannot be trained; outputs differ by rounding alone.
    Output: a dict of `"features"`, `(batch, 1280)`, all in 0..6, and `"logits"`, `(batch, 1000)`.

    Example:
        >>> import numpy as np
        >>> model = efficientnet_lite0()
        >>> outputs = model.predict_on_batch(np.zeros((2, 224, 224, 3), "uint8"))
        >>> outputs["features"].shape, outputs["logits"].shape
        ((2, 1280), (2, 1000))
    """
    image = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), name="image")
    # The published weights expect (x - 127) / 128, not the mean and deviation of ImageNet.
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(image)
    x = _conv(x, STEM_FILTERS, "stem", kernel=3, stride=2)
    for number, stage in enumerate(STAGES, start=1):
        x = _stage(x, stage, f"block{number}")
    x = _conv(x, FEATURE_SIZE, "head")
    features = layers.GlobalAveragePooling2D(name="features")(x)
    logits = layers.Dense(CLASSES, name="logits")(features)
    model = keras.Model(image, {"features": features, "logits": logits}, name="efficientnet_lite0")
    if weights is not None:
        _load(model, Path(weights))
    return _fold(model) if folded else model


def _fold(model: keras.Model) -> keras.Model:
    """Rebuild the model with biased convolutions in place of convolution and normalisation."""

    def rebuild(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        if isinstance(layer, layers.BatchNormalization):
            return layers.Identity(name=layer.name)
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            config["use_bias"] = True
        return type(layer).from_config(config)

    def call(layer: layers.Layer, *inputs: KerasTensor, **_: object) -> KerasTensor:
        return layer(*inputs)  # without the mask that batch normalisation was called with

    folded = keras.models.clone_model(model, clone_function=rebuild, call_function=call)
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            normalisation = model.get_layer(layer.name.removesuffix("_conv") + "_bn")
            folded.get_layer(layer.name).set_weights(_folded_weights(layer, normalisation))
        elif isinstance(layer, layers.Dense):
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    return folded


def _folded_weights(layer: layers.Layer, normalisation: layers.Layer) -> list[NDArray[Any]]:
    """Return kernel and bias of `γ (conv(x) - μ) / √(σ² + ε) + β`."""
    (kernel,) = layer.get_weights()
    gamma, beta, mean, variance = normalisation.get_weights()
    scale = gamma / np.sqrt(variance + normalisation.epsilon)
    # A depthwise kernel is (height, width, channels, 1), a full one (height, width, in, out).
    per_channel = scale[:, None] if isinstance(layer, layers.DepthwiseConv2D) else scale
    return [kernel * per_channel, beta - mean * scale]


def _stage(x: KerasTensor, stage: Stage, name: str) -> KerasTensor:
    """Chain the blocks of a stage, named a, b, c, ...; only the first one strides."""
    for index in range(stage.repeats):
        stride = stage.stride if index == 0 else 1
        x = _block(x, stage, stride, f"{name}{chr(ord('a') + index)}")
    return x


def _block(x: KerasTensor, stage: Stage, stride: int, name: str) -> KerasTensor:
    """Expand, filter each channel, project back; add the input where the shapes agree."""
    inputs = x
    channels = inputs.shape[-1]
    if stage.expansion != 1:
        x = _conv(x, channels * stage.expansion, f"{name}_expand")
    x = layers.DepthwiseConv2D(
        stage.kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _normalise(x, f"{name}_depthwise")
    # No activation after the projection: the narrow side of the block stays linear.
    x = _conv(x, stage.filters, f"{name}_project", activate=False)
    if stride == 1 and channels == stage.filters:
        x = layers.Add(name=f"{name}_add")([x, inputs])
    return x


def _conv(
    x: KerasTensor,
    filters: int,
    name: str,
    kernel: int = 1,
    stride: int = 1,
    activate: bool = True,
) -> KerasTensor:
    """Convolution, batch normalisation and, unless told otherwise, ReLU6."""
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv")(
        x
    )
    return _normalise(x, name, activate)


def _normalise(x: KerasTensor, name: str, activate: bool = True) -> KerasTensor:
    """Batch normalisation and, unless told otherwise, ReLU6."""
    x = layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu6")(x) if activate else x


def _load(model: keras.Model, path: Path) -> None:
    """Load a `.weights.h5` file, or say plainly that the path is no such file."""
    if not path.name.endswith(".weights.h5") or not path.is_file():
        raise InputError(f"Expected weights to be an existing .weights.h5 file. Received: {path}")
    model.load_weights(path)
