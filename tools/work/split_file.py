"""The file that says which video stood in which part of a split."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.files import write_text
from keras_videolstm.training.splits import Split

_NAME = "split.csv"

Parts = Mapping[tuple[str, ...], str]
"""Part of a split, by the names of a clip's folder and file."""


def write_split(
    folder: Path, store: PerceptStore, split: Split, drawn: Split | None = None
) -> None:
    """Write `split.csv`: path, label, group and part of each video.

    Args:
        folder: to write it in.
        store: of the videos.
        split: of them all.
        drawn: what of it was used; a video that was left out has the part "unused"; default: all.

    Example:
        >>> write_split(Path("classifier"), store, split, draw_shots(store, split, 4, seed=0))
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "label", "group", "part"])
    for part in ("train", "validation", "test"):
        used = set(getattr(drawn or split, part).tolist())
        for video in getattr(split, part):
            label = store.class_names[store.labels[video]]
            stood = part if video in used else "unused"
            writer.writerow([store.names[video], label, store.groups[video], stood])
    write_text(folder / _NAME, text.getvalue())


def parts_by_name(folder: Path) -> Parts:
    """Return the part that each clip stood in, by `name_of` it; nothing without `split.csv`.

    Parts are "train", "validation", "test" and "unused".

    Example:
        >>> parts_by_name(Path("classifier"))[name_of(Path("my_videos/hug/1.mp4"))]
        'train'
    """
    path = folder / _NAME
    parts: dict[tuple[str, ...], str] = {}
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                parts.setdefault(_last_two(Path(row.get("path", ""))), row.get("part", ""))
    return parts


def name_of(clip: Path) -> tuple[str, ...]:
    """Return the names of a clip's folder and file, by which it is known elsewhere, too.

    Example:
        >>> name_of(Path("my_videos/hug/1.mp4"))
        ('hug', '1.mp4')
    """
    return _last_two(clip.resolve())


def _last_two(path: Path) -> tuple[str, ...]:
    return path.parts[-2:]
