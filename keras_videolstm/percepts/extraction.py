"""Video files to a percept store, one bad file never stopping the rest."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import av
import keras
import numpy as np
import tensorflow as tf

from keras_videolstm._version import __version__
from keras_videolstm.data.action_clips import Clip, class_names
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.data.video import FrameFormat, iter_frames
from keras_videolstm.errors import InputError
from keras_videolstm.percepts.extractor import PerceptExtractor

_FRAMES_A_CHUNK = 64
_CHUNKS_AHEAD = 6

Progress = Callable[[int, int, int], None]


@dataclass
class ExtractionReport:
    """What an extraction did.

    Attributes:
        videos: number of videos in the store.
        frames: number of frames in the store.
        seconds: wall time.
        skipped: path and reason of each file left out.
    """

    videos: int = 0
    frames: int = 0
    seconds: float = 0.0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    @property
    def frames_per_second(self) -> float:
        """Throughput of decoding and convnet together."""
        return self.frames / self.seconds if self.seconds else 0.0


def extract(
    clips: Sequence[Clip],
    store: str | os.PathLike,
    extractor: PerceptExtractor,
    *,
    fps: float | None = None,
    fit: str = "crop",
    strict: bool = False,
    progress: Progress | None = None,
) -> ExtractionReport:
    """Write the percepts of clips into a store.

    Files that are corrupt, empty or truncated are left out and named in the report.

    Args:
        clips: the video files.
        store: the percept store to write; it appears when all is done.
        extractor: maps frames to vectors.
        fps: frames a second after resampling; `None` keeps each file's own.
        fit: `"crop"` or `"pad"`, as in `FrameFormat`.
        strict: stop at the first bad file instead.
        progress: called after every chunk with (clips done, clips in all, frames done).

    Returns:
        The report.

    Raises:
        InputError: at the first bad file under `strict`, or if no file at all was good.

    Example:
        >>> from keras_videolstm.data.action_clips import find_clips
        >>> from keras_videolstm.percepts import get_extractor
        >>> report = extract(find_clips("videos"), "videos.h5", get_extractor("patches"), fps=15)
        >>> report.frames, report.skipped
        (1220, [])
    """
    if not clips:
        raise InputError("Expected at least one clip. Received: none")
    frame_format = extractor.frame_format(fps, fit)
    report = ExtractionReport()
    started = time.perf_counter()
    names = class_names(clips)
    provenance = _provenance(extractor, frame_format)
    with PerceptStoreWriter(store, extractor.feature_dim, names, provenance) as writer:
        for index, frames, fault in _chunks(clips, frame_format):
            if len(frames):
                writer.append(extractor(frames))
            elif fault:
                if strict:
                    raise InputError(fault)
                writer.discard_video()
                report.skipped.append((str(clips[index].path), fault))
            else:
                report.frames = writer.end_video(clips[index])
                report.videos += 1
            if progress:
                progress(index + 1 if not len(frames) else index, len(clips), report.frames)
        if not report.videos:
            raise InputError(f"Expected at least one readable video. {report.skipped[0][1]}")
    report.seconds = time.perf_counter() - started
    return report


def clip_percepts(
    path: str | os.PathLike, extractor: PerceptExtractor, frame_format: FrameFormat
) -> np.ndarray:
    """Return the percepts `(time, features)` of one video file.

    Args:
        path: the video.
        extractor: maps frames to vectors.
        frame_format: as `extractor.frame_format(fps, fit)` gives it.

    Raises:
        InputError: if the file cannot be read to its end.

    Example:
        >>> from keras_videolstm.percepts import get_extractor
        >>> extractor = get_extractor("efficientnet_lite0")
        >>> clip_percepts("clip.mp4", extractor, extractor.frame_format(fps=15)).shape
        (87, 1280)
    """
    return np.concatenate(
        [extractor(frames) for frames in _grouped(iter_frames(path, frame_format))]
    )


def _provenance(extractor: PerceptExtractor, frame_format: FrameFormat) -> dict:
    return {
        "extractor": extractor.name,
        "fps": frame_format.fps,
        "size": frame_format.size,
        "fit": frame_format.fit,
        "short_side": frame_format.short_side,
        "versions": {
            "keras_videolstm": __version__,
            "keras": keras.__version__,
            "av": av.__version__,
        },
    }


def _chunks(
    clips: Sequence[Clip], frame_format: FrameFormat
) -> Iterator[tuple[int, np.ndarray, str]]:
    """Yield (clip, frames, "") per chunk, then (clip, no frames, fault or "") at a clip's end.

    tf.data's prefetch decodes ahead in a thread of its own, off the convnet's path.
    """
    size = frame_format.size

    def generate() -> Iterator[tuple[int, np.ndarray, bytes]]:
        for index, frames, fault in _decode_all(clips, frame_format):
            # A file's name may hold bytes that are no UTF-8.
            yield index, frames, fault.encode(errors="surrogateescape")

    dataset = tf.data.Dataset.from_generator(
        generate,
        output_signature=(
            tf.TensorSpec((), tf.int64),
            tf.TensorSpec((None, size, size, 3), tf.uint8),
            tf.TensorSpec((), tf.string),
        ),
    )
    for index, frames, fault in dataset.prefetch(_CHUNKS_AHEAD).as_numpy_iterator():
        yield int(index), frames, fault.decode(errors="surrogateescape")


def _decode_all(
    clips: Sequence[Clip], frame_format: FrameFormat
) -> Iterator[tuple[int, np.ndarray, str]]:
    no_frames = np.empty((0, frame_format.size, frame_format.size, 3), np.uint8)
    for index, clip in enumerate(clips):
        fault = ""
        try:
            for frames in _grouped(iter_frames(clip.path, frame_format)):
                yield index, frames, ""
        except InputError as error:
            fault = str(error)
        yield index, no_frames, fault


def _grouped(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    group: list[np.ndarray] = []
    for frame in frames:
        group.append(frame)
        if len(group) == _FRAMES_A_CHUNK:
            yield np.stack(group)
            group = []
    if group:
        yield np.stack(group)
