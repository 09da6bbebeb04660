"""Video files to frames: decoding, resampling by time stamps, resizing with the aspect kept."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_videolstm.data.tfds_clips import example_images, is_of_builder
from keras_videolstm.errors import InputError

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff")
VIDEO_SUFFIXES = (".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")

# A file whose last frame ends this much before its declared end has lost its tail.
_TRUNCATED_FRACTION = 0.1
_TRUNCATED_SECONDS = 0.5
# A jump of time stamps that no recording has; resampling would fill it with held frames.
_LARGEST_GAP_SECONDS = 3600
# What a damaged header asks for beyond that would fill the memory.
_LONGEST_SIDES = 50
_FITS = ("crop", "pad")
# Images have no time; where no frame rate is asked for, it makes no difference.
_IMAGES_FPS = 25
CENTRE = (0.5, 0.5)
# FFmpeg also "plays" texts, and lists that name other files.
_TEXT_FORMATS = ("concat", "hls", "tty")


@dataclass(frozen=True)
class FrameFormat:
    """How frames leave a video file.

    Attributes:
        fps: frames a second, resampled by time stamps; `None` keeps the file's own frames.
        size: height and width in pixels of the square that comes out; `None` keeps the file's.
        fit: `"crop"` takes the central square of the frame resized to `short_side`; `"pad"` puts
            the whole frame into the square on black, for data whose frame shapes differ.
        short_side: short side in pixels before the crop; default: `size`.
        place: where the crop is taken, (down, across), from (0, 0), the upper left corner, to
            (1, 1); default: the centre. Padded frames have no other.
        flip: whether left and right change places.
        untimed_fps: frames a second of what has no time, folders of images and clips of TensorFlow
            Datasets; default: `fps`, so that each image is a frame.

    Raises:
        InputError: on a number out of its range, an unknown `fit`, or `short_side < size`.

    Example:
        >>> FrameFormat(fps=15, size=224, short_side=240)
        FrameFormat(fps=15, size=224, fit='crop', short_side=240)
    """

    fps: float | None = None
    size: int | None = None
    fit: str = "crop"
    short_side: int | None = None
    place: tuple[float, float] = CENTRE
    flip: bool = False
    untimed_fps: float | None = None

    def __post_init__(self) -> None:
        for name, rate in (("fps", self.fps), ("untimed_fps", self.untimed_fps)):
            if rate is not None and not 0 < rate <= 1000:
                raise InputError(f"Expected {name} between 0 and 1000. Received: {name}={rate}")
        if self.size is not None and self.size < 1:
            raise InputError(
                f"Expected a positive frame size in pixels. Received: size={self.size}"
            )
        if self.fit not in _FITS:
            raise InputError(f"Expected fit to be one of {_FITS}. Received: fit={self.fit!r}")
        if self.short_side is not None and self.short_side < (self.size or 1):
            raise InputError(
                f"Expected short_side of at least size={self.size}. "
                f"Received: short_side={self.short_side}"
            )
        if self.fit == "pad" and self.place != CENTRE:
            raise InputError(f"Expected no place with fit='pad'. Received: place={self.place}")
        if len(self.place) != 2 or not all(0 <= share <= 1 for share in self.place):
            raise InputError(
                f"Expected a place (down, across), each from 0 to 1. Received: {self.place}"
            )


def iter_frames(
    path: str | os.PathLike[str],
    frame_format: FrameFormat = FrameFormat(),
    *,
    one_thread: bool = False,
) -> Iterator[NDArray[Any]]:
    """Yield the frames of a video file one by one, so that no whole video is in memory.

    Frame k shows what a player shows k/fps seconds after the first frame: the last frame whose
    time stamp has passed. Pixels that are not square and rotated phone videos come out upright.
    Of a folder of images each is a frame, in the order of their names.

    Args:
        path: a file of any container and codec of FFmpeg: avi, gif, mkv, mov, mp4, webm...; a
            folder of images of one kind and size: png, jpg, bmp, tif; or a clip of TensorFlow
            Datasets, as `labelled_examples` names it.
        frame_format: frame rate, size and fit; by default the file's own.
        one_thread: decode by one thread, as is best where other files are decoded at the time;
            default: by as many as FFmpeg finds good.

    Yields:
        Frames `(height, width, 3)`, uint8 RGB.

    Raises:
        InputError: if the file is missing, empty, not a video, corrupt, or cut short; if the names
            of images do not say their order.

    Example:
        >>> for frame in iter_frames("clip.mp4", FrameFormat(fps=15, size=224)):
        ...     print(frame.shape)
    """
    path = Path(path)
    with _opened(path, frame_format) as container:
        stream = container.streams.video[0]
        if one_thread:
            stream.thread_type = "NONE"
        timed = _timed_frames(container, stream, path)
        if frame_format.fps is not None:
            timed = _resampled(timed, frame_format.fps)
        for frame in timed:
            yield _fitted(frame, stream, frame_format, path)


def read_video(
    path: str | os.PathLike[str],
    frame_format: FrameFormat = FrameFormat(),
    max_frames: int | None = None,
) -> NDArray[Any]:
    """Read a clip into one array.

    Args:
        path: a video file.
        frame_format: frame rate, size and fit; by default the file's own.
        max_frames: stop after so many frames; `None` reads all.

    Returns:
        Frames `(time, height, width, 3)`, uint8 RGB.

    Raises:
        InputError: as `iter_frames`.

    Example:
        >>> read_video("clip.mp4", FrameFormat(fps=15, size=64), max_frames=16).shape
        (16, 64, 64, 3)
    """
    frames = []
    for frame in iter_frames(path, frame_format):
        frames.append(frame)
        if max_frames is not None and len(frames) >= max_frames:
            break
    return np.stack(frames)


def declared_frames(path: str | os.PathLike[str], fps: float | None = None) -> int:
    """Return about how many frames a video has, by what its file declares; none of it is decoded.

    Args:
        path: as for `iter_frames`.
        fps: frames a second after resampling; `None` counts the file's own.

    Returns:
        Their number; 0 where the file does not say, or cannot be opened.

    Example:
        >>> declared_frames("clip.mp4", fps=15)
        87
    """
    path = Path(path)
    try:
        if path.is_dir():
            return len(images_in(path))
        with _open_container(path) as container:
            stream = container.streams.video[0]
            rate = fps or float(stream.average_rate or stream.guessed_rate or 0)
            return round(_declared_seconds(container, stream) * rate)
    except (InputError, OSError):
        return 0


def _opened(
    path: Path, frame_format: FrameFormat
) -> AbstractContextManager[av.container.InputContainer]:
    images_fps = frame_format.untimed_fps or frame_format.fps or _IMAGES_FPS
    if is_of_builder(path):
        return example_images(path, images_fps)
    if stat.S_ISDIR(_status(path).st_mode):
        return _open_images(path, images_fps)
    return _open_container(path)


@contextmanager
def _open_container(path: Path) -> Iterator[av.container.InputContainer]:
    _check_file(path)
    try:
        # Absolute, since FFmpeg takes "10:30.mp4" for an address; and only this file is opened.
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise InputError(
            f"Expected a video file that FFmpeg can open. Received: {path} ({_reason(error)})"
        ) from error
    with container:
        if container.format.name in _TEXT_FORMATS:
            raise InputError(f"Expected a video file. Received: {path}, which is a text")
        if not container.streams.video:
            raise InputError(f"Expected a video stream. Received: {path}, which has none")
        container.streams.video[0].thread_type = "AUTO"
        yield container


def images_in(folder: Path) -> list[Path]:
    """Return the images that lie in a folder, by name.

    Example:
        >>> images_in(Path("frames"))[0]
        PosixPath('frames/0001.png')
    """
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


@contextmanager
def _open_images(folder: Path, fps: float) -> Iterator[av.container.InputContainer]:
    images = images_in(folder)
    kinds = sorted({path.suffix for path in images})
    if len(kinds) != 1:
        raise InputError(
            f"Expected a video file, or a folder of images of one kind. "
            f"Received: {folder}, a folder with {', '.join(kinds) or 'no image'}"
        )
    for found, expected in zip(images, sorted(images, key=_counted), strict=True):
        if found != expected:
            raise InputError(
                f"Expected images whose names sort in their order: numbers with leading zeros. "
                f"Received: {folder}, where {found.name} comes before {expected.name}"
            )
    sizes = {_image_size(path) for path in images}
    if len(sizes) != 1:
        raise InputError(
            f"Expected images of one size. Received: {folder} with {sorted(sizes)[:3]}"
        )
    pattern = f"{_escaped(str(folder.absolute()))}/*{kinds[0]}"
    options = {
        "pattern_type": "glob",
        "framerate": str(fps),
        "protocol_whitelist": "file",
    }
    try:
        container = av.open(pattern, format="image2", options=options)
    except av.error.FFmpegError as error:
        raise InputError(
            f"Expected images that FFmpeg can open. Received: {folder} ({_reason(error)})"
        ) from error
    with container:
        yield container


def _image_size(path: Path) -> tuple[int, int]:
    _check_file(path)
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"Expected an image. Received: {path} ({_reason(error)})") from error


def _counted(path: Path) -> list[tuple[int, str]]:
    """Return what sorts names as a person would: `frame2` before `frame10`."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def _escaped(text: str) -> str:
    return re.sub(r"([\\*?\[\]{}~])", r"\\\1", text)


def _check_file(path: Path) -> None:
    if _status(path).st_size == 0:
        raise InputError(f"Expected a video file. Received: {path}, which is empty (0 bytes)")


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError as error:
        raise InputError(
            f"Expected a video file. Received: {path}, which does not exist"
        ) from error
    except (OSError, ValueError) as error:  # too long a name, a NUL in it, no permission
        raise InputError(f"Expected a video file. Received: {path} ({_reason(error)})") from error


@dataclass(frozen=True)
class _TimedFrame:
    frame: av.VideoFrame
    start: float  # seconds since the first frame
    end: float


def _timed_frames(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, path: Path
) -> Iterator[_TimedFrame]:
    """Decode all frames, give each a start and an end, and refuse a file that is cut short."""
    period = 1 / float(stream.average_rate or stream.guessed_rate or 25)
    origin = previous = last = None
    for frame in _decoded(container, stream, path):
        time = frame.time
        if time is None or (last is not None and time <= last):
            time = 0.0 if last is None else last + period
        if origin is None:
            origin = time
        if last is not None and time - last > _LARGEST_GAP_SECONDS:
            raise InputError(
                f"Expected time stamps that follow one another. "
                f"Received: {path}, whose frames jump by {time - last:.0f} s"
            )
        if previous is not None:
            yield _TimedFrame(previous, last - origin, time - origin)
        previous, last = frame, time
    if previous is None:
        raise InputError(f"Expected at least one video frame. Received: {path}, which has none")
    end = last - origin + period
    declared = _declared_seconds(container, stream)
    # Some containers declare the time of the end, others the length.
    missing = declared - max(end, last + period)
    if missing > max(_TRUNCATED_SECONDS, _TRUNCATED_FRACTION * declared):
        raise InputError(
            f"Expected {declared:.1f} s of video, as the file declares. "
            f"Received: {path}, which ends after {end:.1f} s (truncated)"
        )
    if container.format.name == "gif" and not _gif_is_closed(path):
        raise InputError(f"Expected a GIF that ends with its trailer. Received: {path} (truncated)")
    yield _TimedFrame(previous, last - origin, end)


def _decoded(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream, path: Path
) -> Iterator[av.VideoFrame]:
    try:
        yield from container.decode(stream)
    except av.error.FFmpegError as error:
        raise InputError(
            f"Expected a video that decodes to its end. Received: {path} ({_reason(error)})"
        ) from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _declared_seconds(
    container: av.container.InputContainer, stream: av.video.stream.VideoStream
) -> float:
    declared = [0.0]
    if stream.duration is not None and stream.time_base is not None:
        declared.append(float(stream.duration * stream.time_base))
    if container.format.name == "avi" and stream.average_rate:
        # FFmpeg shortens the duration of an AVI that was cut, but not its count of frames.
        declared.append(stream.frames / float(stream.average_rate))
    for key, value in stream.metadata.items():  # Matroska and WebM
        clock = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", value)
        if key.upper().startswith("DURATION") and clock:
            declared.append(3600 * int(clock[1]) + 60 * int(clock[2]) + float(clock[3]))
    # The container's duration includes its sound: with sound it says nothing about the pictures.
    if container.duration is not None and len(container.streams) == 1:
        declared.append(container.duration / av.time_base)
    return max(declared)


def _gif_is_closed(path: Path) -> bool:
    """Tell whether the last block and the trailer are there; some tools write a little after."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 1024), os.SEEK_END)
        return b"\x00;" in file.read()


def _resampled(timed: Iterator[_TimedFrame], fps: float) -> Iterator[_TimedFrame]:
    """Hold each frame until the next; sample that at k/fps (half a millisecond of slack)."""
    count = 0
    for frame in timed:
        while count / fps < frame.end - 5e-4:
            yield frame
            count += 1


def _fitted(
    timed: _TimedFrame,
    stream: av.video.stream.VideoStream,
    frame_format: FrameFormat,
    path: Path,
) -> NDArray[Any]:
    frame = timed.frame
    width, height = _upright_size(frame, stream, path)
    size = frame_format.size
    if size is not None:
        reference = max(width, height) if frame_format.fit == "pad" else min(width, height)
        side = size if frame_format.fit == "pad" else frame_format.short_side or size
        width, height = (max(1, round(length * side / reference)) for length in (width, height))
    try:
        image = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    except av.error.FFmpegError as error:
        raise InputError(
            f"Expected frames that FFmpeg can scale. Received: {path} ({_reason(error)})"
        ) from error
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    if turns:
        image = np.ascontiguousarray(np.rot90(image, turns))
    if size is not None and frame_format.fit == "pad":
        image = _padded(image, size)
    elif size is not None:
        image = _cropped(image, size, frame_format.place)
    return np.ascontiguousarray(image[:, ::-1]) if frame_format.flip else image


def _upright_size(
    frame: av.VideoFrame, stream: av.video.stream.VideoStream, path: Path
) -> tuple[int, int]:
    """Return width and height as they are shown, with square pixels."""
    width = round(frame.width * (float(stream.sample_aspect_ratio or 1) or 1.0))
    height = frame.height
    if not 1 / _LONGEST_SIDES <= width / height <= _LONGEST_SIDES:
        raise InputError(
            f"Expected frames at most {_LONGEST_SIDES} times as long as wide. Received: {path} "
            f"with frames of {frame.width}x{frame.height} that are shown as {width}x{height}"
        )
    return width, height


def _cropped(image: NDArray[Any], size: int, place: tuple[float, float]) -> NDArray[Any]:
    top, left = (
        int((length - size) * share) for length, share in zip(image.shape, place, strict=False)
    )
    return image[top : top + size, left : left + size]


def _padded(image: NDArray[Any], size: int) -> NDArray[Any]:
    height, width = image.shape[:2]
    canvas = np.zeros((size, size, 3), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    canvas[top : top + height, left : left + width] = image
    return canvas
