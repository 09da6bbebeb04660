"""Percepts of VGG-16's layer fc6, the paper's, for those who have internet."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.percepts.extractor import PerceptExtractor, register_extractor


@register_extractor
class VGG16Fc6Percepts(PerceptExtractor):
    """The 4096 features of VGG-16's first fully connected layer, after its ReLU (section 3.1).

    The weights (about 530 MB) come through `keras.applications` on first use.

    Args:
        weights: `"imagenet"`, a path to a weight file, or `None` for random weights.

    Raises:
        InputError: if the weights cannot be fetched.

    Example:
        >>> VGG16Fc6Percepts(weights=None)(np.zeros((1, 224, 224, 3), "uint8")).shape
        (1, 4096)
    """

    name = "vgg16_fc6"
    feature_dim = 4096
    size = 224
    short_side = 240

    def __init__(self, weights: str | None = "imagenet") -> None:
        try:
            network = keras.applications.VGG16(weights=weights)
        except Exception as error:  # keras.utils.get_file raises a bare Exception offline
            raise InputError(
                f"Expected VGG-16's ImageNet weights in Keras' cache or by internet. "
                f"Received: {error} (percepts that need no internet: efficientnet_lite0)"
            ) from error
        self._features = keras.Model(network.input, network.get_layer("fc1").output)

    def __call__(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Map frames `(batch, 224, 224, 3)`, uint8 RGB, to `(batch, 4096)` float32."""
        pixels = keras.applications.vgg16.preprocess_input(frames.astype("float32"))
        return np.asarray(self._features.predict_on_batch(pixels))
