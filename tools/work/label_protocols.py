"""Measuring methods over labelled videos a class: what tables, figures and controls share."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from keras_videolstm.checkpoints import CONFIG, WEIGHTS, load_metadata
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.comparison import FINETUNED, SCRATCH, SINGLE_FRAME, starts_from
from keras_videolstm.training.finetune import REVISION, FinetuneSettings, Start
from keras_videolstm.training.fusion_trials import FLOW, FLOW_TWICE, PICTURES
from keras_videolstm.training.label_curve import LabelCurve, Shots, Trial
from keras_videolstm.training.percept_trials import percept_trials
from keras_videolstm.training.splits import Split, official_split, split_by_group
from keras_videolstm.visualization import draw_label_curves, save_figure
from keras_videolstm.zoo_folder import find_checkpoint
from keras_videolstm_tools.labelled_source import check_classes
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.finetune_report import LEARNED, SEEN
from keras_videolstm_tools.work.labelled_percepts import (
    Skipped,
    labelled_percepts,
    named_groups,
    settings_of,
)
from keras_videolstm_tools.work.labels_learned import labels_learned
from keras_videolstm_tools.work.pretraining_sources import sources_seen
from keras_videolstm_tools.work.told_of_data import tell_of_data

UCF101, HMDB51, OTHER, DIGITS = "ucf101", "hmdb51", "data", "moving_digits"
_NAMES = {UCF101: "UCF-101", HMDB51: "HMDB-51", OTHER: "own data", DIGITS: "moving digits"}
_CLASSES = {UCF101: 101, HMDB51: 51}
# Video accuracy in % as published, by data set and method, then by labelled videos a class.
_PAPER: dict[tuple[str, str], dict[Shots, float]] = {
    (UCF101, SINGLE_FRAME): {None: 72.2},
    (UCF101, SCRATCH): {1: 29.6, 10: 63.7, None: 74.5},
    (UCF101, FINETUNED): {1: 34.3, 10: 67.0, None: 75.8},
    (UCF101, "autoencoder"): {10: 66.2, None: 75.1},
    (UCF101, "future_predictor"): {10: 64.9, None: 74.9},
    (UCF101, "conditional_autoencoder"): {10: 65.8, None: 74.8},
    (UCF101, "conditional_future_predictor"): {10: 65.1, None: 74.9},
    (UCF101, "composite"): {10: 67.0, None: 75.8},
    (UCF101, "conditional_composite"): {10: 67.1, None: 75.8},
    (UCF101, PICTURES): {None: 75.8},
    (UCF101, FLOW): {None: 77.7},
    (UCF101, FLOW_TWICE): {None: 84.3},
    (HMDB51, PICTURES): {None: 44.0},
    (HMDB51, SINGLE_FRAME): {None: 40.1},
    (HMDB51, SCRATCH): {1: 14.4, 4: 25.3, None: 42.8},
    (HMDB51, FINETUNED): {1: 19.1, 4: 29.1, None: 44.1},
    (HMDB51, "autoencoder"): {4: 28.6, None: 44.0},
    (HMDB51, "future_predictor"): {4: 27.3, None: 43.1},
    (HMDB51, "conditional_autoencoder"): {4: 27.9, None: 43.1},
    (HMDB51, "conditional_future_predictor"): {4: 27.4, None: 43.4},
    (HMDB51, "composite"): {4: 29.1, None: 44.1},
    (HMDB51, "conditional_composite"): {4: 29.2, None: 44.0},
}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Labelled percepts and how they are divided.

    Attributes:
        name: of the data set.
        store: its percepts.
        folds: training, validation and test parts.
        skipped: files of the data set that were left out.
    """

    name: str
    store: PerceptStore
    folds: Sequence[Split]
    skipped: Skipped = ()


def protocols(
    percepts: dict[str, Any],
    out: Path,
    *,
    ucf101: Path | None,
    hmdb51: Path | None,
    data: Path | None,
    splits: Sequence[str],
    folds: Sequence[str],
    untimed_fps: float | None,
    fit: str | None,
    repeats: int,
    training_steps: int,
) -> Iterator[tuple[Protocol, FinetuneSettings, int]]:
    """Yield each data set that was given, how classifiers are trained, and the draws."""
    given = {UCF101: ucf101, HMDB51: hmdb51, OTHER: data}
    settings = FinetuneSettings(steps=training_steps)
    percepts = {**percepts, "fit": fit or percepts["fit"]}
    for name, source in given.items():
        if source is None:
            continue
        check_classes(source, root=None)
        store, skipped = labelled_percepts(
            source,
            out / name / "percepts.h5",
            percepts,
            untimed_fps=untimed_fps,
            data_set=None if name == OTHER else name,
        )
        settings_of(store, percepts)
        if name == OTHER:
            tell_of_data(store, None)
            parts = [_fold(store, text, settings.seed) for text in folds or [""]]
        else:
            numbers = sorted({int(split) for split in splits})
            parts = [official_split(store, name, split, seed=settings.seed) for split in numbers]
        yield Protocol(name, store, parts, skipped), settings, repeats


def _fold(store: PerceptStore, text: str, seed: int) -> Split:
    tested, _, validated = text.partition(":")
    return split_by_group(
        store,
        seed=seed,
        test_groups=named_groups(tested, store),
        validation_groups=named_groups(validated, store),
    )


def measured(
    protocol: Protocol,
    starts: Mapping[str, Start],
    checkpoints: Mapping[str, str],
    settings: FinetuneSettings,
    shots: Sequence[Shots],
    draws: int,
    out: Path,
) -> LabelCurve:
    """Measure what the folder `out/NAME` does not hold yet; return all of its results."""
    trials = percept_trials(starts, protocol.store, protocol.folds, settings)
    return measured_trials([protocol], trials, checkpoints, settings, shots, draws, out)


def measured_trials(
    protocols: Sequence[Protocol],
    trials: Mapping[str, Trial],
    checkpoints: Mapping[str, str],
    settings: FinetuneSettings,
    shots: Sequence[Shots],
    draws: int,
    out: Path,
) -> LabelCurve:
    """Measure trials that may be of several kinds of percepts of the same videos."""
    first, *others = protocols
    plan = {
        "checkpoints": {method: _digest_of(name) for method, name in checkpoints.items()},
        "settings": dataclasses.asdict(settings),
        "revision": REVISION,
        **_plan_of(first),
        **{f"percepts_{n}": _plan_of(other) for n, other in enumerate(others, start=2)},
    }
    curve = LabelCurve(out / first.name, plan)
    for told in not_new(protocols, checkpoints.values()):
        for _, sentence in told.values():
            if sentence:
                click.echo(sentence, err=True)
    curve.measure(
        trials,
        folds=len(first.folds),
        shots=shots,
        draws=draws,
        progress=ProgressLine(f"{_NAMES[first.name]}, classifiers", "trained"),
    )
    return curve


def _plan_of(protocol: Protocol) -> dict[str, Any]:
    store = protocol.store
    return {
        "percepts": {key: store.metadata.get(key) for key in ("extractor", "fps", "fit")},
        "videos": len(store),
        "frames": store.shape[0],
        "folds": [
            _digest([store.names[part].tolist() for part in _parts(fold)])
            for fold in protocol.folds
        ],
    }


def measure_methods(
    checkpoint: str,
    model: VideoLSTM,
    protocol: Protocol,
    name: str,
    settings: FinetuneSettings,
    shots: Sequence[Shots],
    draws: int,
    out: Path,
) -> Made:
    """Measure single frame, scratch and fine-tuned; write the table and the picture."""
    starts = starts_from(model)
    curve = measured(protocol, starts, {FINETUNED: checkpoint}, settings, shots, draws, out)
    table = write_table(curve, [protocol], out, name, [checkpoint])
    figure = draw_label_curves(
        {method: [_percent(curve, method, count) for count in curve.shots] for method in starts},
        curve.shots,
        chance=100 / len(protocol.store.class_names),
        title=f"{_NAMES[protocol.name]}, {_of_draws(curve, 'mean and deviation')}",
    )
    picture = save_figure(figure, out / protocol.name / f"{name}.png")
    return Made({**table.result, "picture": str(picture)}, table.text)


def _parts(fold: Split) -> Iterator:
    return (getattr(fold, part) for part in ("train", "validation", "test"))


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _digest_of(checkpoint: str) -> str:
    """Return what says which weights a checkpoint has; its card may change."""
    hashes = load_metadata(str(find_checkpoint(checkpoint)))["sha256"]
    return _digest([hashes[CONFIG], hashes[WEIGHTS]])


def _percent(curve: LabelCurve, method: str, shots: Shots) -> tuple[float, float]:
    mean, deviation = curve.mean_and_std(method, shots)
    return 100 * mean, 100 * deviation


def write_table(
    curve: LabelCurve,
    protocols: Sequence[Protocol],
    out: Path,
    name: str,
    checkpoints: Iterable[str],
    baseline: str = SCRATCH,
) -> Made:
    """Write and return the table, every method's difference to the baseline below it.

    Below it stands which test videos are not new to a checkpoint or to the convnet below it.
    """
    protocol = protocols[0]
    columns = ["all" if count is None else str(count) for count in curve.shots]
    draws = [len(curve.draws(count)) for count in curve.shots]
    over = _of_draws(curve, "mean ± standard deviation")
    interval = ", 95% interval" if max(draws) > 1 else ""
    tests = ", ".join(str(protocol.store.count_clips(fold.test)) for fold in protocol.folds)
    beside = "; in brackets the paper's numbers" if protocol.name in _CLASSES else ""
    classes = len(protocol.store.class_names)
    if classes < _CLASSES.get(protocol.name, 0):
        beside += f", of all its {_CLASSES[protocol.name]} classes, where these are {classes}"
    lines = [
        f"{_NAMES[protocol.name]}: video accuracy in % by labelled videos a class, {over}, "
        f"{_of_folds(len(protocol.folds))}{tests} test videos{beside}.",
        "",
        f"| method | {' | '.join(columns)} |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for method in curve.methods:
        cells = [_cell(curve, protocol.name, method, count) for count in curve.shots]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    if len(set(draws)) > 1:
        lines.append(f"| draws | {' | '.join(map(str, draws))} |")
    for method in curve.methods:
        if method != baseline:
            cells = [_difference(curve, method, baseline, count) for count in curve.shots]
            lines.append(f"| {method} − {baseline}{interval} | {' | '.join(cells)} |")
    seen, learned = not_new(protocols, checkpoints)
    lines += [f"\n{told}" for _, told in (*seen.values(), *learned.values()) if told]
    text = "\n".join(lines) + "\n"
    path = out / protocol.name / f"{name}.md"
    write_text(path, text)
    result = {
        "name": name,
        "data": protocol.name,
        "what": "video accuracy in % by labelled videos a class",
        "test_videos": [protocol.store.count_clips(fold.test) for fold in protocol.folds],
        "baseline": baseline,
        "rows": [
            _row(curve, protocol.name, method, baseline, count)
            for method in curve.methods
            for count in curve.shots
        ],
        SEEN: {each: names for each, (names, _) in seen.items() if names},
        LEARNED: {each: names for each, (names, _) in learned.items() if names},
        "skipped": [fault for each in protocols for fault in each.skipped],
        "table": str(path),
    }
    return Made(result, text)


Told = dict[str, tuple[list[str], str]]
"""By checkpoint or percepts: names, and a sentence."""


def not_new(protocols: Sequence[Protocol], checkpoints: Iterable[str]) -> tuple[Told, Told]:
    """Return what of the test parts checkpoints have seen, and what convnets know the labels of."""
    tested = [np.unique(np.concatenate([fold.test for fold in each.folds])) for each in protocols]
    seen = {each: sources_seen(each, protocols[0].store, tested[0]) for each in checkpoints}
    learned = {
        str(each.store.metadata.get("extractor")): labels_learned(each.store, videos)
        for each, videos in zip(protocols, tested, strict=True)
    }
    return seen, learned


def _row(
    curve: LabelCurve, data_set: str, method: str, baseline: str, shots: Shots
) -> dict[str, Any]:
    """Return a cell of the table; shots of `None` are all."""
    mean, deviation = _percent(curve, method, shots)
    draws = len(curve.draws(shots))
    several = draws > 1
    row = {"method": method, "shots": shots, "draws": draws, "mean": mean}
    row["std"] = deviation if several else None
    row["paper"] = _PAPER.get((data_set, method), {}).get(shots)
    if method != baseline:
        found = curve.difference(method, baseline, shots)
        row["above_baseline"] = {
            "mean": 100 * found.mean,
            "interval_95": [100 * found.low, 100 * found.high] if found.is_known else None,
        }
    return row


def _of_draws(curve: LabelCurve, what: str) -> str:
    draws = [len(curve.draws(count)) for count in curve.shots]
    if max(draws) == 1:
        return "one draw"
    fewest = f"{min(draws)} to " if min(draws) < max(draws) else ""
    return f"{what} over {fewest}{max(draws)} draws"


def _of_folds(count: int) -> str:
    return f"each the mean over {count} folds, of " if count > 1 else "of "


def _cell(curve: LabelCurve, data_set: str, method: str, shots: Shots) -> str:
    mean, deviation = _percent(curve, method, shots)
    published = _PAPER.get((data_set, method), {}).get(shots)
    spread = f" ± {deviation:.1f}" if len(curve.draws(shots)) > 1 else ""
    return f"{mean:.1f}{spread}" + (f" ({published})" if published else "")


def _difference(curve: LabelCurve, method: str, baseline: str, shots: Shots) -> str:
    found = curve.difference(method, baseline, shots)
    if not found.is_known:
        return f"{100 * found.mean:+.1f}"
    return f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
