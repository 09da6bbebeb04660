"""Classifiers of pictures and of optical flow, and their averages, for label curves."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.training.finetune import FinetuneSettings, Start, finetune
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
        flow: of optical flow, of the same videos in the same order.
        settings: the same for both.

    Raises:
        InputError: if the stores are not of the same videos, or a fold has no validation part.

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
    classifier = stream.start(stream.store, split, seeded)
    finetune(classifier, stream.store, split, seeded)
    return (
        video_probabilities(classifier, stream.store, split.validation),
        video_probabilities(classifier, stream.store, split.test),
    )


def _check_same_videos(pictures: Stream, flow: Stream) -> None:
    first, second = (
        [folder_and_file(name) for name in stream.store.names] for stream in (pictures, flow)
    )
    if first != second:
        names = set(first) ^ set(second)
        raise InputError(
            "Expected stores of the same videos in the same order. Received: "
            f"{pictures.store.path} with {len(pictures.store)}, {flow.store.path} with "
            f"{len(flow.store)}" + (f"; only one has {min(names)}" if names else "")
        )
    if not all(len(fold.validation) for fold in pictures.folds):
        raise InputError("Expected a validation part to choose the weight by. Received: none")
