"""The paper's Table 2, right column: image patches."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.patch_recipes import patches_recipe
from keras_videolstm.training.percept_evaluation import BASELINE, evaluate_percepts
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import RECIPE
from keras_videolstm.zoo_folder import find_checkpoint
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.named_stores import named_store
from keras_videolstm_tools.work.table_rows import (
    Curve,
    as_text,
    check_published,
    curve,
    model_of,
    over_runs,
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


def table2_patches(
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
    """Run `reproduce table2_patches`."""
    if from_zoo:
        check_published(f"{row}_patches" for row in rows)
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
