"""Which files a percept store consists of."""

import os
import re
from pathlib import Path

from keras_videolstm.errors import InputError

_SHARD = re.compile(r"shard-(\d{5})-of-(\d{5})\.h5")


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
    path = Path(path)
    return path.is_dir() and any(_SHARD.fullmatch(file.name) for file in path.iterdir())


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
    found = [match for file in path.iterdir() if (match := _SHARD.fullmatch(file.name))]
    counts = sorted({int(match[2]) for match in found})
    if len(counts) != 1:
        raise InputError(
            f"Expected one percept store in files such as shard-00000-of-00008.h5. "
            f"Received: {path}, a folder with {len(counts)} of them"
        )
    files = store_files(path, counts[0]) if counts[0] > 1 else []
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        raise InputError(
            f"Expected {counts[0]} files in {path}. Received: all but {', '.join(missing[:3])}, of "
            f"{len(missing)} in all; the command that was writing it goes on where it stopped"
        )
    return files
