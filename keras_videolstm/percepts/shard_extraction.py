"""The extraction of one file of a percept store, from where it stopped."""

import hashlib
import json
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import keras
from numpy.typing import NDArray

from keras_videolstm._version import __version__
from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_file import PerceptFile
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.data.video import FrameFormat
from keras_videolstm.errors import InputError
from keras_videolstm.percepts.decoding import decoded_chunks
from keras_videolstm.percepts.extractor import PerceptExtractor, percepts_by
from keras_videolstm.percepts.kept_percepts import (
    DeletedMeanwhileError,
    KeptPercepts,
    Places,
    places_in,
)

_KEY_DIGITS = 32
_ROWS_AT_A_TIME = 4096


class ShardExtraction:
    """Turns clips into one file of percepts; whole, or not there.

    Args:
        clips: the video files.
        path: the file to write.
        extractor: the extractor, or its class.
        frame_format: how it reads frames.
        class_names: of all clips of the store, which may have more files.
        may_be_empty: whether a file without any video is worth writing.
        older: where percepts stand that are taken over, beside those of the file in the place.
        spellings: by a clip's path, another one of the same file that older files may have.

    Raises:
        InputError: if another file stands in the place.

    Attributes:
        path: the file to write.
        pending: numbers of the clips whose percepts are not kept yet.

    Example:
        >>> part = ShardExtraction(clips, Path("s.h5"), extractor, extractor.frame_format(), ())
        >>> part.run(lambda: extractor, workers=2)
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        path: Path,
        extractor: PerceptExtractor | type[PerceptExtractor],
        frame_format: FrameFormat,
        class_names: tuple[str, ...],
        may_be_empty: bool = False,
        older: Places = MappingProxyType({}),
        spellings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.path = path
        self._clips = clips
        self._may_be_empty = may_be_empty
        self._class_names = class_names
        self._frame_format = frame_format
        self._feature_dim = extractor.feature_dim
        settings = {
            "extractor": extractor.name,
            "fps": frame_format.fps,
            "size": frame_format.size,
            "fit": frame_format.fit,
            "short_side": frame_format.short_side,
        }
        if extractor.version:
            settings["version"] = extractor.version
        self._keys = [_key(clip, settings) for clip in clips]
        named = [[key, c.label, c.group] for key, c in zip(self._keys, clips, strict=True)]
        self._provenance = {
            **settings,
            "versions": {
                "keras_videolstm": __version__,
                "keras": keras.__version__,
                "av": av.__version__,
            },
            "plan": _digest([named, class_names]),
        }
        self._faults: dict[str, str] = {}
        mine = places_in([PerceptFile(path)] if path.exists() else [])
        synonyms = {
            key: _key(clip, settings, spellings[str(clip.path)])
            for key, clip in zip(self._keys, clips, strict=True)
            if str(clip.path) in spellings
        }
        work = path.with_name(f".{path.name}.work")
        # Older files stay as they are; that in the place may be replaced by another process.
        self._kept = KeptPercepts(work, extractor.feature_dim, ChainMap(older, mine), synonyms)
        self.pending = self._not_kept()

    @property
    def pending_clips(self) -> list[Clip]:
        """Clips whose percepts are not kept yet.

        Example:
            >>> ShardExtraction(clips, Path("s.h5"), extractor, frame_format, ()).pending_clips
            [Clip(path=PosixPath('a.mp4'), label='', group='a', place=(0.5, 0.5), flip=False)]
        """
        return [self._clips[index] for index in self.pending]

    @property
    def is_written(self) -> bool:
        """Whether the file is there, of these clips, labels and settings."""
        plan = self._provenance["plan"]
        return self.path.exists() and PerceptFile(self.path).metadata.get("plan") == plan

    def run(
        self,
        extractor: Callable[[], PerceptExtractor],
        *,
        workers: int,
        strict: bool = False,
        count: Callable[[bool, int], None] = lambda ended, frames: None,
    ) -> None:
        """Extract what is pending, and write the file, unless it is there and nothing is new.

        A file that another process has written meanwhile is left as it is.

        Args:
            extractor: makes the extractor; called if there is work for it.
            workers: files decoded at a time.
            strict: stop at the first bad file.
            count: called after every chunk with (whether a clip ended, frames done).

        Raises:
            InputError: under `strict` at the first bad file, or if no file was good.
        """
        written = self.is_written
        if written and not self.pending:
            return
        try:
            if self.pending:
                self._extract(extractor(), workers, strict, count)
            if (written and self._has_new()) or not self.is_written:
                self._write()
        except DeletedMeanwhileError:
            if not self.is_written:
                raise
        finally:
            self._kept.discard_unfinished()
        self._kept.clear()

    def _has_new(self) -> bool:
        return any(self._keys[index] in self._kept for index in self.pending)

    def _not_kept(self) -> list[int]:
        first_of_key = {key: index for index, key in reversed(list(enumerate(self._keys)))}
        return sorted(index for key, index in first_of_key.items() if key not in self._kept)

    def _extract(
        self,
        extractor: PerceptExtractor,
        workers: int,
        strict: bool,
        count: Callable[[bool, int], None],
    ) -> None:
        clips = self.pending_clips
        with closing(decoded_chunks(clips, self._frame_format, workers, extractor.span)) as chunks:
            for number, frames, fault in chunks:
                key, path = self._keys[self.pending[number]], str(clips[number].path)
                wanted = len(frames) and path not in self._faults
                percepts = percepts_by(extractor, frames) if wanted else ()
                if len(percepts):
                    fault = self._append(key, percepts)
                if fault:
                    if strict:
                        raise InputError(fault)
                    self._kept.discard(key)
                    self._faults[path] = fault
                elif not len(frames) and path not in self._faults:
                    self._kept.end_video(key)
                count(not len(frames), len(percepts))

    def _append(self, key: str, percepts: NDArray[Any]) -> str:
        try:
            self._kept.append(key, percepts)
        except DeletedMeanwhileError:
            raise
        except InputError as error:
            return str(error)
        return ""

    def _write(self) -> None:
        good = [
            index
            for index, key in enumerate(self._keys)
            if str(self._clips[index].path) not in self._faults or key in self._kept
        ]
        if not good and not self._may_be_empty:
            fault = next(iter(self._faults.values()))
            raise InputError(f"Expected at least one readable video. {fault}")
        provenance = {**self._provenance, "skipped": list(self._faults.items())}
        with PerceptStoreWriter(
            self.path, self._feature_dim, self._class_names, provenance
        ) as writer:
            for index in good:
                percepts = self._kept.read(self._keys[index])
                for start in range(0, len(percepts), _ROWS_AT_A_TIME):
                    writer.append(percepts[start : start + _ROWS_AT_A_TIME])
                writer.end_video(self._clips[index], self._keys[index])


def _key(clip: Clip, settings: dict[str, Any], spelling: str | None = None) -> str:
    """Return what a video's percepts depend on, as hexadecimal digits."""
    try:
        status = clip.path.stat()
        stamp = [status.st_size, status.st_mtime_ns]
    except (OSError, ValueError):
        stamp = []
    content = [spelling or str(clip.path), stamp, clip.place, clip.flip, settings]
    if clip.untimed_fps is not None:
        content.append(clip.untimed_fps)
    return _digest(content)[:_KEY_DIGITS]


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
