"""Which files a percept store consists of."""

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from keras_videolstm.errors import InputError

_SHARD = re.compile(r"shard-(\d{5})-of-(\d{5})\.h5")

# No store takes so long to write: its temporary file is what a kill has left.
_STALE_SECONDS = 24 * 3600


def store_files(path: str | os.PathLike[str], shards: int) -> list[Path]:
    """Return the files of a store at `path`: itself, or the shards of a folder.

    Example:
        >>> store_files("percepts", 2)[1].name
        'shard-00001-of-00002.h5'
    """
    path = Path(path)
    if shards == 1:
        return [path]
    return [path / f"shard-{number:05d}-of-{shards:05d}.h5" for number in range(shards)]


def is_sharded_store(path: str | os.PathLike[str]) -> bool:
    """Tell whether a folder holds files of a percept store.

    Example:
        >>> is_sharded_store("my_videos")
        False
    """
    return bool(shards_in(path))


def shards_in(path: str | os.PathLike[str]) -> dict[int, list[Path]]:
    """Return the files of percept stores in a folder, by how many files such a store has.

    Example:
        >>> [len(files) for files in shards_in("percepts").values()]
        [8]
    """
    path = Path(path)
    found: dict[int, list[Path]] = {}
    for file in sorted(path.iterdir()) if path.is_dir() else []:
        if match := _SHARD.fullmatch(file.name):
            found.setdefault(int(match[2]), []).append(file)
    return found


def files_of_store(path: Path) -> list[Path]:
    """Return the files of a store that is there: itself, or all shards of a folder.

    Raises:
        InputError: if a folder holds no store, several, or not all files of one.

    Example:
        >>> len(files_of_store(Path("percepts")))
        8
    """
    if not path.is_dir():
        return [path]
    found = shards_in(path)
    if len(found) > 1:
        raise InputError(_several_stores(path, found))
    if not found:
        raise InputError(
            f"Expected a percept store in files such as shard-00000-of-00008.h5. "
            f"Received: {path}, a folder without any"
        )
    (count,) = found
    files = store_files(path, count) if count > 1 else []
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        raise InputError(
            f"Expected {count} files in {path}. Received: all but {', '.join(missing[:3])}, of "
            f"{len(missing)} in all; the command that was writing it goes on where it stopped"
        )
    return files


def discard_stale_parts(files: Sequence[Path]) -> None:
    """Delete what killed processes have left of files of a store that they were writing.

    Files are left that are younger than a day, as another process may be writing them.

    Args:
        files: of the store.

    Example:
        >>> discard_stale_parts(store_files("percepts", 8))
    """
    names = {file.name for file in files}
    for part in files[0].parent.glob(".*.part"):
        name = part.name.removeprefix(".").removesuffix(".part").rpartition(".")[0]
        with suppress(FileNotFoundError):  # another process was faster
            if name in names and time.time() - part.stat().st_mtime > _STALE_SECONDS:
                part.unlink()


def _several_stores(path: Path, found: dict[int, list[Path]]) -> str:
    """Return a sentence on a folder with files of several stores, of which one is to be kept."""
    ages = {
        count: (len(files) == count, max(file.stat().st_mtime_ns for file in files))
        for count, files in found.items()
    }
    spare = sorted(ages, key=lambda count: ages[count])[:-1]
    held = [f"{len(found[count])} of {count} {_pattern(count)}" for count in sorted(found)]
    return (
        f"Expected the files of one percept store. Received: {path} with {' and '.join(held)}; "
        f"delete {' and '.join(map(_pattern, spare))}, unless they are what you want, or run the "
        "command again that was writing there"
    )


def _pattern(count: int) -> str:
    return f"shard-*-of-{count:05d}.h5"
