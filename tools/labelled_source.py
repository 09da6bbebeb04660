"""Labelled videos or their percepts, as a command is told where they are."""

from pathlib import Path

from keras_videolstm.data.action_clips import class_names, expand_groups, find_clips
from keras_videolstm.data.store_files import is_sharded_store
from keras_videolstm.data.tfds_clips import is_of_builder
from keras_videolstm.errors import InputError


def is_store(source: Path) -> bool:
    """Whether a path is that of a percept store.

    Example:
        >>> is_store(Path("percepts.h5"))
        True
    """
    return source.suffix == ".h5" or is_sharded_store(source)


def check_same_classes(source: Path, test_source: Path, root: Path | None) -> None:
    """Refuse test videos of other classes, before any percepts are made.

    Args:
        source, test_source: of videos; a store, or what TensorFlow Datasets has prepared, is looked
            at later.
        root: as in `find_clips`.

    Raises:
        InputError: if the classes differ; as `find_clips`.

    Example:
        >>> check_same_classes(Path("my_videos"), Path("other_videos"), root=None)
    """
    if any(is_store(each) or is_of_builder(each) for each in (source, test_source)):
        return
    expected, found = (class_names(find_clips(each, root)) for each in (source, test_source))
    if expected != found:
        raise InputError(
            f"Expected test videos of the classes {', '.join(expected)}. Received: {test_source} "
            f"of {', '.join(found) or 'none'}"
        )


def check_groups(source: Path, root: Path | None, named: str) -> None:
    """Refuse groups that do not occur, before any percepts are made.

    Args:
        source: of the videos; a store is looked at later.
        root: as in `find_clips`.
        named: groups as options name them: `g08-g10,figure03`.

    Raises:
        InputError: if one does not occur; as `find_clips`.

    Example:
        >>> check_groups(Path("my_videos"), root=None, named="kitchen")
    """
    if is_store(source):
        return
    known = {clip.group for clip in find_clips(source, root)}
    unknown = [group for group in expand_groups(group_names(named), known) if group not in known]
    if unknown:
        raise InputError(
            f"Expected groups that occur in {source}: {', '.join(sorted(known)[:30])}. "
            f"Received: {', '.join(unknown)}"
        )


def group_names(text: str) -> list[str]:
    """Return the names, and ranges of names, that an option has.

    Example:
        >>> group_names("g08-g10, figure03")
        ['g08-g10', 'figure03']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def check_classes(source: Path, root: Path | None, parts: int = 1, hint: str = "") -> None:
    """Refuse labelled videos that cannot be learned from, before their percepts are made.

    Args:
        source: of the videos; a store is looked at later.
        root: as in `find_clips`.
        parts: how many parts are to be drawn from each class's sources; default 1.
        hint: how less would do; default: nothing.

    Raises:
        InputError: if there are less than two classes, or less sources of one than parts; as
            `find_clips`.

    Example:
        >>> check_classes(Path("my_videos"), root=None, parts=3)
    """
    if is_store(source):
        return
    clips = find_clips(source, root)
    classes = class_names(clips)
    if len(classes) < 2:
        found = f"videos of the class {classes[0]} alone" if classes else "videos without any"
        raise InputError(
            f"Expected a folder with one sub-folder a class, at least two, or a CSV (path, label, "
            f"group). Received: {source}, {found}"
        )
    for name in classes:
        sources = sorted({clip.group for clip in clips if clip.label == name})
        if len(sources) < parts:
            raise InputError(
                f"Expected at least {parts} sources of the class {name!r}, one for each part"
                f"{hint}. Received: {len(sources)} ({', '.join(sources)}); a CSV's group column "
                "says which files are one source"
            )
