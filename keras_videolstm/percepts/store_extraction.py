"""The extraction of a whole percept store, of one file or several."""

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from keras_videolstm.data.action_clips import Clip, class_names, resolved_path
from keras_videolstm.data.percept_file import PerceptFile
from keras_videolstm.data.store_files import discard_stale_parts, shards_in, store_files
from keras_videolstm.errors import InputError
from keras_videolstm.percepts.extractor import PerceptExtractor
from keras_videolstm.percepts.kept_percepts import Places, places_in
from keras_videolstm.percepts.named_extractors import known_extractor
from keras_videolstm.percepts.older_files import OlderFiles
from keras_videolstm.percepts.shard_extraction import ShardExtraction


class StoreExtraction:
    """What is to be done for a store, cut into its files; may be sent to other machines.

    Videos are dealt to files in their order, alike many to each. `prepare` comes before the parts,
    which may run in any order, at a time, and again, and `finish` after them.

    Args:
        clips: the video files of the whole store.
        store, extractor, fps, fit, shards: as in `extract`.

    Raises:
        InputError: if there are fewer clips than files, or the extractor is unknown.

    Example:
        >>> whole = StoreExtraction(find_clips("videos"), "store", "patches", shards=8)
        >>> whole.prepare()
        >>> whole.part(3).path.name
        'shard-00003-of-00008.h5'
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        store: str | os.PathLike[str],
        extractor: PerceptExtractor | str,
        *,
        fps: float | None = None,
        fit: str = "crop",
        shards: int = 1,
    ) -> None:
        if not 1 <= shards <= len(clips):
            raise InputError(
                f"Expected 1 to {len(clips)} shards, for as many videos. Received: {shards}"
            )
        self._clips = list(clips)
        self._class_names = class_names(clips)
        self._store = Path(store)
        self._extractor = extractor
        self._fps = fps
        self._fit = fit
        self._files = store_files(store, shards)
        self._older: list[Path] = []
        self._spellings: dict[str, str] = {}
        self._known_extractor().frame_format(fps, fit)  # refused here, not first on a worker

    def prepare(self) -> None:
        """Find what is there already, and keep it until `finish`."""
        there = files_there(self._store)
        self._spellings = _other_spellings(self._clips, there)
        if len(self._files) == 1 or not there:
            return
        older = OlderFiles(self._store)
        parts = [self._part(number, {}) for number in self.numbers if self._files[number].exists()]
        older.keep([part.path for part in parts if not part.is_written])
        self._older = [*older.files, *self._files_of_other_number()]

    @property
    def numbers(self) -> range:
        """Numbers of the parts."""
        return range(len(self._files))

    def part(self, number: int) -> ShardExtraction:
        """Return the work on one file, as much of it as is left."""
        return self._part(number, self._older_places)

    def _part(self, number: int, older: Places) -> ShardExtraction:
        places = np.array_split(np.arange(len(self._clips)), len(self._files))[number]
        known = self._known_extractor()
        return ShardExtraction(
            [self._clips[place] for place in places],
            self._files[number],
            known,
            known.frame_format(self._fps, self._fit),
            self._class_names,
            may_be_empty=len(self._files) > 1,
            older=older,
            spellings=self._spellings,
        )

    def finish(self) -> None:
        """Delete what was kept, and files of another number; all parts have been run."""
        discard_stale_parts(self._files)
        if len(self._files) == 1:
            return
        for file in self._files_of_other_number():
            file.unlink(missing_ok=True)
        OlderFiles(self._store).clear()

    @cached_property
    def _older_places(self) -> Places:
        return places_in(PerceptFile(path) for path in self._older)

    def _known_extractor(self) -> PerceptExtractor | type[PerceptExtractor]:
        known = self._extractor
        return known_extractor(known) if isinstance(known, str) else known

    def _files_of_other_number(self) -> list[Path]:
        found = shards_in(self._store)
        return [file for count in found if count != len(self._files) for file in found[count]]


def files_there(store: str | os.PathLike[str]) -> list[PerceptFile]:
    """Return what is there of a store: its file or files, all or not, and what replacing keeps.

    Raises:
        InputError: if a file cannot be read.

    Example:
        >>> [file.shape for file in files_there("percepts.h5")]
        [(1220, 1280)]
    """
    store = Path(store)
    if store.is_file():
        return [PerceptFile(store)]
    shards = [path for files in shards_in(store).values() for path in files]
    return [PerceptFile(path) for path in [*shards, *OlderFiles(store).files]]


def _other_spellings(clips: Iterable[Clip], there: Iterable[PerceptFile]) -> dict[str, str]:
    """Return, by paths of clips, how a store that is there spells the path of the same file."""
    given = {str(clip.path) for clip in clips}
    names = {video["path"] for file in there for video in file.metadata["videos"]} - given
    spelled = {resolved_path(name): name for name in names}
    files = {path: resolved_path(path) for path in given} if names else {}
    return {path: spelled[file] for path, file in files.items() if file in spelled}
