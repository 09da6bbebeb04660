"""Action classifiers over percepts, trained on few labels and scored, for label curves."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.training.finetune import FinetuneSettings, Start, finetune
from keras_videolstm.training.forgotten_graphs import forgotten_graphs
from keras_videolstm.training.label_curve import Shots, Trial
from keras_videolstm.training.scores import score_videos
from keras_videolstm.training.splits import Split, draw_shots


def percept_trials(
    starts: Mapping[str, Start],
    store: PerceptStore,
    folds: Sequence[Split],
    settings: FinetuneSettings,
) -> dict[str, Trial]:
    """Return, by method, the function that trains a classifier and scores it on the test part.

    Draw d takes the labelled videos (of the training and of the validation part), the weights, the
    blocks and the dropout from seed `settings.seed + d`. Accuracy is that of videos, by the
    paper's protocol.

    Args:
        starts: by method, what its classifiers begin with.
        store: labelled percepts.
        folds: training, validation and test parts.
        settings: the same for all methods.

    Example:
        >>> trials = percept_trials(starts_from(model), store, [split], FinetuneSettings())
        >>> trials["single frame"](0, 4, 1)["accuracy"]
        0.82
    """
    return {
        method: partial(_trial, start, store, folds, settings) for method, start in starts.items()
    }


def _trial(
    start: Start,
    store: PerceptStore,
    folds: Sequence[Split],
    settings: FinetuneSettings,
    fold: int,
    shots: Shots,
    draw: int,
) -> dict[str, float]:
    seeded = dataclasses.replace(settings, seed=settings.seed + draw)
    split = folds[fold]
    if shots is not None:
        split = draw_shots(store, split, shots, seeded.seed)
    with forgotten_graphs():
        classifier = start(store, split, seeded)
        finetune(classifier, store, split, seeded)
        scores = score_videos(classifier, store, split.test)
    return {
        "accuracy": scores.video_accuracy,
        "block_accuracy": scores.block_accuracy,
        "frame_accuracy": scores.frame_accuracy,
        "nats": scores.video_nats,
    }
