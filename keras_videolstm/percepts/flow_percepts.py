"""Percepts that are the optical flow of a frame."""

from typing import Any

from numpy.typing import NDArray

from keras_videolstm.percepts.extractor import PerceptExtractor, register_extractor
from keras_videolstm.percepts.optical_flow import optical_flow

FLOW_SIDE = 64
_PIXELS = 2


@register_extractor
class OpticalFlowPercepts(PerceptExtractor):
    """The optical flow from a frame to the next, what a `TemporalStream` learns from.

    It is measured at 128x128, the same part of a frame that the convnets see, and averaged over
    squares of 2x2 pixels: 64x64 places with how far each moves right and down, in pixels of 128.

    Example:
        >>> OpticalFlowPercepts()(np.zeros((5, 128, 128, 3), "uint8")).shape
        (4, 8192)
    """

    name = "optical_flow"
    feature_dim = FLOW_SIDE * FLOW_SIDE * 2
    size = FLOW_SIDE * _PIXELS
    short_side = 136
    span = 2

    def __call__(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Map frames `(time, 128, 128, 3)`, uint8 RGB, to `(time - 1, 8192)` float32."""
        flow = optical_flow(frames)
        squares = flow.reshape(-1, FLOW_SIDE, _PIXELS, FLOW_SIDE, _PIXELS, 2)
        return squares.mean(axis=(2, 4)).reshape(len(flow), self.feature_dim)
