"""Labelled video files: which clip shows which action, and which source it was cut from."""

import csv
import dataclasses
import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_videolstm.data.tfds_clips import is_of_builder, labelled_examples
from keras_videolstm.data.video import CENTRE, VIDEO_SUFFIXES
from keras_videolstm.errors import InputError

_COLUMNS = ("path", "label", "group")
# UCF-101 (v_Archery_g08_c02.avi), HMDB-51 (Nemo_clap_u_nm_np1_fr_med_0.avi: source and class, then
# body, camera, people, view, quality) and our own figures (figure03_clip1.mp4) name their source.
_GROUP_IN_NAME = (
    re.compile(r"_(g\d+)_c\d+$"),
    re.compile(r"^(.+)_[a-z]_[a-z]{2}_np\d+_[a-z]{2}_[a-z]{3}_\d+$"),
    re.compile(r"^(.+)_clip\d+$"),
)


@dataclass(frozen=True)
class Clip:
    """One video file.

    Attributes:
        path: the file.
        label: name of its class, `""` where unlabelled.
        group: name of the source it was cut from (a video, an actor). Clips of one group never
            stand on both sides of a split.
        place, flip, untimed_fps: how it is looked at, as in `FrameFormat`.
    """

    path: Path
    label: str
    group: str
    place: tuple[float, float] = CENTRE
    flip: bool = False
    untimed_fps: float | None = None


def class_names(clips: Iterable[Clip]) -> tuple[str, ...]:
    """Return the sorted names of the classes that occur, the order of label numbers.

    Example:
        >>> class_names([Clip(Path("b.mp4"), "walk", "b"), Clip(Path("a.mp4"), "run", "a")])
        ('run', 'walk')
    """
    return tuple(sorted({clip.label for clip in clips if clip.label}))


def resolved_path(path: str | os.PathLike[str]) -> str:
    """Return the one name of a clip's file, however its path is spelled.

    Example:
        >>> resolved_path("/videos/../videos/a.mp4")
        '/videos/a.mp4'
    """
    if is_of_builder(path):
        return os.fspath(path)
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # a NUL in it
        return os.fspath(path)


def views_of(
    clips: Sequence[Clip], *, crops: int = 1, flips: bool = False, seed: int = 0
) -> list[Clip]:
    """Return each clip as often as it is to be looked at.

    The first crop is central; further ones are drawn for each clip by `seed`, and stay in place
    through the clip. Every view keeps its clip's path, label and group.

    Args:
        clips: the video files.
        crops: views of each clip that differ in place.
        flips: whether each crop is also taken with left and right exchanged.
        seed: of the places.

    Raises:
        InputError: if `crops` is not positive.

    Example:
        >>> [view.flip for view in views_of([Clip(Path("a.mp4"), "walk", "a")], flips=True)]
        [False, True]
    """
    if crops < 1:
        raise InputError(f"Expected at least one crop. Received: crops={crops}")
    views = []
    for number, clip in enumerate(clips):
        places = np.random.default_rng((seed, number)).random((crops - 1, 2)).tolist()
        for place in (CENTRE, *map(tuple, places)):
            view = dataclasses.replace(clip, place=place)
            views += [view, dataclasses.replace(view, flip=True)] if flips else [view]
    return views


def find_clips(
    source: str | os.PathLike[str], root: str | os.PathLike[str] | None = None
) -> list[Clip]:
    """List the clips of a data set on disk.

    Args:
        source: a folder with one sub-folder a class; a CSV with the columns path, label and
            (optionally) group; a folder of unlabelled videos; one video file; or `tfds:` and the
            name of a builder of TensorFlow Datasets, as `labelled_examples` takes it.
        root: folder that a CSV's paths are relative to, and which they may not leave, by links
            neither, as whoever wrote the CSV may name any file; default: the CSV's own folder.
            Links in a folder are followed.

    Returns:
        Clips in a stable order (by path for a folder, as listed for a CSV). Without a group
        column the group is read from names as in UCF-101 and HMDB-51, or SOURCE_clip3.mp4, and else
        is the file's own: its name without suffix, in a folder the path below the class's. So
        `hug/anna.mp4` and `kick/anna.mp4` are of one source. A clip of TensorFlow Datasets, which
        has no name, is its own.

    Raises:
        InputError: if there is nothing there, a column is missing, or a path leaves `root`.

    Example:
        >>> clips = find_clips("my_videos")  # my_videos/walk/a.mp4, my_videos/run/b.avi, ...
    """
    if is_of_builder(source):
        return [_of_builder(path, label) for path, label in labelled_examples(source)]
    source = Path(source)
    if not source.exists():
        raise InputError(
            f"Expected a folder of videos, a CSV or a video file. "
            f"Received: {source}, which does not exist"
        )
    if source.suffix.lower() == ".csv":
        return _clips_of_csv(source, Path(root) if root else source.parent)
    clips = _clips_of_folder(source) if source.is_dir() else [_unlabelled(source)]
    if not clips:
        raise InputError(
            f"Expected video files ({', '.join(VIDEO_SUFFIXES)}) in {source}, either in one "
            f"sub-folder a class or side by side. Received: a folder without any"
        )
    return clips


def _clips_of_folder(folder: Path) -> list[Clip]:
    videos = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir()
    )
    return [_labelled_by_folder(path, folder) for path in videos]


def _labelled_by_folder(path: Path, folder: Path) -> Clip:
    label, *below = path.relative_to(folder).parts
    if not below:
        return _unlabelled(path)
    return Clip(path, label, _group_of(path, "/".join([*below[:-1], path.stem])))


def _of_builder(path: Path, label: str) -> Clip:
    return Clip(path, label, _group_of_example(path))


def _group_of_example(path: Path) -> str:
    return os.fspath(path).rpartition("@")[2].replace("/", "-")


def _unlabelled(path: Path) -> Clip:
    return Clip(path, "", _group_of(path, path.stem))


def _group_of(path: Path, of_file: str) -> str:
    for pattern in _GROUP_IN_NAME:
        found = pattern.search(path.stem)
        if found and found.group(1) != path.parent.name:  # kick/kick_clip1.mp4 names no source
            return found.group(1).removesuffix(f"_{path.parent.name}")
    return of_file


def is_its_own_source(name: str, group: str) -> bool:
    """Whether a clip's group is that of its file alone, as nothing has told its source.

    Args:
        name: path of the clip.
        group: of the clip.

    Example:
        >>> is_its_own_source("hug/3.mp4", "3"), is_its_own_source("hug/3.mp4", "kitchen")
        (True, False)
    """
    if is_of_builder(name):
        return group == _group_of_example(Path(name))
    return group.rpartition("/")[2] == Path(name).stem


def _clips_of_csv(source: Path, root: Path) -> list[Clip]:
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"Expected a CSV in UTF-8. Received: {source} ({error})") from error
    if "path" not in columns:
        raise InputError(
            f"Expected a CSV with a header naming {', '.join(_COLUMNS)}. "
            f"Received: {source} with the columns {', '.join(columns) or '(none)'}"
        )
    if not rows:
        raise InputError(f"Expected at least one clip. Received: {source}, which lists none")
    return [_clip_of_row(row, line, source, root) for line, row in enumerate(rows, start=2)]


def _clip_of_row(row: dict[str, str], line: int, source: Path, root: Path) -> Clip:
    relative = (row["path"] or "").strip()
    path = root / relative
    if not relative or not _is_below(path, root):
        linked = ""
        if relative and path.is_symlink():
            linked = (
                ", a link that leads elsewhere; name the file itself, with --root a folder above it"
            )
        raise InputError(
            f"Expected a path below {root} in line {line} of {source} (another root is given by "
            f"--root). Received: {relative!r}{linked}"
        )
    group = (row.get("group") or "").strip() or _group_of(path, path.stem)
    return Clip(path, (row.get("label") or "").strip(), group)


def _is_below(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError):  # a NUL in it, a loop of links
        return False


def expand_groups(names: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Expand ranges such as `g08-g12` into single group names.

    Args:
        names: of groups, and ranges.
        known: names that occur; one that looks like a range is none, but a name, and of a range
            those are taken that occur, zeros before a number or not, or all where none does.

    Example:
        >>> expand_groups(["g08-g10", "1-1"], known=["g08", "g09", "g10", "1-1"])
        ('g08', 'g09', 'g10', '1-1')
    """
    expanded: list[str] = []
    for name in names:
        expanded.extend([name] if name in known else _of_range(name, known))
    return tuple(expanded)


def _of_range(name: str, known: Collection[str]) -> list[str]:
    found = re.fullmatch(r"(\D*)(\d+)-(\D*)(\d+)", name)
    if not found or found[1] != found[3] or int(found[2]) > int(found[4]):
        return [name]
    prefix, width = found[1], len(found[2])
    numbers = range(int(found[2]), int(found[4]) + 1)
    numbered = re.compile(rf"{re.escape(prefix)}(\d+)")
    present = {
        (int(number[1]), group)
        for group in known
        if (number := numbered.fullmatch(group)) and int(number[1]) in numbers
    }
    every = [f"{prefix}{number:0{width}d}" for number in numbers]
    return [group for _, group in sorted(present)] or every
