"""Videos of any length as blocks of equal length."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

BLOCK_STEPS = 16
BLOCK_STRIDE = 8
# No percept of ours is negative, and none of any kind is -1 in every feature.
PADDING = -1.0


def block_starts(frames: int, steps: int = BLOCK_STEPS, stride: int = BLOCK_STRIDE) -> range:
    """Return the first frame of each block; a video shorter than a block gives one.

    Example:
        >>> list(block_starts(40))
        [0, 8, 16, 24]
    """
    return range(0, max(frames - steps, 0) + 1, stride)


def video_blocks(
    percepts: NDArray[Any], steps: int = BLOCK_STEPS, stride: int = BLOCK_STRIDE
) -> NDArray[Any]:
    """Cut a video `(time, features)` into blocks `(blocks, steps, features)`, a short one padded.

    Example:
        >>> video_blocks(np.zeros((40, 3), "float32")).shape
        (4, 16, 3)
    """
    missing = max(steps - len(percepts), 0)
    padded = np.pad(percepts, ((0, missing), (0, 0)), constant_values=PADDING)
    starts = block_starts(len(percepts), steps, stride)
    return np.stack([padded[start : start + steps] for start in starts])


def refuse_padding(percepts: NDArray[Any]) -> None:
    """Refuse frames `(..., features)` that would be taken for padding.

    Raises:
        InputError: if a frame is -1 in every feature.

    Example:
        >>> refuse_padding(np.zeros((40, 3), "float32"))
    """
    if (percepts == PADDING).all(axis=-1).any():
        raise InputError(
            f"Expected no frame of {PADDING:g} in every feature, which stands for padding. "
            f"Received: one among percepts of shape {percepts.shape}"
        )
