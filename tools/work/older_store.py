"""What `extract` would lose of a store that is there."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from keras_videolstm.data.action_clips import Clip, resolved_path
from keras_videolstm.data.percept_file import PerceptFile
from keras_videolstm.data.video import CENTRE
from keras_videolstm.errors import InputError
from keras_videolstm.percepts.older_files import OlderFiles
from keras_videolstm.percepts.store_extraction import files_there
from keras_videolstm_tools.counted import counted

# By file and whether it is flipped, where one looks.
_Views = dict[tuple[str, bool], set[tuple[float, ...]]]


def check_nothing_lost(out: Path, views: Sequence[Clip], settings: dict[str, Any]) -> None:
    """Refuse to lose what an older store holds, which may have cost hours.

    Args:
        out: the store.
        views: of the clips that it will hold.
        settings: what all its percepts have in common.

    Raises:
        InputError: if something would be lost.

    Example:
        >>> check_nothing_lost(Path("new.h5"), views, {"extractor": "patches", "fps": 15})
    """
    try:
        files = files_there(out)
    except InputError:  # it is no store, which is told later
        return
    videos = [video for file in files for video in file.metadata["videos"]]
    for key, value in settings.items():
        _check_setting(out, [file.metadata for file in files], key, value)
    # Stores of earlier versions do not say it.
    told = [video for video in videos if "untimed_fps" in video]
    _check_setting(out, told, "untimed_fps", views[0].untimed_fps)
    _check_videos(out, {video["path"] for video in videos}, views)
    _check_views(out, files, views)


def _check_setting(
    out: Path, held: Iterable[dict[str, Any]], key: str, value: float | str | None
) -> None:
    for each in held:
        if each.get(key) != value:
            raise InputError(
                f"Expected percepts with {key}={each.get(key)!r}, as {out} holds them, "
                f"another --out, or --overwrite. Received: {key}={value!r}"
            )


def _check_videos(out: Path, names: set[str], views: Sequence[Clip]) -> None:
    gone = names - {str(view.path) for view in views}
    if gone:
        given = {resolved_path(view.path) for view in views}
        gone = {name for name in gone if resolved_path(name) not in given}
    if gone:
        raise InputError(
            f"Expected all videos that {out} holds among those that are given, as it will hold "
            f"what is given alone, another --out, or --overwrite. Received: without "
            f"{counted(len(gone), 'video')}, such as {_from_here(min(gone))}"
        )


def _check_views(out: Path, files: Sequence[PerceptFile], views: Sequence[Clip]) -> None:
    # While a store is written anew, two files may hold one clip, at places drawn anew.
    groups = [[file] for file in files] if OlderFiles(out).files else [files]
    new = _given_views(views)
    for group in groups:
        old = _held_views(group)
        lost = sum(max(0, len(places) - len(new.get(view, ()))) for view, places in old.items())
        if lost:
            raise InputError(
                f"Expected {_in_options(old)} or more, as {out} holds its videos, another --out, "
                f"or --overwrite. Received: {_in_options(new)}, which loses "
                f"{counted(lost, 'view')} of {counted(sum(map(len, old.values())), 'view')}"
            )


def _held_views(files: Iterable[PerceptFile]) -> _Views:
    held: _Views = {}
    for video in (video for file in files for video in file.metadata["videos"]):
        view = (resolved_path(video["path"]), video.get("flip", False))
        held.setdefault(view, set()).add(tuple(video.get("place", CENTRE)))
    return held


def _given_views(clips: Iterable[Clip]) -> _Views:
    given: _Views = {}
    for clip in clips:
        given.setdefault((resolved_path(clip.path), clip.flip), set()).add(clip.place)
    return given


def _in_options(views: _Views) -> str:
    flips = " --flips" if any(flip for _, flip in views) else ""
    return f"--crops {max(map(len, views.values()))}{flips}"


def _from_here(name: str) -> str:
    """Return the name of a file and, where it is relative, which one it is here."""
    found = resolved_path(name)
    return name if found == name or Path(name).is_absolute() else f"{name} (from here {found})"
