"""What an encoder reads of frames."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_videolstm.layers import DriftFeatures, SlowFeatures
from keras_videolstm.layers.frame_traces import Trace


def features_read(
    frames: Any,
    slow: SlowFeatures | None,
    drift: DriftFeatures | None,
    previous: Any = None,
    trace: Trace | None = None,
) -> list[Any]:
    """Return the frames, or their slow features, and beside them how they drift.

    Args:
        frames: `(batch, time, features)`, standardised if the model does that.
        slow: in place of the frames, if there is one.
        drift: beside them, if there is one.
        previous: the frame before, as in `SlowFeatures`.
        trace: of the frames before, as in `DriftFeatures`.

    Example:
        >>> read = features_read(np.zeros((2, 5, 3)), None, DriftFeatures(3, 2, rate=0.1))
        >>> [part.shape for part in read]
        [(2, 5, 3), TensorShape([2, 5, 2])]
    """
    read = [frames if slow is None else slow(frames, previous=previous)]
    if drift is not None:
        read.append(drift(frames, initial=trace))
    return read


def joined(parts: Sequence[Any]) -> Any:
    """Return features `(batch, time, ...)` of several kinds as one tensor, masked as they are.

    Example:
        >>> joined([np.zeros((2, 5, 3)), np.zeros((2, 5, 2))]).shape
        TensorShape([2, 5, 5])
    """
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(dtype="float32")(parts)
