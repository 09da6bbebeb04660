"""Percepts of EfficientNet-Lite0: small, quick on a CPU, and shipped with the zoo."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.percepts.efficientnet_lite0 import efficientnet_lite0
from keras_videolstm.percepts.extractor import PerceptExtractor, register_extractor
from keras_videolstm.zoo_folder import zoo_folder

# What a CPU core computes of so few stays in its cache: over 1.5 times as fast as 64 at a time.
_FRAMES_OF_A_CORE = 4


@register_extractor
class EfficientNetLite0Percepts(PerceptExtractor):
    """The 1280 pooled features of an ImageNet EfficientNet-Lite0, after their ReLU6.

    It reads the central 224x224 of frames whose short side is 240, as the paper does with
    240x320 video. A GPU takes all frames of a call at a time, a CPU four a core.

    Example:
        >>> EfficientNetLite0Percepts()(np.zeros((2, 224, 224, 3), "uint8")).shape
        (2, 1280)
    """

    name = "efficientnet_lite0"
    feature_dim = 1280
    size = 224
    short_side = 240

    def __init__(self) -> None:
        network = efficientnet_lite0(zoo_folder() / self.name / "model.weights.h5", folded=True)
        self._features = keras.Model(network.input, network.output["features"])
        self._features.make_predict_function()  # here, where no two threads can do it at once
        self._cores = ThreadPoolExecutor(os.cpu_count()) if _on_cpu() else None

    def __call__(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Map frames `(batch, 224, 224, 3)`, uint8 RGB, to `(batch, 1280)` float32."""
        if self._cores is None or len(frames) <= _FRAMES_OF_A_CORE:
            return self._features_of(frames)
        starts = range(0, len(frames), _FRAMES_OF_A_CORE)
        parts = [frames[start : start + _FRAMES_OF_A_CORE] for start in starts]
        return np.concatenate(list(self._cores.map(self._features_of, parts)))

    def _features_of(self, frames: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self._features.predict_on_batch(frames))


def _on_cpu() -> bool:
    """Return whether TensorFlow computes, without a GPU; Keras' other backends see to it alone."""
    return keras.backend.backend() == "tensorflow" and not tf.config.list_physical_devices("GPU")
