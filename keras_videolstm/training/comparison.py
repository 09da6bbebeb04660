"""Fine-tuning beside its baselines: the same videos, blocks and stopping rule for all."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from keras_videolstm.data.percept_kind import KIND
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.models.classifier import standardization_of
from keras_videolstm.training.finetune import (
    FinetuneSettings,
    Start,
    finetune,
    learned_features_classifier,
    pretrained_classifier,
    scratch_classifier,
    single_frame_classifier,
)
from keras_videolstm.training.scores import Scores, score_videos
from keras_videolstm.training.splits import Split, draw_shots
from keras_videolstm.training.told_steps import Progress

FINETUNED, SCRATCH, SINGLE_FRAME = "LSTM, fine-tuned", "LSTM from scratch", "single frame"
FEATURES_SCRATCH = "learned features, LSTM from scratch"


@dataclass
class MethodResult:
    """What one method reached.

    Attributes:
        name: of the method.
        test: scores on the test part, one for each repeat; empty without a test part.
        validation: scores on the validation part, likewise.
        classifier: of the first repeat.
        history: of the first repeat.
    """

    name: str
    test: list[Scores] = field(default_factory=list)
    validation: list[Scores] = field(default_factory=list)
    classifier: ActionClassifier | None = None
    history: dict[str, list[float]] = field(default_factory=dict)

    def mean_and_std(self, score: str, part: str = "test") -> tuple[float, float]:
        """Return mean and sample standard deviation of a score over the repeats.

        Example:
            >>> result.mean_and_std("video_accuracy")
            (0.91, 0.012)
        """
        values = [getattr(scores, score) for scores in getattr(self, part)]
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return float(np.mean(values)), spread


def starts_from(model: VideoLSTM) -> dict[str, Start]:
    """Return, by method, what its classifiers begin with: the model, its layers, single frames.

    Of a model with slow or drift features also these alone, without what its encoder has learned.

    Example:
        >>> list(starts_from(load("composite_moving_mnist")))
        ['single frame', 'LSTM from scratch', 'LSTM, fine-tuned']
    """
    starts: dict[str, Start] = {
        SINGLE_FRAME: partial(single_frame_classifier, standardize=standardization_of(model)),
        SCRATCH: partial(scratch_classifier, like=model),
    }
    if model.slow is not None or model.drift is not None:
        starts[FEATURES_SCRATCH] = partial(learned_features_classifier, model=model)
    return {**starts, FINETUNED: partial(pretrained_classifier, model=model)}


def compare(
    starts: Mapping[str, Start],
    store: PerceptStore,
    split: Split,
    settings: FinetuneSettings,
    *,
    repeats: int = 1,
    shots: int | None = None,
    test_store: PerceptStore | None = None,
    progress: Callable[[str], Progress] | None = None,
) -> list[MethodResult]:
    """Train classifiers by several methods, several times, and score them on the test part.

    Repeat r uses seed `settings.seed + r` for weights, order, dropout and the draw of the shots;
    within a repeat all methods see the same videos.

    Args:
        starts: what each method's classifiers begin with.
        store: labelled percepts.
        split: of the store.
        settings: the same for all methods.
        repeats: number of seeds.
        shots: videos a class to train and to validate on; `None` takes all.
        test_store: a store of its own to test on, in place of the split's test part.
        progress: called with what is trained next, in words; what it returns is called with
            (training steps done, training steps in all).

    Returns:
        A result for each method, in their order.

    Raises:
        InputError: if the test store has other classes or percepts, or videos to train on.

    Example:
        >>> results = compare(starts_from(model), store, split, FinetuneSettings())
        >>> results[2].mean_and_std("video_accuracy")
    """
    if test_store is not None:
        _check_same_kind(store, test_store)
        _check_apart(store, split, test_store)
    results = {name: MethodResult(name) for name in starts}
    for repeat in range(repeats):
        seeded = dataclasses.replace(settings, seed=settings.seed + repeat)
        drawn = split if shots is None else draw_shots(store, split, shots, seeded.seed)
        for name, result in results.items():
            classifier = starts[name](store, drawn, seeded)
            told = progress(f"{name}, repeat {repeat + 1} of {repeats}") if progress else None
            history = finetune(classifier, store, drawn, seeded, progress=told)
            _score(result, classifier, store, drawn, test_store)
            if result.classifier is None:
                result.classifier, result.history = classifier, history
    return list(results.values())


def _score(
    result: MethodResult,
    classifier: ActionClassifier,
    store: PerceptStore,
    split: Split,
    test_store: PerceptStore | None,
) -> None:
    if len(split.validation):
        result.validation.append(score_videos(classifier, store, split.validation))
    if test_store is not None:
        result.test.append(score_videos(classifier, test_store, np.arange(len(test_store))))
    elif len(split.test):
        result.test.append(score_videos(classifier, store, split.test))


def _check_same_kind(store: PerceptStore, test_store: PerceptStore) -> None:
    if test_store.class_names != store.class_names or (test_store.labels < 0).any():
        raise InputError(
            f"Expected test videos of the classes {', '.join(store.class_names)}. "
            f"Received: {', '.join(test_store.class_names) or 'unlabelled videos'}"
        )
    for key in (*KIND, "size"):
        if test_store.metadata.get(key) != store.metadata.get(key):
            raise InputError(
                f"Expected test percepts with {key}={store.metadata.get(key)!r}. "
                f"Received: {key}={test_store.metadata.get(key)!r}"
            )


def _check_apart(store: PerceptStore, split: Split, test_store: PerceptStore) -> None:
    keys = store.keys
    learned_from = {keys[video] for video in (*split.train, *split.validation)}
    shared = [n for n, key in enumerate(test_store.keys) if key and key in learned_from]
    if shared:
        raise InputError(
            f"Expected test videos that are neither trained nor validated on. Received: "
            f"{len(shared)} that are, such as {test_store.names[shared[0]]}"
        )
