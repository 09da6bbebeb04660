"""Writing files so that a crash or a full disk never leaves half of one."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path` that is renamed to it when the block succeeds.

    The suffix is kept, since writers choose a format by it. On any error the temporary file is
    removed and an older file at `path` stays as it was.

    Args:
        path: the file to write; missing parent folders are made.

    Example:
        >>> with atomic_path("report.json") as temporary:
        ...     _ = temporary.write_text("{}")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write `text` as UTF-8 through a temporary name.

    Example:
        >>> write_text("notes.txt", "forward and back")
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits.

    Example:
        >>> digest = sha256_of("model.weights.h5")
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
