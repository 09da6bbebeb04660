"""Cameras and addresses: a stretch of what they show, recorded into a file."""

import os
import re
import sys
from pathlib import Path

import av

from keras_videolstm.errors import InputError
from keras_videolstm.files import atomic_path

_ADDRESS = re.compile(r"(https?|rtsp|rtmp|udp)://")
# What FFmpeg needs for these addresses; never `file`, which a play list could name.
_PROTOCOLS = "http,https,httpproxy,tcp,tls,crypto,rtmp,rtp,rtsp,udp"
# FFmpeg's input device of each platform, and how a camera's number is written for it.
_CAMERAS = {
    "linux": ("v4l2", "/dev/video{}"),
    "darwin": ("avfoundation", "{}"),
    "win32": ("vfwcap", "{}"),
}
_TIMEOUT_SECONDS = 15


def is_live(text: str) -> bool:
    """Tell whether a text names a camera by its number, or an address; not a file of that name.

    Example:
        >>> is_live("0"), is_live("rtsp://camera.local/door"), is_live("clip.mp4")
        (True, True, False)
    """
    camera = re.fullmatch(r"[0-9]{1,3}", text) and not Path(text).exists()
    return bool(camera or _ADDRESS.match(text))


def record_live(source: str, path: str | os.PathLike[str], seconds: float) -> None:
    """Record a camera or an address into a Matroska file, as it comes, without encoding it again.

    Args:
        source: number of a camera, `"0"` being the first; or an address that begins with http,
            https, rtsp, rtmp or udp: of a stream, a play list or a file.
        path: of the file to write; should end in `.mkv`.
        seconds: length; what ends before is taken whole.

    Raises:
        InputError: if the source cannot be opened, has no picture, or breaks off.

    Example:
        >>> record_live("0", "camera.mkv", seconds=10)
        >>> read_video("camera.mkv", FrameFormat(fps=15, size=224)).shape
        (150, 224, 224, 3)
    """
    if not seconds > 0:
        raise InputError(f"Expected a positive number of seconds. Received: {seconds}")
    address, options = source, {"protocol_whitelist": _PROTOCOLS}
    device = None
    if not _ADDRESS.match(source):
        device, place = _CAMERAS[sys.platform if sys.platform in _CAMERAS else "linux"]
        address, options = place.format(int(source)), {}
    try:
        with av.open(address, format=device, options=options, timeout=_TIMEOUT_SECONDS) as live:
            if not live.streams.video:
                raise InputError(f"Expected a video stream. Received: {source}, which has none")
            with atomic_path(path) as part:
                _copy(live, part, seconds, source)
    except av.error.FFmpegError as error:
        raise InputError(
            f"Expected a camera or an address that can be read. "
            f"Received: {source} ({error.strerror or error})"
        ) from error


def _copy(live: av.container.InputContainer, path: Path, seconds: float, source: str) -> None:
    stream = live.streams.video[0]
    first = None
    with av.open(str(path), "w", format="matroska") as film:
        copied = film.add_stream_from_template(stream)
        for packet in live.demux(stream):
            # Some containers give the time of decoding late, which is that of showing or before.
            time = packet.pts if packet.dts is None else packet.dts
            # Who comes in the middle of a stream cannot decode what is before a key frame.
            if time is None or (first is None and not packet.is_keyframe):
                continue
            first = time if first is None else first
            if (time - first) * packet.time_base >= seconds:
                break
            packet.stream = copied
            film.mux(packet)
    if first is None:
        raise InputError(f"Expected at least one video frame. Received: {source}, which has none")
