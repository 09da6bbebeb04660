"""Labelled videos or their percepts, as a command is told where they are."""

from pathlib import Path

from keras_videolstm.data.action_clips import class_names, find_clips
from keras_videolstm.data.store_files import is_sharded_store
from keras_videolstm.errors import InputError


def is_store(source: Path) -> bool:
    """Whether a path is that of a percept store.

    Example:
        >>> is_store(Path("percepts.h5"))
        True
    """
    return source.suffix == ".h5" or is_sharded_store(source)


def check_classes(source: Path, root: Path | None) -> None:
    """Refuse labelled videos of less than two classes before their percepts are made.

    Raises:
        InputError: if there are less; as `find_clips`.

    Example:
        >>> check_classes(Path("my_videos"), root=None)
    """
    if is_store(source):
        return
    classes = class_names(find_clips(source, root))
    if len(classes) < 2:
        found = f"videos of the class {classes[0]} alone" if classes else "videos without any"
        raise InputError(
            f"Expected a folder with one sub-folder a class, at least two, or a CSV (path, label, "
            f"group). Received: {source}, {found}"
        )
