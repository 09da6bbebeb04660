"""Real video files, and real bad ones, made in a test."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

# Brightness of frame i, far enough apart to be told after any codec.
LEVELS = (10, 55, 100, 145, 190, 235)


def level_frames(size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """Six frames `(6, height, width, 3)`, frame i of brightness `LEVELS[i]` all over."""
    width, height = size
    return np.stack([np.full((height, width, 3), level, np.uint8) for level in LEVELS])


def noise_frames(count: int, size: tuple[int, int] = (96, 64), seed: int = 0) -> np.ndarray:
    """Frames that hardly compress, so that the middle of the file is the middle of the video."""
    width, height = size
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def levels_of(frames: np.ndarray) -> list[int]:
    """Which of `LEVELS` each frame shows."""
    means = frames.reshape(len(frames), -1).mean(axis=1)
    return [int(np.abs(np.array(LEVELS) - mean).argmin()) for mean in means]


def write_video(
    path: Path,
    frames: np.ndarray,
    *,
    times: list[float] | None = None,
    fps: int = 10,
    pixel_aspect: Fraction | None = None,
    sound_seconds: float = 0,
) -> Path:
    """Write MPEG-4 video with time stamps, pixel shape and sound of choice."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        stream.codec_context.time_base = Fraction(1, 1000)
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        sound = container.add_stream("aac", rate=16000) if sound_seconds else None
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            time = number / fps if times is None else times[number]
            frame.time_base, frame.pts = Fraction(1, 1000), round(1000 * time)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _mux_silence(container, sound, sound_seconds)
    return path


def write_sound(path: Path, seconds: float = 1.0) -> Path:
    """Write a file that holds sound alone."""
    with av.open(str(path), "w") as container:
        _mux_silence(container, container.add_stream("aac", rate=16000), seconds)
    return path


def _mux_silence(
    container: av.container.OutputContainer, stream: av.AudioStream, seconds: float
) -> None:
    samples = np.zeros((1, int(16000 * seconds)), np.float32)
    silence = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    silence.rate, silence.pts, silence.time_base = 16000, 0, Fraction(1, 16000)
    fifo = av.AudioFifo()
    fifo.write(silence)
    while (part := fifo.read(1024)) is not None:
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def cut(path: Path, part: float) -> Path:
    """Keep the first part of a file's bytes, as a broken download does."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    return path


def write_images(folder: Path, frames: np.ndarray, name: str = "{:04d}.png") -> Path:
    """Write each frame as an image."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / name.format(number))
    return folder
