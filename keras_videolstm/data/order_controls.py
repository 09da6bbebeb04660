"""Actions that only time tells apart, made from any videos: what a single frame cannot name."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.choices import CONTROLS as CONTROLS
from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.errors import InputError

_STEPS = 16
_SPEEDS = {"slow": 1, "twice": 2, "four_times": 4}
_SEGMENTS, _SEGMENT_STEPS = 3, 5
_ORDERS = list(itertools.permutations(range(_SEGMENTS)))
_MARK = "#"
_KEPT = ("extractor", "version", "fps", "size", "fit", "short_side")

Versions = Iterator[tuple[str, NDArray[Any]]]


def write_order_control(
    store: PerceptStore, path: str | os.PathLike[str], control: str
) -> PerceptStore:
    """Write a store in which each video stands once in every class, told apart by time alone.

    Controls:

    - `"direction"`: 16 frames spread evenly over the whole video, played forwards or backwards;
    - `"speed"`: 16 frames around its middle, played slowly (every frame), twice or four times as
      fast (every second, every fourth frame);
    - `"segments"`: five frames each of its beginning, middle and end, in one of six orders.

    In direction and segments all classes have the very same frames, so that a classifier of single
    frames is right by chance alone. Sources are kept: a video's versions stay on one side of a
    split. Videos that are too short are left out.

    Args:
        store: percepts of any videos, labelled or not.
        path: of the store to write.
        control: `"direction"`, `"speed"` or `"segments"`.

    Returns:
        The new store.

    Raises:
        InputError: if the control is unknown, or every video is too short.

    Example:
        >>> control = write_order_control(PerceptStore("ucf.h5"), "direction.h5", "direction")
        >>> control.class_names, len(control)
        (('backwards', 'forwards'), 2132)
    """
    if control not in _CONTROLS:
        raise InputError(f"Expected one of {', '.join(_CONTROLS)}. Received: {control!r}")
    needed, versions = _CONTROLS[control]
    long_enough = np.flatnonzero(store.frame_counts >= needed)
    if not len(long_enough):
        raise InputError(
            f"Expected a video of at least {needed} frames. Received: {store.path} with "
            f"{max(store.frame_counts, default=0)} at most"
        )
    classes = tuple(sorted(name for name, _ in versions(np.zeros((needed, 1)))))
    provenance = {key: store.metadata.get(key) for key in _KEPT} | {"control": control}
    with PerceptStoreWriter(path, store.feature_dim, classes, provenance) as writer:
        for video in long_enough:
            for name, percepts in versions(store.read(video)):
                writer.append(percepts)
                clip_path = Path(f"{store.names[video]}{_MARK}{name}")
                writer.end_video(Clip(clip_path, name, store.groups[video]))
    return PerceptStore(path)


def original_names(control: PerceptStore) -> NDArray[Any]:
    """Return, for each video of a control, the name of the video that it was made from.

    Example:
        >>> original_names(PerceptStore("direction.h5"))[:2]
        array(['Archery/v_Archery_g08_c01.mp4', 'Archery/v_Archery_g08_c01.mp4'], dtype=object)
    """
    return np.array([name.rpartition(_MARK)[0] for name in control.names], dtype=object)


def _middle(percepts: NDArray[Any], steps: int) -> NDArray[Any]:
    start = (len(percepts) - steps) // 2
    return percepts[start : start + steps]


def _directions(percepts: NDArray[Any]) -> Versions:
    spread = percepts[np.linspace(0, len(percepts) - 1, _STEPS).round().astype(int)]
    yield "forwards", spread
    yield "backwards", spread[::-1]


def _speeds(percepts: NDArray[Any]) -> Versions:
    for name, speed in _SPEEDS.items():
        yield name, _middle(percepts, speed * _STEPS)[::speed]


def _orders(percepts: NDArray[Any]) -> Versions:
    parts = [_middle(part, _SEGMENT_STEPS) for part in np.array_split(percepts, _SEGMENTS)]
    for order in _ORDERS:
        name = "".join("abc"[part] for part in order)
        yield name, np.concatenate([parts[part] for part in order])


# Frames needed, and what is made of them.
_HOW: tuple[tuple[int, Callable[[NDArray[Any]], Versions]], ...] = (
    (_STEPS, _directions),
    (max(_SPEEDS.values()) * _STEPS, _speeds),
    (_SEGMENTS * _SEGMENT_STEPS, _orders),
)
_CONTROLS = dict(zip(CONTROLS, _HOW, strict=True))
