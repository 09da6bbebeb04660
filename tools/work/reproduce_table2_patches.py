"""The paper's Table 2, right column: image patches."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from keras_videolstm.checkpoints import find_checkpoint
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.moving_mnist_recipes import ROWS
from keras_videolstm.training.patch_recipes import patches_recipe
from keras_videolstm.training.percept_evaluation import BASELINE, evaluate_percepts
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import RECIPE
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import repeats_option
from keras_videolstm_tools.work.named_stores import named_store
from keras_videolstm_tools.work.table_rows import (
    Curve,
    as_text,
    check_published,
    curve,
    model_of,
    over_runs,
    refuse_with_zoo,
    trained,
    write_rows,
)

# Squared error of the future on patches of UCF-101, as published; ours are measured.
_PAPER = {
    "future_predictor": 225.2,
    "composite": 210.7,
    "conditional_future_predictor": 221.3,
    "conditional_composite": 208.1,
}
_COLUMNS = {
    "future, free-running": "prediction",
    "future, teacher-forced": "prediction_forced",
    "reconstruction": "reconstruction",
}
_OF_TRAINING = ("train", "validation", "test", "units", "training_sequences", "repeats")


def _stores(part: str, what: str) -> Any:
    return click.option(
        f"--{part}",
        multiple=True,
        metavar="STORE",
        help=f"Store of patches that {what}, of which groups may be named: ucf.h5:g16-g25; may be "
        "given more than once.",
    )


@click.command(name="table2_patches")
@click.option(
    "--from-zoo", is_flag=True, help="Only measure the published checkpoints; train nothing."
)
@click.option(
    "--row",
    "rows",
    multiple=True,
    type=click.Choice(ROWS),
    default=ROWS,
    help="A row; may be given more than once.  [default: all]",
)
@_stores("train", "is learned from")
@_stores("validation", "chooses the best epoch")
@_stores("test", "is scored on, once")
@click.option(
    "--root",
    "data_root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder that the stores are relative to.  [default: this one]",
)
@click.option(
    "--units",
    type=click.IntRange(1),
    default=432,
    show_default=True,
    help="Units of each of the two layers; the paper has 2048, then 4096.",
)
@click.option(
    "--training-sequences",
    type=click.IntRange(1),
    default=120_000,
    show_default=True,
    help="Sequences that each row learns from.",
)
@repeats_option(default=1)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of runs and results; runs in it are continued.",
)
@click.pass_context
@with_json
def table2_patches_command(
    context: click.Context,
    from_zoo: bool,
    rows: tuple[str, ...],
    train: tuple[str, ...],
    validation: tuple[str, ...],
    test: tuple[str, ...],
    data_root: Path,
    units: int,
    training_sequences: int,
    repeats: int,
    out: Path,
) -> Made:
    """Table 2, image patches: squared error of each model, free-running, beside the paper's.

    All rows are trained by the same recipe on the same number of sequences. Half the squared error
    is summed over a frame's pixels, each standardised by its channel in the training part, which
    is what the paper's numbers seem to be; below stands what predicts without learning.

    \b
    Example:
      videolstm-tools extract videos --percepts patches --fps 15 --crops 4 --out patches.h5
      videolstm-tools reproduce table2_patches --train patches.h5:g16-g25 \\
          --validation patches.h5:g13-g15 --test patches.h5:g08-g12 --out table2_patches
    """
    if from_zoo:
        refuse_with_zoo(context, *_OF_TRAINING)
        check_published(f"{row}_patches" for row in rows)
    elif not (train and validation and test):
        raise click.UsageError("Expected --train, --validation and --test, or --from-zoo.")
    stores = [[named_store(text) for text in part] for part in (train, validation, test)]
    measured: dict[str, list[dict[str, Any]]] = {}
    curves: dict[str, Curve] = {}
    for row in rows:
        runs = [find_checkpoint(f"{row}_patches")] if from_zoo else []
        for seed in range(1, 1 if from_zoo else repeats + 1):
            recipe = patches_recipe(row, *stores, units, training_sequences, seed)
            runs.append(trained(recipe, out / f"{row}_{units}_seed{seed}", data_root))
        measured[row] = [_measured(run, data_root) for run in runs]
        curves |= {run.name: points for run in runs if (points := curve(run))}
        table = _table(measured)
        files = write_rows(
            out,
            "table2_patches",
            _as_markdown(table),
            measured,
            curves,
            ylabel="squared error of the future, free-running, validation part",
            levels={"paper, composite": _PAPER["composite"]},
        )
    return Made({**table, "files": files}, _as_markdown(table))


def _measured(folder: Path, data_root: Path) -> dict[str, Any]:
    """Return the scores, seed and budget of a run or a checkpoint."""
    recipe = Recipe.load(folder / RECIPE)
    windows, count = ClipSource(recipe, data_root).scored_windows(), recipe.data.validation_windows
    line = ProgressLine(f"evaluate {folder.name}", "windows")
    scores = evaluate_percepts(
        model_of(folder),
        windows,
        recipe.model.input_steps,
        progress=lambda done: line(done, count),
    )
    return {
        "seed": recipe.seed,
        "sequences": recipe.training_sequences,
        "windows": count,
        "scores": {name: float(values.mean()) for name, values in scores.items()},
    }


def _table(measured: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rows = [
        {
            "model": row,
            "scores": {
                column: over_runs(
                    [run["scores"][output] for run in runs if output in run["scores"]]
                )
                for column, output in _COLUMNS.items()
            },
            "training_sequences": runs[0]["sequences"],
            "seeds": [run["seed"] for run in runs],
            "paper": _PAPER.get(row),
        }
        for row, runs in measured.items()
    ]
    windows = next(iter(measured.values()))[0]["windows"]
    return {"test_windows": windows, "rows": rows, "baselines": _baselines(measured)}


def _as_markdown(table: dict[str, Any]) -> str:
    lines = [
        f"{table['test_windows']:,} windows of the test part. Half the squared error of "
        "standardised pixels, summed over a frame, mean over frames, windows and runs (± standard "
        "deviation).",
        "",
        f"| model | {' | '.join(_COLUMNS)} | training sequences | seeds "
        "| paper: future, other videos |",
        "|---" * (4 + len(_COLUMNS)) + "|",
    ]
    for row in table["rows"]:
        cells = [as_text(row["scores"][column]) for column in _COLUMNS]
        lines.append(
            f"| {row['model']} | {' | '.join(cells)} | {row['training_sequences']:,} "
            f"| {', '.join(map(str, row['seeds']))} | {row['paper'] or '–'} |"
        )
    empty = " |" * (2 + len(_COLUMNS))
    lines += [f"| {name} | {value:.1f} |{empty}" for name, value in table["baselines"].items()]
    return "\n".join(lines) + "\n"


def _baselines(measured: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Return what scores without learning, which is the same for all rows that were measured."""
    names: dict[str, list[float]] = {}
    for run in (run for runs in measured.values() for run in runs):
        for name, value in run["scores"].items():
            if name.startswith(BASELINE):
                names.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in names.items()}
