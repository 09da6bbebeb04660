"""Rows of the paper's Table 2: a recipe each, trained once a seed, or a published checkpoint."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from keras_videolstm.checkpoints import WEIGHTS, load
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training import train
from keras_videolstm.training.compiled_model import build_model
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import RECIPE, load_best_weights
from keras_videolstm.visualization import draw_learning
from keras_videolstm.zoo_folder import list_checkpoints
from keras_videolstm_tools.work.films import write_figure

_LOSS = "val_prediction_loss"

Curve = tuple[list[int], list[float]]
OverRuns = dict[str, float | None] | None
"""Mean and standard deviation; of one run no deviation, of none nothing."""


def check_published(names: Iterable[str]) -> None:
    """Check that the zoo has all rows, before the first is measured."""
    missing = sorted(set(names) - set(list_checkpoints()))
    if missing:
        raise InputError(f"Expected checkpoints of all rows in the zoo. Received: no {missing}")


def trained(recipe: Recipe, folder: Path, data_root: Path, mnist: str | None = None) -> Path:
    """Train what is not trained yet; return the folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    train(recipe, folder, data_root=data_root, mnist=mnist, announce=click.echo, verbose=2)
    return folder


def model_of(folder: Path) -> VideoLSTM:
    """Return the model of a checkpoint, or of a run at its best."""
    if (folder / WEIGHTS).is_file():
        return load(str(folder))
    model = build_model(Recipe.load(folder / RECIPE))
    load_best_weights(model, folder)
    return model


def curve(folder: Path) -> Curve | None:
    """Return the sequences learned from and the loss of the future, epoch by epoch."""
    with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
        history = list(csv.DictReader(file))
    if _LOSS not in history[0]:
        return None
    recipe = Recipe.load(folder / RECIPE)
    an_epoch = recipe.training.steps_per_epoch * recipe.training.batch_size
    return (
        [an_epoch * epoch for epoch in range(1, len(history) + 1)],
        [float(row[_LOSS]) for row in history],
    )


def over_runs(values: list[float]) -> OverRuns:
    """Return the mean over runs, with the standard deviation where there is more than one."""
    if not values:
        return None
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": deviation}


def as_text(number: OverRuns, digits: int = 1) -> str:
    """Return a mean over runs as a table has it."""
    if number is None:
        return "–"
    mean, deviation = number["mean"], number["std"]
    return f"{mean:.{digits}f}" + ("" if deviation is None else f" ± {deviation:.{digits}f}")


def write_rows(
    folder: Path,
    name: str,
    table: str,
    measured: Mapping[str, Any],
    curves: Mapping[str, Curve],
    *,
    ylabel: str,
    levels: Mapping[str, float],
) -> list[str]:
    """Write the rows that there are up to now, the table and the curves; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.json", folder / f"{name}.md"]
    write_text(paths[0], json.dumps(measured, indent=2, allow_nan=False) + "\n")
    write_text(paths[1], table)
    if curves:
        figure = draw_learning(curves, xlabel="training sequences", ylabel=ylabel, levels=levels)
        paths.append(write_figure(figure, folder, name))
    return [str(path) for path in paths]
