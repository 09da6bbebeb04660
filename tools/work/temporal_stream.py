"""What `videolstm-tools temporal-stream` does."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from keras_videolstm.checkpoints import save
from keras_videolstm.percepts import OpticalFlowPercepts
from keras_videolstm.training.splits import split_by_group
from keras_videolstm.training.temporal_stream import (
    stream_probabilities,
    train_temporal_stream,
)
from keras_videolstm.training.temporal_stream_settings import TemporalStreamSettings
from keras_videolstm.training.video_probabilities import VideoProbabilities
from keras_videolstm.visualization import draw_confusion, draw_curves, save_figure
from keras_videolstm.zoo_folder import zoo_folder
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.labelled_percepts import (
    labelled_percepts,
    named_groups,
    settings_of,
)
from keras_videolstm_tools.work.split_file import write_split


def run(
    data: Path,
    out: Path,
    stack: int,
    test_groups: str,
    validation_groups: str,
    fps: float,
    fit: str,
    root: Path | None,
    strict: bool,
    training_steps: int,
    seed: int,
) -> Made:
    """Run `temporal-stream`."""
    if not _is_in_zoo(out):
        click.echo(f"To extract percepts with it, move {out} into {zoo_folder()} then.", err=True)
    settings = TemporalStreamSettings(stack=stack, steps=training_steps, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    percepts = {"extractor": OpticalFlowPercepts.name, "fps": fps, "fit": fit}
    store, skipped = labelled_percepts(data, out / "flow.h5", percepts, root, strict)
    split = split_by_group(
        store,
        seed=seed,
        test_groups=named_groups(test_groups, store),
        validation_groups=named_groups(validation_groups, store),
    )
    line = ProgressLine("temporal stream", "steps")
    stream, history = train_temporal_stream(store, split, settings, progress=line)
    results = {
        part: stream_probabilities(stream, store, getattr(split, part))
        for part in ("validation", "test")
    }
    metadata = {
        "description": f"temporal stream, {stack} optical flows at a time, "
        f"{len(store.class_names)} classes of {store.count_clips(split.train)} videos",
        "percepts": settings_of(store, percepts),
        "settings": dataclasses.asdict(settings),
        "protocol": "probabilities averaged over stacks that begin every 8 frames; accuracy and "
        "cross entropy (nats) are means over videos",
        "metrics": {
            f"{part} {name}": value
            for part, found in results.items()
            for name, value in _numbers(found).items()
        },
        "skipped": [list(fault) for fault in skipped],
    }
    table = _table(results)
    card = f"# {out.name}\n\n{metadata['description']}\n\n{table}\n{metadata['protocol']}.\n"
    steps = min(settings.check_every, settings.steps)
    curves = draw_curves(history, xlabel="look", title=f"temporal stream, {steps} steps a look")
    save_figure(curves, out / "curves.png")
    confusion = draw_confusion(
        results["test"].confusion, store.class_names, title="temporal stream, test videos"
    )
    save_figure(confusion, out / "confusion.png")
    card += "\n![curves](curves.png)\n\n![confusion](confusion.png)\n"
    write_split(out, store, split)
    save(stream, out, metadata, files={"README.md": card})
    return Made({"out": str(out), **metadata}, f"{table}\n{_next(out)}")


def _numbers(found: VideoProbabilities) -> dict[str, Any]:
    return {"videos": len(found.labels), "accuracy": found.accuracy, "nats": found.nats}


def _table(results: dict[str, VideoProbabilities]) -> str:
    lines = ["| part | videos | accuracy, % | nats |", "|---|---|---|---|"]
    for part, found in results.items():
        accuracy = f"{100 * found.accuracy:.1f}"
        lines.append(f"| {part} | {len(found.labels)} | {accuracy} | {found.nats:.3f} |")
    return "\n".join(lines) + "\n"


def _is_in_zoo(out: Path) -> bool:
    return out.resolve().parent == zoo_folder().resolve()


def _next(out: Path) -> str:
    if _is_in_zoo(out):
        return f"Next: videolstm-tools extract my_videos --percepts {out.name} --out percepts.h5"
    return f"To extract percepts with it, move {out} into the zoo's folder, {zoo_folder()}"
