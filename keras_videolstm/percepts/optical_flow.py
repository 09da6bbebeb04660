"""Optical flow: how far each pixel moves from one frame to the next."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

# The coarsest scale of DIS takes patches of 8 pixels.
_LEAST_SIDE = 16


def optical_flow(frames: NDArray[Any]) -> NDArray[Any]:
    """Return the flow from each frame to the next, by OpenCV's DIS (Kroeger et al., ECCV 2016).

    Args:
        frames: `(time, height, width, 3)`, uint8 RGB, at least 16 pixels a side.

    Returns:
        `(time - 1, height, width, 2)` float32: how many pixels to the right, and how many down.

    Raises:
        InputError: if OpenCV is not installed (the extra `flow` brings it), or on other shapes.

    Example:
        >>> frames = read_video("clip.mp4", FrameFormat(fps=15, size=128))
        >>> optical_flow(frames).shape
        (74, 128, 128, 2)
    """
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            f"Expected OpenCV, which the extra `flow` brings. Received: {error}"
        ) from error
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise InputError(
            f"Expected frames (time, height, width, 3), uint8. Received: {frames.shape}, "
            f"{frames.dtype}"
        )
    if min(frames.shape[1:3]) < _LEAST_SIDE:
        raise InputError(
            f"Expected frames of at least {_LEAST_SIDE} pixels a side. Received: {frames.shape}"
        )
    # A flow is begun anew for each pair: it must not depend on where a clip was cut into chunks.
    estimate = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    flows = [estimate.calc(one, two, None) for one, two in pairwise(grey)]
    return np.stack(flows) if flows else np.empty((0, *frames.shape[1:3], 2), np.float32)
