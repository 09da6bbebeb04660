"""Frames to real, encoded video files, by PyAV."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

#: Encoders to try, in order, for each container that `write_clip` knows.
CODECS: dict[str, tuple[str, ...]] = {
    ".mp4": ("libx264", "h264", "mpeg4"),
    ".mov": ("libx264", "h264", "mpeg4"),
    ".mkv": ("libx264", "h264", "mpeg4"),
    ".avi": ("mpeg4",),
    ".webm": ("libvpx-vp9", "libvpx"),
    ".gif": ("gif",),
}


def _encoder(suffix: str, codec: str | None) -> str:
    """The first usable encoder for a container."""
    if suffix not in CODECS:
        known = ", ".join(CODECS)
        raise InputError(f"Expected a file name that ends in one of {known}. Received: {suffix!r}")
    names = CODECS[suffix] if codec is None else (codec,)
    for name in names:
        if _can_encode(name):
            return name
    raise InputError(f"Expected an encoder that PyAV has. Received: {', '.join(names)}")


def _can_encode(name: str) -> bool:
    try:
        return av.codec.Codec(name, "w").type == "video"
    except (ValueError, av.FFmpegError):
        return False


def _open_stream(
    container: av.container.OutputContainer, codec: str, fps: float, width: int, height: int
) -> av.VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    stream = container.add_stream(codec, rate=rate)
    stream.width, stream.height = width, height
    stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
    if codec in ("libx264", "h264"):
        stream.options = {"crf": "22", "preset": "veryfast"}
        return stream
    if codec != "gif":
        stream.bit_rate = max(100_000, int(0.5 * width * height * fps))
    if codec.startswith("libvpx"):
        stream.options = {"deadline": "realtime", "cpu-used": "6"}
    return stream


def _encode(path: Path, frames: NDArray[Any], fps: float, codec: str) -> None:
    height, width = frames.shape[1:3]
    with av.open(str(path), "w") as container:
        stream = _open_stream(container, codec, fps, width, height)
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_clip(
    path: str | os.PathLike[str], frames: NDArray[Any], fps: float, *, codec: str | None = None
) -> None:
    """Encodes frames as a video file.

    The suffix chooses the container: .mp4, .mov, .mkv (H.264, else MPEG-4), .avi (MPEG-4), .webm
    (VP9, else VP8) or .gif. The file is written under a temporary name and then moved into place,
    so that a broken-off run leaves no half file. Missing folders are made.

    Args:
        path: file to write; an existing one is replaced.
        frames: 8-bit RGB frames of shape `(time, height, width, channels)`; width and height are
            even, except for .gif.
        fps: frames per second.
        codec: name of an FFmpeg encoder to use instead.

    Raises:
        InputError: the suffix or codec is unknown, or `frames` or `fps` is not as described.
        av.FFmpegError: FFmpeg failed, for example as the codec does not go with the container.
        OSError: the file cannot be written.

    Example:
        >>> from keras_videolstm.data.figures import render_clip
        >>> write_clip("walk.mp4", render_clip("walk", 0, 0), fps=15)
    """
    path, frames = Path(path), np.asarray(frames)
    suffix = path.suffix.lower()
    encoder = _encoder(suffix, codec)
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or 0 in frames.shape:
        raise InputError(
            "Expected uint8 frames of shape (time, height, width, 3), at least one. "
            f"Received: shape={frames.shape}, dtype={frames.dtype}"
        )
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"Expected fps above 0. Received: {fps!r}")
    if suffix != ".gif":
        check_even(frames.shape[2], frames.shape[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        _encode(temporary, frames, fps, encoder)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_even(width: int, height: int) -> None:
    """Refuse sizes that video codecs cannot halve."""
    if width % 2 or height % 2:
        raise InputError(
            "Expected an even width and height, as video codecs need. "
            f"Received: width={width}, height={height}"
        )
