"""Checks of what a person hands to a model's verbs."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.layers import FrameStandardizer


def checked_clips(
    frames: Any, frame_shape: tuple[int, ...], activation: str
) -> tuple[NDArray[Any], bool]:
    """Return clips `(batch, time, *frame_shape)` in float32, and whether the batch axis was added.

    Pixels of uint8 are scaled to [0, 1]; a channel axis of 1 may be left out.

    Args:
        frames: clips `(batch, time, *frame_shape)` or one clip `(time, *frame_shape)`.
        frame_shape: what the model reads.
        activation: `"sigmoid"` says that frames are pixels in [0, 1].

    Raises:
        InputError: on a wrong shape, no frames, NaN, what float32 cannot hold, or pixels outside
            [0, 1].

    Example:
        >>> checked_clips(np.zeros((10, 64, 64), "uint8"), (64, 64, 1), "sigmoid")[0].shape
        (1, 10, 64, 64, 1)
    """
    clips = np.asarray(frames)
    if clips.dtype.kind == "c":
        raise InputError(f"Expected real numbers. Received: dtype={clips.dtype}")
    if clips.dtype == np.uint8:
        clips = clips.astype("float32") / 255
    shape = clips.shape
    if frame_shape[-1] == 1 and shape[-1:] != (1,):
        clips = clips[..., None]
    single = clips.ndim == len(frame_shape) + 1
    clips = clips[None] if single else clips
    if clips.ndim != len(frame_shape) + 2 or clips.shape[2:] != frame_shape or 0 in clips.shape:
        named = ", ".join(str(n) for n in frame_shape)
        raise InputError(
            f"Expected frames (batch, time, {named}) or (time, {named}), at least one. "
            f"Received: shape={shape}"
        )
    numbers = np.issubdtype(clips.dtype, np.number)
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite there
        clips = clips.astype("float32") if numbers else clips
    if not numbers or not np.isfinite(clips).all():
        raise InputError("Expected finite numbers. Received: frames with NaN or infinite values")
    if activation == "sigmoid" and (clips.min() < 0 or clips.max() > 1):
        raise InputError(
            f"Expected pixels in [0, 1], or uint8. "
            f"Received: values from {clips.min():g} to {clips.max():g}"
        )
    return clips, single


def scaled_pixels(frames: Any) -> Any:
    """Return tensors of uint8 as float32 in [0, 1], and others as they are.

    Example:
        >>> scaled_pixels(ops.array([[255]], "uint8"))
        <tf.Tensor: shape=(1, 1), dtype=float32, numpy=array([[1.]], dtype=float32)>
    """
    if keras.backend.standardize_dtype(frames.dtype) != "uint8":
        return frames
    return ops.cast(frames, "float32") / 255.0


def checked_steps(steps: int, name: str = "steps") -> int:
    """Return the number of steps; `name` is that of the argument.

    Raises:
        InputError: if it is not a positive integer.

    Example:
        >>> checked_steps(3)
        3
    """
    if not isinstance(steps, int | np.integer) or isinstance(steps, bool) or steps < 1:
        raise InputError(f"Expected a positive number of steps. Received: {name}={steps!r}")
    return int(steps)


def restored_frames(
    frames: NDArray[Any], standardizer: FrameStandardizer | None, single: bool
) -> NDArray[Any]:
    """Undo the standardisation and the added batch axis.

    Example:
        >>> restored_frames(np.zeros((1, 5, 3)), None, single=True).shape
        (5, 3)
    """
    if standardizer is not None:
        frames = np.asarray(standardizer.invert(frames))
    return frames[0] if single else frames
