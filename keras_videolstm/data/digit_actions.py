"""Labelled clips of one moving digit: unlimited data in which every label is exact."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.choices import TASKS as TASKS
from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.moving_mnist import SIDE, WHOLE_CIRCLE, moving_mnist
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.errors import InputError

STEPS = 10
_SPEED = 0.1
# A wall turns only one component of the velocity around, so a diagonal stays one.
_DIRECTIONS = {"across": 0.0, "diagonal": np.pi / 4, "down": np.pi / 2}
_SPEEDS = {"slow": 0.05, "middle": 0.1, "fast": 0.15}
_CLASSES = 10


def write_digit_actions(
    path: str | os.PathLike[str],
    task: str,
    parts: Mapping[str, tuple[NDArray[Any], NDArray[Any], int]],
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> PerceptStore:
    """Write a percept store of clips of one digit that bounces.

    Tasks: `"digit"`, which of ten; `"direction"`, across, diagonal or down; `"speed"`, 0.05, 0.1 or
    0.15 of the free range a frame. Its way is mirrored at walls, not clamped as in moving MNIST: a
    digit that has just touched the left wall would tell that it moves across. So no single frame
    shows direction or speed.

    Args:
        path: of the store to write.
        task: what the label says.
        parts: by name, which becomes the clips' group: digits `(count, 28, 28)`, their labels
            `(count,)`, and the number of clips a class.
        seed: of all draws; every part has draws of its own.
        progress: called with (clips written, clips in all).

    Returns:
        A store of clips `(10, 4096)`, pixels in [0, 1], each its own video.

    Raises:
        InputError: if the task is unknown or a part has no image of a class.

    Example:
        >>> images, labels = load_digits("test").images, load_digit_labels("test")
        >>> store = write_digit_actions("speed.h5", "speed", {"test": (images, labels, 100)})
        >>> len(store), store.class_names
        (300, ('fast', 'middle', 'slow'))
    """
    if task not in TASKS:
        raise InputError(f"Expected one of {', '.join(TASKS)}. Received: {task!r}")
    names = tuple(sorted(_settings(task, np.zeros((_CLASSES, 28, 28)), np.arange(_CLASSES))))
    provenance = {"extractor": "pixels", "task": task, "seed": seed}
    written, total = 0, len(names) * sum(count for *_, count in parts.values())
    with PerceptStoreWriter(path, SIDE**2, names, provenance) as writer:
        for number, (part, (images, labels, count)) in enumerate(parts.items()):
            settings = _settings(task, images, labels)
            for place, name in enumerate(names):
                clips = _clips(settings[name], count, seed=_seed(seed, number, place))
                for index, clip in enumerate(clips):
                    writer.append(clip)
                    writer.end_video(Clip(Path(f"{part}/{name}/{index}"), name, part))
                    written += 1
                    if progress:
                        progress(written, total)
    return PerceptStore(path)


def _settings(task: str, images: NDArray[Any], labels: NDArray[Any]) -> dict[str, dict[str, Any]]:
    """Return, by class, what `moving_mnist` is told."""
    if task == "direction":
        return {name: {"digits": images, "angle": (a, a)} for name, a in _DIRECTIONS.items()}
    if task == "speed":
        return {name: {"digits": images, "speed": speed} for name, speed in _SPEEDS.items()}
    missing = set(range(_CLASSES)) - set(labels.tolist())
    if missing or len(labels) != len(images):
        raise InputError(
            f"Expected images of every digit, each with its label. Received: {len(images)} images, "
            f"{len(labels)} labels, none of {sorted(missing)}"
        )
    return {str(digit): {"digits": images[labels == digit]} for digit in range(_CLASSES)}


def _clips(settings: dict[str, Any], count: int, seed: int) -> Iterator[NDArray[Any]]:
    arguments = {"speed": _SPEED, "angle": WHOLE_CIRCLE, **settings}
    clips = moving_mnist(
        seed=seed,
        batch_size=1,
        steps=STEPS,
        digits_per_frame=1,
        mirrored=True,
        count=count,
        **arguments,
    )
    for clip in clips.as_numpy_iterator():
        yield clip.reshape(STEPS, -1).astype("float32") / 255


def _seed(*numbers: int) -> int:
    return int(np.random.default_rng(numbers).integers(2**31))
