"""Writing files so that a crash or a full disk never leaves half of one."""

import hashlib
import io
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What libraries raise on a file of ours that was truncated or changed."""


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
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
    # Threads and machines that share a folder write beside each other.
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(8)}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 through a temporary name.

    Example:
        >>> write_text("notes.txt", "forward and back")
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


class LateErrorFile(io.RawIOBase):
    """A file to write HDF5 into that keeps a failed write for `check` instead of raising it.

    On a full disk HDF5 itself ends the whole process, long after, with a segmentation fault.

    Args:
        path: of the file; an older one is replaced.

    Example:
        >>> disk = LateErrorFile(Path("numbers.h5"))
        >>> with h5py.File(disk, "w") as file:
        ...     file["numbers"] = [1, 2, 3]
        >>> disk.close()
        >>> disk.check()
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the error of the first write that failed, if one did."""
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror, str(self._path))

    def write(self, data: bytes | memoryview) -> int:
        """Write, or after a failure only say so."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while len(left) and self._error is None:
                left = left[self._file.write(left) :]
        except OSError as error:
            self._error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the length, as `write`."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer."""
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def close(self) -> None:
        """Close."""
        self._file.close()
        super().close()


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits.

    Example:
        >>> digest = sha256_of("model.weights.h5")
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
