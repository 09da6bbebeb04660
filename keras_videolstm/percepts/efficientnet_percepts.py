"""Percepts of EfficientNet-Lite0: small, quick on a CPU, and shipped with the zoo."""

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.percepts.efficientnet_lite0 import efficientnet_lite0
from keras_videolstm.percepts.extractor import PerceptExtractor, register_extractor
from keras_videolstm.percepts.lite_network import LiteNetwork
from keras_videolstm.zoo_folder import zoo_folder

# To make the network changes what is global for a while: Keras' policy, the standard error.
_MADE_ONCE = threading.Lock()


@register_extractor
class EfficientNetLite0Percepts(PerceptExtractor):
    """The 1280 pooled features of an ImageNet EfficientNet-Lite0, after their ReLU6.

    It reads the central 224x224 of frames whose short side is 240, as the paper does with
    240x320 video. A GPU takes all frames of a call at a time, a CPU one a core (`LiteNetwork`).

    Example:
        >>> EfficientNetLite0Percepts()(np.zeros((2, 224, 224, 3), "uint8")).shape
        (2, 1280)
    """

    name = "efficientnet_lite0"
    feature_dim = 1280
    size = 224
    short_side = 240

    def __init__(self) -> None:
        with _MADE_ONCE:
            self._features = _features_by(zoo_folder() / self.name / "model.weights.h5")

    def __call__(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Map frames `(batch, 224, 224, 3)`, uint8 RGB, to `(batch, 1280)` float32."""
        return np.asarray(self._features(frames))


@functools.cache
def _features_by(weights: Path) -> Callable[[NDArray[Any]], Any]:
    """Return what maps frames to features; kept, as to make it takes seconds."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # percepts are the same, however a model is trained
    try:
        network = efficientnet_lite0(weights, folded=True)
        features = keras.Model(network.input, network.output["features"])
    finally:
        keras.config.set_dtype_policy(policy)
    return LiteNetwork(features) if LiteNetwork.is_best() else features.predict_on_batch
