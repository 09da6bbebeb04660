"""Files of a percept store that are being replaced."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from keras_videolstm.files import atomic_path


class OlderFiles:
    """Keeps the files of a folder's store until all that take their place are written.

    When videos are added, others move from file to file. So what stood in a file that is replaced
    already may be wanted for one that is not, in this run or, after a kill, in the next. A kept
    file is a second name of the same bytes, and a copy only where the file system has no such.

    Args:
        store: the folder.

    Example:
        >>> older = OlderFiles(Path("percepts"))
        >>> older.keep([Path("percepts/shard-00000-of-00008.h5")])
        >>> len(older.files)
        1
        >>> older.clear()
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / ".older"

    @property
    def files(self) -> list[Path]:
        """What is kept."""
        return [path for path in sorted(self._folder.glob("*.h5")) if path.name[0] != "."]

    def keep(self, files: Sequence[Path]) -> None:
        """Keep files as they are now; what is kept already is not kept twice.

        Raises:
            OSError: if it cannot be written, such as on a full disk.
        """
        for file in files:
            status = file.stat()
            kept = self._folder / f"{status.st_ino:x}-{status.st_mtime_ns:x}.h5"
            if not kept.exists():
                _link_or_copy(file, kept)

    def clear(self) -> None:
        """Delete all that is kept, and the folder."""
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # never made, or another process writes there
            self._folder.rmdir()


def _link_or_copy(file: Path, kept: Path) -> None:
    with atomic_path(kept) as temporary:
        try:
            os.link(file, temporary)
        except OSError:
            shutil.copy2(file, temporary)
