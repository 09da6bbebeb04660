"""A person's own clip as the frames that a checkpoint reads."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_videolstm.data.video import FrameFormat, read_video
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.percepts import clip_percepts, get_extractor

DEFAULT_FPS = 15


def read_clip(
    model: VideoLSTM, metadata: dict[str, Any], checkpoint: str, clip: Path, fps: float | None
) -> np.ndarray:
    """Return a clip as `(time, *frame_shape)`: pixels in [0, 1], or percepts.

    Example:
        >>> read_clip(model, load_metadata(name), name, Path("clip.mp4"), fps=None).shape
        (75, 1280)
    """
    if len(model.frame_shape) == 3:
        return _read_pixels(model, clip, metadata.get("fps", DEFAULT_FPS) if fps is None else fps)
    return read_percepts(percepts_of(metadata, checkpoint), clip, fps)[0]


def percepts_of(metadata: dict[str, Any], checkpoint: str) -> dict[str, Any]:
    """Return how a checkpoint's percepts are made: extractor, fps and fit."""
    if not metadata.get("percepts"):
        raise InputError(f"Expected a checkpoint that names its percepts. Received: {checkpoint}")
    return metadata["percepts"]


def read_percepts(
    percepts: dict[str, Any], clip: Path, fps: float | None
) -> tuple[np.ndarray, FrameFormat]:
    """Return a clip's percepts `(time, features)`, and the frames that they were made of."""
    extractor = get_extractor(percepts["extractor"])
    frame_format = extractor.frame_format(percepts["fps"] if fps is None else fps, percepts["fit"])
    return clip_percepts(clip, extractor, frame_format), frame_format


def _read_pixels(model: VideoLSTM, clip: Path, fps: float) -> np.ndarray:
    """Read a clip as the model's frames: square, grey where it has one channel, in [0, 1]."""
    height, width, channels = model.frame_shape
    if height != width:
        raise InputError(f"Expected a model of square frames. Received: {model.frame_shape}")
    frames = read_video(clip, FrameFormat(fps=fps, size=height)).astype("float32") / 255
    # ITU-R BT.601 luma, as image libraries turn colour into grey.
    return frames if channels == 3 else (frames @ np.float32([0.299, 0.587, 0.114]))[..., None]
