"""The file that says which video stood in which part of a split."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.files import write_text
from keras_videolstm.training.splits import Split

_NAME = "split.csv"
LEARNED_FROM = ("train", "validation")
"""Parts that a classifier is fitted to, or that say when it is good."""

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


def clips_learned_from(folder: Path, clips: Iterable[str]) -> Counter[str]:
    """Return how many of the clips, by their names, a classifier has learned from, by part.

    Args:
        folder: of the classifier.
        clips: paths; one that is named more than once counts once.

    Example:
        >>> clips_learned_from(Path("classifier"), ["my_videos/hug/1.mp4", "my_videos/hug/2.mp4"])
        Counter({'train': 1, 'validation': 1})
    """
    parts = parts_by_name(folder)
    names = {_last_two(Path(clip)) for clip in clips}
    return Counter(parts[name] for name in names if parts.get(name) in LEARNED_FROM)


def name_of(clip: Path) -> tuple[str, ...]:
    """Return the names of a clip's folder and file, by which it is known elsewhere, too.

    Example:
        >>> name_of(Path("my_videos/hug/1.mp4"))
        ('hug', '1.mp4')
    """
    return _last_two(clip.resolve())


def _last_two(path: Path) -> tuple[str, ...]:
    return path.parts[-2:]
