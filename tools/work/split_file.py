"""The file that says which video stood in which part of a split."""

import csv
import io
from pathlib import Path

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.files import write_text
from keras_videolstm.training.splits import Split

_NAME = "split.csv"


def write_split(folder: Path, store: PerceptStore, split: Split) -> None:
    """Write `split.csv`: path, label, group and part of each video.

    Example:
        >>> write_split(Path("classifier"), store, split)
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "label", "group", "part"])
    for part in ("train", "validation", "test"):
        for video in getattr(split, part):
            label = store.class_names[store.labels[video]]
            writer.writerow([store.names[video], label, store.groups[video], part])
    write_text(folder / _NAME, text.getvalue())


def part_of(folder: Path, clip: Path) -> str | None:
    """Return the part that a clip stood in, by the names of its file and folder.

    Returns:
        "train", "validation", "test", or `None`, also where there is no `split.csv`.

    Example:
        >>> part_of(Path("classifier"), Path("my_videos/hug/1.mp4"))
        'train'
    """
    path = folder / _NAME
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if Path(row.get("path", "")).parts[-2:] == clip.resolve().parts[-2:]:
                return row.get("part")
    return None
