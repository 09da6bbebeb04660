"""What `videolstm-tools zoo` does."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import click
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.checkpoints import load_metadata, save, verify
from keras_videolstm.clip_reader import ClipReader
from keras_videolstm.data.moving_mnist import SIDE
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.publication import published_run
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import RECIPE
from keras_videolstm.training.run_keeper import RunKeeper
from keras_videolstm.visualization import draw_curves
from keras_videolstm.zoo_folder import METADATA, find_checkpoint, list_checkpoints, zoo_folder
from keras_videolstm_tools.counted import counted
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made, print_json
from keras_videolstm_tools.work.films import (
    digit_clips,
    film_rows,
    opening_of,
    write_figure,
    write_film,
)
from keras_videolstm_tools.work.recipe import TO_SAY
from keras_videolstm_tools.work.zoo_entries import read_entries
from keras_videolstm_tools.work.zoo_page import render_page

_OWN_ZOO = "my_zoo"


def list_entries() -> Made:
    """Run `zoo list`."""
    entries = {name: load_metadata(name) for name in list_checkpoints()}
    width = max(map(len, entries), default=0)
    lines = [
        f"{name:{width}} {metadata['parameters'] / 1e6:6.1f} M parameters  "
        f"{metadata['description']}"
        for name, metadata in entries.items()
    ]
    return Made(entries, "\n".join(lines))


def show_entry(name: str) -> Made:
    """Run `zoo show`."""
    card = find_checkpoint(name) / "README.md"
    metadata = load_metadata(name)
    if not card.is_file():
        return Made(metadata, json.dumps(metadata, indent=2))
    return Made(metadata, card.read_text(encoding="utf-8"))


def verify_entries(names: tuple[str, ...], as_json: bool) -> None:
    """Run `zoo verify`."""
    verified: dict[str, dict[str, float]] = {}
    for name in names or list_checkpoints():
        verified[name] = differences = verify(name)
        if not as_json:
            worst = max(differences.values(), default=0.0)
            click.echo(
                f"{name}: good; {len(differences)} outputs differ by at most {worst:.2g} "
                "from those published"
            )
    if as_json:
        print_json(verified)


def publish(
    run: Path,
    card: Path,
    data_root: Path | None,
    mnist: str | None,
    test_sequences: int,
    clips: tuple[Path, ...],
    out: Path | None,
) -> Made:
    """Run `zoo publish`."""
    if not card.is_file():
        raise InputError(f"Expected a model card. Received: {card}, which is none")
    text = card.read_text(encoding="utf-8", errors="replace")
    if to_say := [n for n, line in enumerate(text.split("\n"), start=1) if TO_SAY in line]:
        lines = ("line " if len(to_say) == 1 else "lines ") + ", ".join(map(str, to_say))
        raise InputError(
            f"Expected a card in which all is said. Received: {card} with {text.count(TO_SAY)} "
            f"times {TO_SAY.strip()}, in {lines}"
        )
    recipe = Recipe.load(run / RECIPE)
    folder = out or Path(_OWN_ZOO) / recipe.name
    _refuse_another(folder, run)
    # A clip that cannot be drawn is told before the long measuring, not after it.
    openings = _openings(run, data_root or run, clips) if clips else []
    model, metadata, files = published_run(
        run,
        data_root or run,
        mnist,
        card,
        test_sequences,
        progress=ProgressLine("measure", "sequences"),
    )
    drawn = _pictures(model, metadata, run, mnist, openings)
    save(model, folder, metadata, files={**files, **drawn})
    differences = verify(folder.resolve())  # a folder, not a name of the zoo
    if folder.resolve().parent == zoo_folder().resolve():
        write_text(zoo_folder() / "README.md", _table())
    result = {
        "out": str(folder),
        "files": sorted(str(path) for path in folder.iterdir()),
        "metrics": metadata["metrics"],
        "protocol": metadata["protocol"],
        "golden_outputs": differences,
    }
    worst = max(differences.values())
    return Made(
        result,
        f"{folder}: published; loaded again, its outputs differ by at most {worst:.2g}\n"
        f"{_measured(metadata)}\n"
        f"{_next(folder, metadata)}",
    )


def _next(folder: Path, metadata: dict[str, Any]) -> str:
    text = f"Next: keras_videolstm.load({json.dumps(str(folder), ensure_ascii=False)})"
    if "percepts" not in metadata:
        return text  # of videos it says nothing
    return f"{text}, or\n  videolstm-tools finetune {quote(str(folder))} my_videos --out classifier"


def _refuse_another(out: Path, run: Path) -> None:
    """Refuse to write over a checkpoint of another recipe."""
    if not (out / METADATA).is_file():
        return
    held = out / RECIPE
    if not held.is_file() or Recipe.load(held) != Recipe.load(run / RECIPE):
        raise InputError(
            f"Expected a new folder, or one that holds this run as it was published before. "
            f"Received: {out}, which holds another checkpoint; --out names another folder"
        )


def write_page(zoo: Path | None, out: Path) -> Made:
    """Run `zoo page`."""
    entries = read_entries(zoo or zoo_folder())
    title = f"Checkpoints in {zoo.resolve().name}" if zoo else "The zoo of keras_videolstm"
    write_text(out, render_page(entries, title))
    size = out.stat().st_size
    result = {"out": str(out), "bytes": size, "checkpoints": [entry.name for entry in entries]}
    return Made(result, f"{out}: {counted(len(entries), 'checkpoint')}, {size / 1e6:.1f} MB")


def _openings(run: Path, data_root: Path, clips: Sequence[Path]) -> list[NDArray[Any]]:
    """Return the clips' first frames, as the model of a run reads them."""
    recipe = Recipe.load(run / RECIPE)
    shape, metadata = tuple(recipe.model.frame_shape), {}
    if len(shape) != 3:
        raise InputError(f"Expected --clip with a model of pixels. Received: {run}, of percepts")
    if recipe.data.kind == "percepts":
        metadata = {"percepts": ClipSource(recipe, data_root).percept_settings()}
    reader = ClipReader(metadata, shape)
    read, predicted = recipe.model.input_steps, recipe.model.prediction_steps
    return [opening_of(clip, reader, read, predicted) for clip in clips]


def _pictures(
    model: VideoLSTM,
    metadata: dict[str, Any],
    run: Path,
    mnist: str | None,
    openings: Sequence[NDArray[Any]],
) -> dict[str, bytes]:
    """Draw the learning curves, and forecasts of clips or, without any, of moving digits."""
    read, predicted = metadata["input_steps"], metadata["prediction_steps"]
    if not openings and model.frame_shape == (SIDE, SIDE, 1):
        openings = digit_clips(mnist, 2, read + predicted)
    with tempfile.TemporaryDirectory() as aside:
        paths = [write_figure(_curves(run), Path(aside), "curves")]
        for number, clip in enumerate(openings, start=1):
            rows = film_rows({"this model": model}, clip, read)
            paths += write_film(rows, read, Path(aside), f"forecast_{number}")
        return {path.name: path.read_bytes() for path in paths}


def _curves(run: Path) -> Figure:
    keeper = RunKeeper(run)
    columns: dict[str, list[float]] = {}
    for row in keeper.history:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return draw_curves(columns, best=keeper.best_epoch)


def _table() -> str:
    lines = [
        "# The zoo",
        "",
        "This table is made by `videolstm-tools zoo publish`; each folder's README is its card. "
        "[RESULTS.md](RESULTS.md) has the paper's tables and figures beside these.",
        "",
        "| checkpoint | parameters | what it is | measured |",
        "|---|---|---|---|",
    ]
    for name in list_checkpoints():
        metadata = load_metadata(name)
        measured = "; ".join(
            f"{key.replace('_', ' ')} {value:.4g}" for key, value in _headline(metadata).items()
        )
        lines.append(
            f"| [{name}]({name}/README.md) | {metadata['parameters']:,} "
            f"| {metadata['description']} | {measured} |"
        )
    return "\n".join(lines) + "\n"


def _measured(metadata: dict[str, Any]) -> str:
    """Say what was measured, and what that is worth beside predictors that learn nothing."""
    baselines = metadata["metrics"].get("baselines", {})
    text = ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}"
        for name, value in {**_headline(metadata), **baselines}.items()
    )
    better = [
        name
        for name, loss in baselines.items()
        if loss < metadata["metrics"].get("prediction_loss", 0)
    ]
    if better:
        text += f"\nAs a forecast, {' and '.join(better)} would be better: it is an encoder."
    return text


def _headline(metadata: dict) -> dict[str, float]:
    """Return the metrics that a table has room for: of pixels, the nats."""
    metrics = metadata.get("metrics", {})
    numbers = {key: value for key, value in metrics.items() if isinstance(value, int | float)}
    return {key: value for key, value in numbers.items() if key.endswith(" nats")} or numbers
