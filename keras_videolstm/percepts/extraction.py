"""Video files to a percept store, one bad file never stopping the rest."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.video import FrameFormat, declared_frames
from keras_videolstm.errors import InputError
from keras_videolstm.percepts.decoding import frame_chunks
from keras_videolstm.percepts.extractor import PerceptExtractor, percepts_by
from keras_videolstm.percepts.named_extractors import get_extractor
from keras_videolstm.percepts.store_extraction import StoreExtraction
from keras_videolstm.percepts.usable_cores import usable_cores

_MOST_WORKERS = 8

# So many files tell how many frames all have.
_LOOKED_AT = 500

Progress = Callable[[int, int, int, int], None]


@dataclass
class ExtractionReport:
    """What an extraction did.

    Attributes:
        videos: number of videos in the store.
        frames: number of frames in the store.
        new_frames: those of them that were not kept from before.
        seconds: wall time.
        skipped: path and reason of each file left out.
    """

    videos: int = 0
    frames: int = 0
    new_frames: int = 0
    seconds: float = 0.0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of_store(cls, store: PerceptStore) -> "ExtractionReport":
        """Return what a complete store says of itself.

        Raises:
            InputError: if no video is in it.
        """
        if not len(store):
            fault = store.skipped[0][1]
            raise InputError(f"Expected at least one readable video. {fault}")
        return cls(videos=len(store), frames=store.shape[0], skipped=store.skipped)

    @property
    def frames_per_second(self) -> float:
        """Throughput of decoding and convnet together."""
        return self.new_frames / self.seconds if self.seconds else 0.0


def extract(
    clips: Sequence[Clip],
    store: str | os.PathLike[str],
    extractor: PerceptExtractor | str,
    *,
    fps: float | None = None,
    fit: str = "crop",
    shards: int = 1,
    workers: int | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> ExtractionReport:
    """Write the percepts of clips into a store.

    Files that are corrupt, empty or truncated are left out and named in the report. Videos are
    kept one by one in a folder beside the store until it is complete: called again after a kill,
    it goes on with the next video. What an older store at that place holds of the same files
    (path, size and time of change) and settings is taken over, so that a second call does nothing
    but to try files again that were bad, and a data set that has grown costs its new videos only,
    whatever files of the store its videos move to. Until all files are written, those that they
    replace take room on the disk beside them. A store of another number of files in the same
    folder is replaced.

    Args:
        clips: the video files.
        store: the percept store to write; it appears when all is done.
        extractor: maps frames to vectors; by its name it is loaded only if there is work for it.
        fps: frames a second after resampling; `None` keeps each file's own.
        fit: `"crop"` or `"pad"`, as in `FrameFormat`.
        shards: number of files; with more than one the store is a folder of them.
        workers: files decoded at a time; default: the number of cores, 8 at most.
        strict: stop at the first bad file instead.
        progress: called after every chunk with (new clips done, new clips in all, frames done,
            frames in all, about, by what files declare).

    Returns:
        The report.

    Raises:
        InputError: at the first bad file under `strict`, or if no file at all was good.

    Example:
        >>> from keras_videolstm.data.action_clips import find_clips
        >>> report = extract(find_clips("videos"), "videos.h5", "efficientnet_lite0", fps=15)
        >>> report.frames, report.skipped
        (1220, [])
    """
    if not clips:
        raise InputError("Expected at least one clip. Received: none")
    started = time.perf_counter()
    whole = StoreExtraction(clips, store, extractor, fps=fps, fit=fit, shards=shards)
    whole.prepare()
    parts = [whole.part(number) for number in whole.numbers]
    pending = [clip for part in parts for clip in part.pending_clips]
    expected = _expected_frames(pending, fps) if progress else 0
    done = new_frames = 0

    def count(ended: bool, frames: int) -> None:
        nonlocal done, new_frames
        done, new_frames = done + ended, new_frames + frames
        if progress:
            progress(done, len(pending), new_frames, expected)

    for part in parts:
        part.run(
            lambda: get_extractor(extractor) if isinstance(extractor, str) else extractor,
            workers=workers or min(usable_cores(), _MOST_WORKERS),
            strict=strict,
            count=count,
        )
    whole.finish()
    report = ExtractionReport.of_store(PerceptStore(store))
    report.new_frames, report.seconds = new_frames, time.perf_counter() - started
    return report


def _expected_frames(clips: Sequence[Clip], fps: float | None) -> int:
    """Return about how many frames clips have, from an even choice of them."""
    looked_at = clips[:: len(clips) // _LOOKED_AT + 1]
    frames = sum(declared_frames(clip.path, fps) for clip in looked_at)
    return round(frames * len(clips) / max(len(looked_at), 1))


def clip_percepts(
    path: str | os.PathLike[str], extractor: PerceptExtractor, frame_format: FrameFormat
) -> NDArray[Any]:
    """Return the percepts `(time, features)` of one video file, `span - 1` less than its frames.

    Args:
        path: the video.
        extractor: maps frames to vectors.
        frame_format: as `extractor.frame_format(fps, fit)` gives it.

    Raises:
        InputError: if the file cannot be read to its end, or has too few frames for a percept.

    Example:
        >>> from keras_videolstm.percepts import get_extractor
        >>> extractor = get_extractor("efficientnet_lite0")
        >>> clip_percepts("clip.mp4", extractor, extractor.frame_format(fps=15)).shape
        (87, 1280)
    """
    chunks = frame_chunks(path, frame_format, extractor.span)
    return np.concatenate([percepts_by(extractor, frames) for frames in chunks])
