"""Small percept stores made in a test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter

PROVENANCE = {"extractor": "toy", "fps": 15, "fit": "crop", "size": 32}


def write_store(
    path: Path,
    videos: Sequence[tuple[np.ndarray, str, str]],
    provenance: dict = PROVENANCE,
) -> PerceptStore:
    """Write videos given as (percepts, label or "", group)."""
    names = tuple(sorted({label for _, label, _ in videos if label}))
    with PerceptStoreWriter(path, videos[0][0].shape[1], names, provenance) as writer:
        for number, (percepts, label, group) in enumerate(videos):
            writer.append(percepts)
            writer.end_video(Clip(Path(f"video{number}.mp4"), label, group))
    return PerceptStore(path)


def numbered_store(path: Path, lengths: Sequence[int], features: int = 4) -> PerceptStore:
    """Write videos whose percepts say where they stand: (video, frame, ...), unlabelled."""
    videos = []
    for number, length in enumerate(lengths):
        percepts = np.zeros((length, features), "float32")
        percepts[:, 0], percepts[:, 1] = number, np.arange(length)
        videos.append((percepts, "", f"g{number:02d}"))
    return write_store(path, videos)


def toy_actions(
    path: Path, groups: int = 5, length: int = 20, features: int = 4, seed: int = 0
) -> PerceptStore:
    """Write two classes that a line separates, one video a class and group."""
    rng = np.random.default_rng(seed)
    videos = []
    for group in range(groups):
        for sign, label in ((1, "run"), (-1, "walk")):
            percepts = rng.normal(0, 0.3, (length, features)) + sign
            videos.append((percepts.astype("float32"), label, f"g{group:02d}"))
    return write_store(path, videos)
