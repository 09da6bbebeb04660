"""Percepts as the paper's authors kept them, turned into a percept store."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.errors import InputError


def convert_authors_percepts(
    features: str | os.PathLike[str],
    frame_counts: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    class_names: Sequence[str] = (),
    groups: Sequence[str] = (),
    extractor: str = "vgg16_fc6",
    fps: float = 30.0,
) -> PerceptStore:
    """Read the files of `emansim/unsupervised-videos`, and write a store of ours.

    Their HDF5 file has one data set `(total_frames, features)`, videos one after another; a text
    file has each video's number of frames, another one its label, counted from 0, a line a video.

    Args:
        features: the HDF5 file.
        frame_counts: text file of numbers of frames.
        out: store to write.
        labels: text file of labels; default: videos without labels.
        class_names: names of the labels, in their order; default: `"0"`, `"1"`...
        groups: the source of each video, which splits must not divide; default: each its own.
        extractor: what made the percepts; the authors' are fc6 of a VGG net after its ReLU.
        fps: frames a second of their videos; default 30.

    Returns:
        The store.

    Raises:
        InputError: if a file is none of these, or they do not fit each other.

    Example:
        >>> store = convert_authors_percepts(
        ...     "train_features.h5", "train_framenum.txt", "train.h5", labels="train_labels.txt"
        ... )
    """
    counts = _read_numbers(Path(frame_counts), lowest=1)
    numbers = None if labels is None else _read_numbers(Path(labels), lowest=0)
    for name, given in (("labels", numbers), ("groups", groups or None)):
        if given is not None and len(given) != len(counts):
            raise InputError(
                f"Expected {len(counts)} {name}, one for each number in {frame_counts}. "
                f"Received: {len(given)}"
            )
    names = tuple(class_names) or tuple(map(str, range(max(numbers or [-1]) + 1)))
    if numbers and max(numbers) >= len(names):
        raise InputError(
            f"Expected labels below {len(names)}, the number of classes. Received: {max(numbers)}"
        )
    with _open_features(Path(features)) as rows:
        if len(rows) != sum(counts):
            raise InputError(
                f"Expected {sum(counts)} frames, the sum of {frame_counts}. "
                f"Received: {features} with {len(rows)}"
            )
        provenance = {"extractor": extractor, "fps": fps, "fit": "crop", "size": 224}
        with PerceptStoreWriter(out, rows.shape[1], names, provenance) as writer:
            start = 0
            for video, count in enumerate(counts):
                writer.append(rows[start : start + count])
                start += count
                label = "" if numbers is None else names[numbers[video]]
                group = groups[video] if groups else f"video{video:06d}"
                writer.end_video(Clip(Path(f"video{video:06d}"), label, group))
    return PerceptStore(out)


def _read_numbers(path: Path, lowest: int) -> list[int]:
    try:
        numbers = [int(line) for line in path.read_text(encoding="utf-8").split()]
    except (OSError, ValueError) as error:
        raise InputError(f"Expected whole numbers as text. Received: {path} ({error})") from error
    if not numbers or min(numbers) < lowest:
        raise InputError(
            f"Expected numbers of at least {lowest}, one a video. "
            f"Received: {path} with {min(numbers, default='none')}"
        )
    return numbers


@contextmanager
def _open_features(path: Path) -> Iterator[h5py.Dataset]:
    """Open the one data set of an HDF5 file."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"Expected an HDF5 file. Received: {path} ({error})") from error
    with file:
        found = [item for item in file.values() if isinstance(item, h5py.Dataset)]
        if len(found) != 1 or found[0].ndim != 2:
            shapes = [item.shape for item in found]
            raise InputError(
                f"Expected one data set (frames, features). Received: {path} with {shapes}"
            )
        yield found[0]
