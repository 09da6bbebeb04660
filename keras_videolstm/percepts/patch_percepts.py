"""Percepts that are the pixels of a patch."""

from typing import Any

from numpy.typing import NDArray

from keras_videolstm.percepts.extractor import PerceptExtractor, register_extractor


@register_extractor
class PatchPercepts(PerceptExtractor):
    """The pixels of the central 32x32 colour patch, scaled to [0, 1] (paper, section 3.3).

    Example:
        >>> PatchPercepts()(np.full((2, 32, 32, 3), 255, "uint8")).max()
        1.0
    """

    name = "patches"
    feature_dim = 32 * 32 * 3
    size = 32
    short_side = 240

    def __call__(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Map frames `(batch, 32, 32, 3)`, uint8 RGB, to `(batch, 3072)` float32 in [0, 1]."""
        return frames.reshape(len(frames), -1).astype("float32") / 255
