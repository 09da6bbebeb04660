"""What `videolstm-tools finetune` does."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

import click
import numpy as np
from matplotlib.figure import Figure

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
from keras_videolstm.training.splits import Split, draw_shots, split_by_group
from keras_videolstm.visualization import draw_bars, draw_confusion, draw_curves, save_figure
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.finetune_report import (
    LEARNED,
    SEEN,
    VIDEO,
    metrics_of,
    mistakes_of,
    of_videos,
    table_of,
)
from keras_videolstm_tools.work.labelled_percepts import (
    Skipped,
    labelled_percepts,
    load_with_percepts,
    named_groups,
    settings_of,
)
from keras_videolstm_tools.work.labels_learned import labels_learned
from keras_videolstm_tools.work.pretraining_sources import sources_seen
from keras_videolstm_tools.work.split_file import write_split
from keras_videolstm_tools.work.told_of_data import tell_of_data

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
    untimed_fps: float | None,
    fit: str | None,
    root: Path | None,
    strict: bool,
    training_steps: int,
    learning_rate: float,
    head_learning_rates: tuple[float, ...],
    dropout: float,
    seed: int,
) -> Made:
    """Run `finetune`."""
    settings = FinetuneSettings(
        steps=training_steps,
        learning_rate=learning_rate,
        head_learning_rates=head_learning_rates,
        dropout=dropout,
        seed=seed,
    )
    model, percepts = load_with_percepts(checkpoint)
    wanted = {key: value for key, value in (("fps", fps), ("fit", fit)) if value is not None}
    percepts = {**percepts, **wanted}
    # Asked before the work, not after it.
    if out.exists() and not out.is_dir():
        raise InputError(f"Expected a folder to write. Received: {out}, which is a file")
    out.mkdir(parents=True, exist_ok=True)

    def prepare(source: Path, name: str) -> tuple[PerceptStore, Skipped]:
        return labelled_percepts(source, out / name, percepts, root, strict, untimed_fps)

    store, skipped = prepare(data, "percepts.h5")
    test_store, test_skipped = prepare(test_data, "percepts-test.h5") if test_data else (None, [])
    percepts = settings_of(store, percepts)
    split = split_by_group(
        store,
        seed=seed,
        test_groups=named_groups(test_groups, store),
        validation_groups=named_groups(validation_groups, store),
        with_test=test_store is None,
    )
    tell_of_data(store, test_store)
    main_method = SCRATCH if from_scratch else FINETUNED
    others = [SINGLE_FRAME, SCRATCH] if with_baselines else []
    methods = [name for name in others if name != main_method] + [main_method]
    tested = (store, split.test) if test_store is None else (test_store, range(len(test_store)))
    seen, told = sources_seen(checkpoint, *tested) if FINETUNED in methods else ([], "")
    if told:
        click.echo(told + " --test-groups names others." * (test_store is None), err=True)
    learned, told = labels_learned(*tested)
    if told:
        click.echo(told, err=True)
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
    drawn = split if shots is None else draw_shots(store, split, shots, seed)
    metrics = metrics_of(results, store, split, drawn, tests, shots, repeats)
    if seen:
        metrics["protocol"][SEEN] = seen
    if learned:
        metrics["protocol"][LEARNED] = learned
    metrics["skipped"] = [*skipped, *test_skipped]
    _write(out, results, metrics, percepts, checkpoint, store, split, drawn)
    return Made(metrics, f"{table_of(results, metrics)}\n{_kept(out, store)}")


def _kept(out: Path, store: PerceptStore) -> str:
    lines = [
        f"Kept in {out}: the classifier, report.md with its pictures, metrics.json, split.csv",
        f"Next: videolstm-tools predict {quote(str(out))} clip.mp4 --out timeline.png",
    ]
    if store.path.parent == out:
        lines.append(f"To fine-tune again, {store.path} in place of the videos saves reading them")
    return "\n".join(lines)


def _write(
    out: Path,
    results: Sequence[MethodResult],
    metrics: dict[str, Any],
    percepts: dict[str, Any],
    checkpoint: str,
    store: PerceptStore,
    split: Split,
    drawn: Split,
) -> None:
    """Write the classifier and what is said of it; the pictures last, as nothing rests on them."""
    chosen = results[-1]
    scores = (chosen.test or chosen.validation)[:1]
    part = "test" if chosen.test else "validation"
    labels = store.class_names
    pictures = ["comparison"] * (len(results) > 1) + ["confusion"] if scores else []
    pictures.append("curves")
    report = "# Report\n\n" + table_of(results, metrics)
    if scores:
        mistakes = mistakes_of(scores[0], labels, metrics["protocol"]["repeats"])
        report += f"\n## {chosen.name}: the {part} videos\n\n{mistakes}"
    report += f"\nPretrained from {checkpoint}. Here {metrics['protocol']['reduction']}.\n"
    report += f"\nFiles left out: {len(metrics['skipped'])}\n"
    report += "".join(f"\n- {path}: {reason}" for path, reason in metrics["skipped"])
    report += "".join(f"\n![{name}]({name}.png)\n" for name in pictures)
    metadata = {
        "description": f"action classifier, {chosen.name}, from {checkpoint}",
        "percepts": percepts,
        "metrics": metrics["methods"][chosen.name],
        "protocol": metrics["protocol"],
    }
    save(chosen.classifier, out, metadata, files={"report.md": report})
    write_text(out / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    write_split(out, store, split, drawn)
    for name in ("comparison", "confusion", "curves"):
        (out / f"{name}.png").unlink(missing_ok=True)  # of an earlier run
    for name in pictures:
        save_figure(_drawn(name, results, metrics, labels), out / f"{name}.png")


def _drawn(
    name: str, results: Sequence[MethodResult], metrics: dict[str, Any], labels: Sequence[str]
) -> Figure:
    chosen = results[-1]
    part = "test" if chosen.test else "validation"
    if name == "confusion":
        counts = getattr(chosen, part)[0].confusion
        return draw_confusion(counts, labels, title=f"{chosen.name}, {part} videos")
    if name == "comparison":
        bars = {r.name: r.mean_and_std(VIDEO, part) for r in results}
        return draw_bars(
            {name: (100 * mean, 100 * std) for name, (mean, std) in bars.items()},
            xlabel=f"video accuracy, % ({part} part, {of_videos(metrics, part)})",
            chance=100 / len(labels),
            largest=100,
        )
    looks = chosen.history.get("val_loss")
    return draw_curves(
        chosen.history,
        xlabel="look",
        title=f"{chosen.name}: the softmax alone (look 0), then all, {_DEFAULTS.check_every} steps "
        "a look",
        best=None if looks is None else int(np.argmin(looks)),
        first=0,
    )
