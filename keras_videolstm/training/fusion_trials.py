"""Classifiers of pictures and of optical flow, and their averages, for label curves."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.training.finetune import FinetuneSettings, Start, finetune
from keras_videolstm.training.forgotten_graphs import forgotten_graphs
from keras_videolstm.training.fusion import best_weight, fused
from keras_videolstm.training.label_curve import Shots, Trial
from keras_videolstm.training.scores import video_probabilities
from keras_videolstm.training.splits import Split, draw_shots
from keras_videolstm.training.video_probabilities import VideoProbabilities, folder_and_file

PICTURES, FLOW = "pictures", "optical flow"
WEIGHED, FLOW_TWICE = "both, weight by validation", "both, flow counted twice"

Said = tuple[VideoProbabilities, VideoProbabilities]
"""What a classifier says of the validation part and of the test part."""


@dataclass(frozen=True)
class Stream:
    """One of the two kinds of percepts.

    Attributes:
        start: what its classifiers begin with.
        store: labelled percepts.
        folds: training, validation and test parts.
    """

    start: Start
    store: PerceptStore
    folds: Sequence[Split]


def fusion_trials(pictures: Stream, flow: Stream, settings: FinetuneSettings) -> dict[str, Trial]:
    """Return, by method, the function that trains what it needs and scores the test part.

    Each classifier is trained once for all methods that follow one another. Draws are as those of
    `percept_trials`; the weight is chosen on the validation part, draw by draw.

    Args:
        pictures: of frames alone.
        flow: of optical flow, of the same videos (`with_common_videos`).
        settings: the same for both.

    Raises:
        InputError: if the parts are not of the same videos, or a fold has no validation part.

    Example:
        >>> trials = fusion_trials(pictures, flow, FinetuneSettings())
        >>> trials["both, flow counted twice"](0, None, 0)["accuracy"]
        0.84
    """
    _check_same_videos(pictures, flow)
    both = functools.lru_cache(maxsize=1)(functools.partial(_both, pictures, flow, settings))
    return {
        PICTURES: functools.partial(_trial, both, lambda one, two: 0.0),
        FLOW: functools.partial(_trial, both, lambda one, two: 1.0),
        WEIGHED: functools.partial(_trial, both, best_weight),
        FLOW_TWICE: functools.partial(_trial, both, lambda one, two: 2 / 3),
    }


def with_common_videos(pictures: Stream, flow: Stream) -> tuple[Stream, Stream]:
    """Return both streams with the videos that both have, in the parts in which pictures stand.

    A stack of flows is longer than a picture, so that short videos have no percepts of flow.

    Raises:
        InputError: if two clips of a store have the same folder and file.

    Example:
        >>> pictures, flow = with_common_videos(pictures, flow)
    """
    first, second = _names(pictures.store), _names(flow.store)
    if np.array_equal(first, second):
        return pictures, flow
    for stream, names in ((pictures, first), (flow, second)):
        clips = stream.store.count_clips(np.arange(len(names)))
        if len(set(names)) != clips:
            raise InputError(
                f"Expected clips of different folder/file names. Received: {stream.store.path} "
                f"with {clips} clips of {len(set(names))} names"
            )
    held = [_with(fold, lambda part: part[np.isin(first[part], second)]) for fold in pictures.folds]
    beside = [
        _with(fold, lambda part: np.flatnonzero(np.isin(second, first[part]))) for fold in held
    ]
    return dataclasses.replace(pictures, folds=held), dataclasses.replace(flow, folds=beside)


def _with(fold: Split, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Split:
    return Split(change(fold.train), change(fold.validation), change(fold.test))


def _names(store: PerceptStore) -> NDArray[Any]:
    return np.array([folder_and_file(name) for name in store.names])


def _trial(
    both: Callable[[int, Shots, int], tuple[Said, Said]],
    weight_of: Callable[[VideoProbabilities, VideoProbabilities], float],
    fold: int,
    shots: Shots,
    draw: int,
) -> dict[str, float]:
    (first_validation, first_test), (second_validation, second_test) = both(fold, shots, draw)
    weight = weight_of(first_validation, second_validation)
    result = fused(first_test, second_test, weight)
    return {"accuracy": result.accuracy, "nats": result.nats, "weight_of_flow": weight}


def _both(
    pictures: Stream, flow: Stream, settings: FinetuneSettings, fold: int, shots: Shots, draw: int
) -> tuple[Said, Said]:
    return (
        _said(pictures, settings, fold, shots, draw),
        _said(flow, settings, fold, shots, draw),
    )


def _said(stream: Stream, settings: FinetuneSettings, fold: int, shots: Shots, draw: int) -> Said:
    seeded = dataclasses.replace(settings, seed=settings.seed + draw)
    split = stream.folds[fold]
    if shots is not None:
        split = draw_shots(stream.store, split, shots, seeded.seed)
    with forgotten_graphs():
        classifier = stream.start(stream.store, split, seeded)
        finetune(classifier, stream.store, split, seeded)
        return (
            video_probabilities(classifier, stream.store, split.validation),
            video_probabilities(classifier, stream.store, split.test),
        )


def _check_same_videos(pictures: Stream, flow: Stream) -> None:
    names = [_names(stream.store) for stream in (pictures, flow)]
    for fold, other in zip(pictures.folds, flow.folds, strict=True):
        for part in ("train", "validation", "test"):
            first, second = (
                set(of_store[getattr(each, part)])
                for of_store, each in zip(names, (fold, other), strict=True)
            )
            if first != second:
                raise InputError(
                    f"Expected the same videos in both, as `with_common_videos` gives. Received: "
                    f"{pictures.store.path} and {flow.store.path}; only one has "
                    f"{min(first ^ second)} in its {part} part"
                )
    if not all(len(fold.validation) for fold in pictures.folds):
        raise InputError("Expected a validation part to choose the weight by. Received: none")
