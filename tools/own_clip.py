"""A person's own clip as the frames that a checkpoint reads."""

import glob
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data.action_clips import find_clips
from keras_videolstm.data.live_video import is_live, record_live
from keras_videolstm.data.video import FrameFormat, images_in, read_video
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.percepts import clip_percepts, get_extractor

DEFAULT_FPS = 15
_WILD = "*?["


@contextmanager
def clips_named(texts: Sequence[str], seconds: float) -> Iterator[dict[str, Path]]:
    """Yield the clips that arguments name: files, folders of images or videos, patterns, cameras.

    What cameras and addresses show is recorded, and deleted at the end.

    Args:
        texts: the arguments.
        seconds: to record of each camera or address.

    Raises:
        InputError: if a folder or a pattern holds no clip, or what is live cannot be read.

    Example:
        >>> with clips_named(["0", "a.mp4", "films/*.avi"], seconds=10) as clips:
        ...     print(list(clips))
        ['0', 'a.mp4', 'films/b.avi']
    """
    with tempfile.TemporaryDirectory() as folder:
        clips: dict[str, Path] = {}
        for number, text in enumerate(texts):
            if is_live(text):
                clips[text] = Path(folder) / f"live_{number}.mkv"
                click.echo(f"Recording {seconds:g} s of {text}", err=True)
                record_live(text, clips[text], seconds)
            else:
                clips |= {str(clip): clip for clip in _clips_of(text)}
        yield clips


def _clips_of(text: str) -> list[Path]:
    path = Path(text)
    # A name that no file can have is said so by who reads it.
    with suppress(OSError):
        if path.is_dir() and not images_in(path):
            return [clip.path for clip in find_clips(path)]
    if not any(sign in text for sign in _WILD):
        return [path]
    # A file of that very name comes first. `Path.glob` takes no absolute patterns.
    found = glob.glob(glob.escape(text)) or sorted(glob.glob(text, recursive=True))  # noqa: PTH207
    if not found:
        raise InputError(f"Expected a pattern that finds clips. Received: {text}, which finds none")
    return [Path(name) for name in found]


def read_clip(
    model: VideoLSTM, metadata: dict[str, Any], checkpoint: str, clip: Path, fps: float | None
) -> NDArray[Any]:
    """Return a clip as `(time, *frame_shape)`: pixels in [0, 1], or percepts.

    Example:
        >>> read_clip(model, load_metadata(name), name, Path("clip.mp4"), fps=None).shape
        (75, 1280)
    """
    if len(model.frame_shape) == 3:
        return _read_pixels(model, clip, metadata.get("fps", DEFAULT_FPS) if fps is None else fps)
    return read_percepts(percepts_of(metadata, checkpoint), clip, fps)[0]


def read_stills(
    model: VideoLSTM, metadata: dict[str, Any], checkpoint: str, clip: Path, fps: float | None
) -> NDArray[Any]:
    """Return the pictures of a clip, one for each frame that `read_clip` returns.

    Example:
        >>> read_stills(model, load_metadata(name), name, Path("clip.mp4"), fps=None).shape
        (75, 224, 224, 3)
    """
    if len(model.frame_shape) == 3:
        return read_clip(model, metadata, checkpoint, clip, fps)
    return read_video(clip, _frame_format(percepts_of(metadata, checkpoint), fps))


def percepts_of(metadata: dict[str, Any], checkpoint: str) -> dict[str, Any]:
    """Return how a checkpoint's percepts are made: extractor, fps and fit."""
    if not metadata.get("percepts"):
        raise InputError(f"Expected a checkpoint that names its percepts. Received: {checkpoint}")
    return metadata["percepts"]


def read_percepts(
    percepts: dict[str, Any], clip: Path, fps: float | None
) -> tuple[NDArray[Any], FrameFormat]:
    """Return a clip's percepts `(time, features)`, and the frames that they were made of."""
    frame_format = _frame_format(percepts, fps)
    return clip_percepts(clip, get_extractor(percepts["extractor"]), frame_format), frame_format


def _frame_format(percepts: dict[str, Any], fps: float | None) -> FrameFormat:
    extractor = get_extractor(percepts["extractor"])
    return extractor.frame_format(percepts["fps"] if fps is None else fps, percepts["fit"])


def _read_pixels(model: VideoLSTM, clip: Path, fps: float) -> NDArray[Any]:
    """Read a clip as the model's frames: square, grey where it has one channel, in [0, 1]."""
    height, width, channels = model.frame_shape
    if height != width:
        raise InputError(f"Expected a model of square frames. Received: {model.frame_shape}")
    frames = read_video(clip, FrameFormat(fps=fps, size=height)).astype("float32") / 255
    # ITU-R BT.601 luma, as image libraries turn colour into grey.
    return frames if channels == 3 else (frames @ np.float32([0.299, 0.587, 0.114]))[..., None]
