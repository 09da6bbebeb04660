"""Percepts of single videos, kept until a store holds them all."""

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.blocks import refuse_padding
from keras_videolstm.data.percept_file import PerceptFile
from keras_videolstm.errors import InputError

_SUFFIX = ".float32"

Places = Mapping[str, tuple[PerceptFile, int, int]]


class DeletedMeanwhileError(InputError):
    """A file of the folder is gone: another extraction into the same store has ended."""


class KeptPercepts:
    """A folder with one file a video, and the older files of percepts that are to be replaced.

    What is in either need not be extracted again: a killed extraction goes on where it stopped,
    and a store that grows by a video costs that video. A video's key says all that its percepts
    depend on, so nothing here can be out of date. Several processes may use one folder.

    Args:
        folder: of the files; made when the first is written.
        feature_dim: length of one feature vector.
        older: by key, where a video stands in an older file, as `places_in` gives it.
        synonyms: by key, another one under which `older` may have the same video.

    Example:
        >>> kept = KeptPercepts(Path(".s.h5.work"), 3)
        >>> kept.append("0a1b", np.ones((5, 3), "float32"))
        >>> kept.end_video("0a1b")
        >>> kept.read("0a1b").shape
        (5, 3)
    """

    def __init__(
        self,
        folder: Path,
        feature_dim: int,
        older: Places = MappingProxyType({}),
        synonyms: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._folder = folder
        self._feature_dim = feature_dim
        self._older = older
        self._synonyms = synonyms
        self._mine = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._begun: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return self._place(key) is not None or self._file(key).is_file()

    def append(self, key: str, percepts: NDArray[Any]) -> None:
        """Append percepts `(time, features)` to a video that is not at its end yet.

        Raises:
            InputError: if a value is not finite, or a frame is what stands for padding.
            DeletedMeanwhileError: if another process has cleared the folder.
            OSError: if it cannot be written, such as on a full disk.
        """
        percepts = np.asarray(percepts, "<f4")
        if not np.isfinite(percepts).all():
            raise InputError("Expected finite percepts. Received: NaN or infinite values")
        refuse_padding(percepts)
        self._folder.mkdir(parents=True, exist_ok=True)
        # A begun file that is gone is not begun again in the middle of the video.
        with (
            _there(self._unfinished(key)),
            self._unfinished(key).open("r+b" if key in self._begun else "xb") as file,
        ):
            file.seek(0, os.SEEK_END)
            file.write(np.ascontiguousarray(percepts).data)
        self._begun.add(key)

    def end_video(self, key: str) -> None:
        """Keep the video, all of whose percepts have been appended.

        Raises:
            DeletedMeanwhileError: as `append`.
        """
        with _there(self._unfinished(key)):
            self._unfinished(key).replace(self._file(key))
        self._begun.discard(key)

    def discard(self, key: str) -> None:
        """Forget a video that is not at its end."""
        self._unfinished(key).unlink(missing_ok=True)
        self._begun.discard(key)

    def read(self, key: str) -> NDArray[Any]:
        """Return a kept video's percepts `(time, features)`, read from disk as they are used.

        Raises:
            DeletedMeanwhileError: as `append`.
        """
        if place := self._place(key):
            file, first, length = place
            with _there(file.path):
                percepts = file.read(first, length)
                if file.is_replaced:
                    raise FileNotFoundError(file.path)
            return percepts
        with _there(self._file(key)):
            return np.memmap(self._file(key), "<f4", mode="r").reshape(-1, self._feature_dim)

    def clear(self) -> None:
        """Delete all files, and the folder."""
        for path in self._all_files():
            path.unlink(missing_ok=True)
        self._remove_folder()

    def discard_unfinished(self) -> None:
        """Delete what this process did not come to the end of; the rest stays for the next."""
        for path in self._all_files():
            if path.name.endswith(f".{self._mine}"):
                path.unlink(missing_ok=True)
        self._remove_folder()

    def _place(self, key: str) -> tuple[PerceptFile, int, int] | None:
        place = self._older.get(key) or self._older.get(self._synonyms.get(key, ""))
        return place if place and place[0].shape[1] == self._feature_dim else None

    def _remove_folder(self) -> None:
        with suppress(OSError):  # never made, or another process writes there
            self._folder.rmdir()

    def _all_files(self) -> Iterator[Path]:
        return self._folder.glob(f"*{_SUFFIX}*")

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _unfinished(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}.{self._mine}"


def places_in(files: Iterable[PerceptFile]) -> Places:
    """Return, by key, where each video stands that has one: its file, first row, number of rows.

    Example:
        >>> places_in([PerceptFile(Path("s.h5"))])["0a1b"][1:]
        (0, 5)
    """
    return {key: place for file in files for key, place in _keyed_places(file)}


def _keyed_places(file: PerceptFile) -> Iterator[tuple[str, tuple[PerceptFile, int, int]]]:
    lengths = [int(length) for length in file.frame_counts]
    firsts = np.cumsum([0, *lengths])[:-1].tolist()
    for video, first, length in zip(file.metadata["videos"], firsts, lengths, strict=True):
        if key := video.get("key"):
            yield key, (file, first, length)


@contextmanager
def _there(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DeletedMeanwhileError(
            f"Expected one extraction into a store at a time. Received: {path}, which "
            "another has deleted or replaced"
        ) from error
