"""What `videolstm-tools finetune` does."""

import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from keras_videolstm.checkpoints import save
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.training.comparison import (
    FINETUNED,
    SCRATCH,
    SINGLE_FRAME,
    MethodResult,
    compare,
    starts_from,
)
from keras_videolstm.training.finetune import FinetuneSettings
from keras_videolstm.training.splits import Split, split_by_group
from keras_videolstm.visualization import draw_bars, draw_confusion, draw_curves, save_figure
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.labelled_percepts import (
    Skipped,
    labelled_percepts,
    load_with_percepts,
    named_groups,
    settings_of,
)
from keras_videolstm_tools.work.pretraining_sources import tell_sources_seen
from keras_videolstm_tools.work.split_file import write_split

_VIDEO = "video_accuracy"
_SEEN = "test_sources_seen_in_pretraining"
_KEPT_HEAD = "Training the recurrent layers, too, validated no better: kept is the softmax alone"
_SCORES = ("frame_accuracy", "block_accuracy", _VIDEO)
_DEFAULTS = FinetuneSettings()


def run(
    checkpoint: str,
    data: Path,
    out: Path,
    test_data: Path | None,
    from_scratch: bool,
    with_baselines: bool,
    repeats: int,
    shots: int | None,
    test_groups: str,
    validation_groups: str,
    fps: float | None,
    fit: str,
    root: Path | None,
    strict: bool,
    training_steps: int,
    learning_rate: float,
    dropout: float,
    seed: int,
) -> Made:
    """Run `finetune`."""
    settings = FinetuneSettings(
        steps=training_steps,
        learning_rate=learning_rate,
        dropout=dropout,
        seed=seed,
    )
    model, percepts = load_with_percepts(checkpoint)
    percepts = {**percepts, "fit": fit, "fps": percepts["fps"] if fps is None else fps}
    # Asked before the work, not after it.
    if out.exists() and not out.is_dir():
        raise InputError(f"Expected a folder to write. Received: {out}, which is a file")
    out.mkdir(parents=True, exist_ok=True)

    def prepare(source: Path, name: str) -> tuple[PerceptStore, Skipped]:
        return labelled_percepts(source, out / name, percepts, root, strict)

    store, skipped = prepare(data, "percepts.h5")
    test_store, test_skipped = prepare(test_data, "percepts-test.h5") if test_data else (None, [])
    percepts = settings_of(store, percepts["extractor"])
    split = split_by_group(
        store,
        seed=seed,
        test_groups=named_groups(test_groups, store),
        validation_groups=named_groups(validation_groups, store),
        with_test=test_store is None,
    )
    _tell_sources(store)
    main_method = SCRATCH if from_scratch else FINETUNED
    others = [SINGLE_FRAME, SCRATCH] if with_baselines else []
    methods = [name for name in others if name != main_method] + [main_method]
    tested = (store, split.test) if test_store is None else (test_store, range(len(test_store)))
    seen = tell_sources_seen(checkpoint, *tested) if FINETUNED in methods else []
    starts = starts_from(model)
    results = compare(
        {method: starts[method] for method in methods},
        store,
        split,
        settings,
        repeats=repeats,
        shots=shots,
        test_store=test_store,
        progress=partial(ProgressLine, unit="steps", may_end_early=True),
    )
    tests = tested[0].count_clips(tested[1])
    metrics = _metrics(results, store, split, tests, shots, repeats)
    if seen:
        metrics["protocol"][_SEEN] = seen
    metrics["skipped"] = [*skipped, *test_skipped]
    _write(out, results, metrics, percepts, checkpoint, store, split)
    return Made(metrics, f"{_table(results, metrics)}\n{_kept(out, store)}")


def _tell_sources(store: PerceptStore) -> None:
    """Say where each file counts as a source of its own, which nobody may have told."""
    by_file = [
        Path(name).stem == group for name, group in zip(store.names, store.groups, strict=True)
    ]
    clips = store.count_clips(range(len(store)))
    if all(by_file) and len(set(store.groups)) == clips:
        click.echo(
            f"{clips} files count as {clips} sources: where several show one scene or person, name "
            "it in a CSV (path,label,group), so that none is trained and tested on.",
            err=True,
        )


def _kept(out: Path, store: PerceptStore) -> str:
    lines = [
        f"Kept in {out}: the classifier, report.md with its pictures, metrics.json, split.csv",
        f"Next: videolstm-tools predict {out} clip.mp4 --out timeline.png",
    ]
    if store.path.parent == out:
        lines.append(f"To fine-tune again, {store.path} in place of the videos saves reading them")
    return "\n".join(lines)


def _metrics(
    results: Sequence[MethodResult],
    store: PerceptStore,
    split: Split,
    tests: int,
    shots: int | None,
    repeats: int,
) -> dict[str, Any]:
    return {
        "protocol": {
            "reduction": "probabilities averaged over the steps of 16-frame blocks at stride 8, "
            "then over a video's blocks; accuracy is a mean over videos (blocks, frames)",
            "classes": list(store.class_names),
            "train_videos": store.count_clips(split.train),
            "validation_videos": store.count_clips(split.validation),
            "test_videos": tests,
            "shots_a_class": shots,
            "repeats": repeats,
            "std": "sample standard deviation over the repeats",
        },
        "methods": {result.name: _method_metrics(result) for result in results},
    }


def _method_metrics(result: MethodResult) -> dict[str, Any]:
    metrics: dict[str, Any] = {}
    for part in ("validation", "test"):
        if getattr(result, part):
            metrics[part] = {
                score: _mean_and_std(result, score, part) for score in (*_SCORES, "video_nats")
            }
            metrics[part]["runs"] = [scores.as_dict() for scores in getattr(result, part)]
    return metrics


def _mean_and_std(result: MethodResult, score: str, part: str) -> dict[str, float | None]:
    mean, std = result.mean_and_std(score, part)
    return {"mean": mean, "std": std if len(getattr(result, part)) > 1 else None}


def _table(results: Sequence[MethodResult], metrics: dict[str, Any]) -> str:
    protocol = metrics["protocol"]
    part = "test" if results[0].test else "validation"
    shots, repeats = protocol["shots_a_class"], protocol["repeats"]
    chosen = f" ({shots} a class are used, and as many validate)" if shots else ""
    seeds = f"mean ± std over {repeats} seeds" if repeats > 1 else "one seed"
    classes = len(protocol["classes"])
    lines = [
        f"{classes} classes; {protocol['train_videos']} videos to train{chosen}, "
        f"{protocol['validation_videos']} to validate, {protocol['test_videos']} to test; scored "
        f"on the {part} part; {seeds}",
        "",
        "| accuracy, % | frame | block | video |",
        "|---|---|---|---|",
    ]
    count = protocol[f"{part}_videos"]
    for result in results:
        cells = [_cell(*result.mean_and_std(score, part), repeats) for score in _SCORES]
        if repeats == 1:
            right = round(count * result.mean_and_std(_VIDEO, part)[0])
            cells[-1] += f" ({right} of {count})"
        lines.append(f"| {result.name} | {' | '.join(cells)} |")
    lines += [
        "",
        "A frame counts by the answer at its step, a block by the mean over its 16 steps, a video "
        f"by the mean over its blocks. One video is {100 / count:.1f} points; guessing names "
        f"{100 / classes:.1f} % rightly.",
    ]
    first = "" if repeats == 1 else ", in the first repeat"
    lines += [f"{_KEPT_HEAD} of {result.name}{first}." for result in results if _kept_head(result)]
    if seen := protocol.get(_SEEN):
        lines.append(
            f"The checkpoint has learned, without labels, from sources of these names in the test "
            f"part: {', '.join(seen)}. If they are the same, they were not new to it."
        )
    if repeats == 1:
        lines.append(_worth(results[-1], part, count, classes))
    return "\n".join(lines) + "\n"


def _kept_head(result: MethodResult) -> bool:
    """Whether no look after the softmax alone validated better."""
    looks = result.history.get("val_loss")
    return result.name != SINGLE_FRAME and looks is not None and int(np.argmin(looks)) == 0


def _worth(result: MethodResult, part: str, count: int, classes: int) -> str:
    """Say how likely so many right answers are without having learned anything."""
    right = round(count * result.mean_and_std(_VIDEO, part)[0])
    by_guessing = sum(
        math.comb(count, k) * (classes - 1) ** (count - k) for k in range(right, count + 1)
    )
    probability = by_guessing / classes**count
    return (
        f"{result.name}: {right} or more of {count} come by guessing with probability "
        f"{probability:.2g}. This is one split and one seed: --repeats 5 shows what they are worth."
    )


def _cell(mean: float, std: float, repeats: int) -> str:
    spread = f" ± {100 * std:.1f}" if repeats > 1 else ""
    return f"{100 * mean:.1f}{spread}"


def _of_videos(metrics: dict[str, Any], part: str) -> str:
    """Say of how many videos and seeds an accuracy is, and so how far it can be trusted."""
    count, repeats = metrics["protocol"][f"{part}_videos"], metrics["protocol"]["repeats"]
    seeds = f"{repeats} seeds" if repeats > 1 else "one seed"
    return f"{count} videos, each {100 / count:.1f} points; {seeds}"


def _write(
    out: Path,
    results: Sequence[MethodResult],
    metrics: dict[str, Any],
    percepts: dict[str, Any],
    checkpoint: str,
    store: PerceptStore,
    split: Split,
) -> None:
    chosen = results[-1]
    scores = (chosen.test or chosen.validation)[:1]
    out.mkdir(parents=True, exist_ok=True)
    labels = store.class_names
    if scores:
        part = "test" if chosen.test else "validation"
        figure = draw_confusion(scores[0].confusion, labels, title=f"{chosen.name}, {part} videos")
        save_figure(figure, out / "confusion.png")
    looks = chosen.history.get("val_loss")
    curves = draw_curves(
        chosen.history,
        xlabel="look",
        title=f"{chosen.name}: the softmax alone (look 0), then all, {_DEFAULTS.check_every} steps "
        "a look",
        best=None if looks is None else int(np.argmin(looks)),
        first=0,
    )
    save_figure(curves, out / "curves.png")
    if len(results) > 1 and scores:
        bars = {r.name: r.mean_and_std(_VIDEO, part) for r in results}
        bars = {name: (100 * mean, 100 * std) for name, (mean, std) in bars.items()}
        figure = draw_bars(
            bars,
            xlabel=f"video accuracy, % ({part} part, {_of_videos(metrics, part)})",
            chance=100 / len(labels),
        )
        save_figure(figure, out / "comparison.png")
    else:
        (out / "comparison.png").unlink(missing_ok=True)  # of an earlier run
    report = "# Report\n\n" + _table(results, metrics)
    report += f"\nPretrained from {checkpoint}. Here {metrics['protocol']['reduction']}.\n"
    report += f"\nFiles left out: {len(metrics['skipped'])}\n"
    report += "".join(f"\n- {path}: {reason}" for path, reason in metrics["skipped"])
    report += "".join(
        f"\n![{name}]({name}.png)\n"
        for name in ("comparison", "confusion", "curves")
        if (out / f"{name}.png").is_file()
    )
    write_text(out / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    write_split(out, store, split)
    metadata = {
        "description": f"action classifier, {chosen.name}, from {checkpoint}",
        "percepts": percepts,
        "metrics": metrics["methods"][chosen.name],
        "protocol": metrics["protocol"],
    }
    save(chosen.classifier, out, metadata, files={"report.md": report})
