"""The paper's Table 2, left column: moving MNIST."""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from keras_videolstm.checkpoints import list_checkpoints, load, load_metadata
from keras_videolstm.data.digits import load_digits
from keras_videolstm.data.moving_mnist_test import TEST_SEQUENCES, MovingMNISTTest
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training import train
from keras_videolstm.training.evaluation import evaluate_frames
from keras_videolstm.training.moving_mnist_recipes import ROWS, table2_recipe
from keras_videolstm.training.recipe import Recipe
from keras_videolstm_tools.progress import ProgressLine

# Nats per frame of the future, as published; ours are measured.
_PAPER = {
    "future_predictor": 350.2,
    "composite": 344.9,
    "conditional_future_predictor": 343.5,
    "conditional_composite": 341.2,
}
_LATER = {
    "ConvLSTM (Shi et al., 2015)": 367.2,
    "DFN (De Brabandere et al., 2016)": 285.2,
    "VLN (Cricri et al., 2016)": 187.7,
    "Patraucean et al. (2015)": 179.8,
    "VPN baseline (Kalchbrenner et al., 2017)": 110.1,
    "VPN (Kalchbrenner et al., 2017)": 87.6,
    "lower bound: the truth itself": 86.3,
}
_CONVOLUTIONAL = "composite_conv_moving_mnist"


@click.command(name="table2")
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
@click.option(
    "--units",
    type=click.IntRange(1),
    default=432,
    show_default=True,
    help="Units of each of the two layers; the paper has 2048.",
)
@click.option(
    "--training-sequences",
    type=click.IntRange(1),
    default=240_000,
    show_default=True,
    help="Sequences that each row learns from.",
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Runs a row.")
@click.option(
    "--sequences",
    type=click.IntRange(1, TEST_SEQUENCES),
    default=TEST_SEQUENCES,
    show_default=True,
    help="Of the test set, the first so many.",
)
@click.option("--mnist", type=click.Path(), help="mnist.npz, or a folder of MNIST's idx files.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of runs and results; runs in it are continued.",
)
def table2_command(
    from_zoo: bool,
    rows: tuple[str, ...],
    units: int,
    training_sequences: int,
    seeds: int,
    sequences: int,
    mnist: str | None,
    out: Path,
) -> None:
    """Table 2, moving MNIST: nats per frame of each model, free-running, beside the paper's.

    All rows are trained by the same recipe on the same number of sequences.

    \b
    Example:
      videolstm-tools reproduce table2 --from-zoo --mnist mnist.npz --out table2
      videolstm-tools reproduce table2 --units 2048 --mnist mnist.npz --out table2
    """
    test = MovingMNISTTest(load_digits("test", mnist), sequences=sequences)
    measured: dict[str, list[dict[str, Any]]] = {}
    if from_zoo:
        for name in [*(f"{row}_moving_mnist" for row in rows), _CONVOLUTIONAL]:
            measured[name] = [_measure_checkpoint(name, test)]
    else:
        for row in rows:
            recipes = [table2_recipe(row, units, training_sequences, s + 1) for s in range(seeds)]
            measured[recipes[0].name] = [
                _measure_run(recipe, out / f"{row}_{units}_seed{recipe.seed}", mnist, test)
                for recipe in recipes
            ]
    table = _as_markdown(measured, test.description)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "table2.json", json.dumps(measured, indent=2) + "\n")
    write_text(out / "table2.md", table)
    click.echo(table)


def _measure_checkpoint(name: str, test: MovingMNISTTest) -> dict[str, Any]:
    if name not in list_checkpoints():
        raise InputError(f"Expected the checkpoint {name} in the zoo. Received: no such checkpoint")
    budget = load_metadata(name).get("training_sequences")
    return {"sequences": budget, "scores": _scores(load(name), name, test)}


def _measure_run(
    recipe: Recipe, folder: Path, mnist: str | None, test: MovingMNISTTest
) -> dict[str, Any]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    result = train(recipe, folder, data_root=folder, mnist=mnist, announce=click.echo, verbose=2)
    return {
        "seed": recipe.seed,
        "sequences": recipe.training_sequences,
        "scores": _scores(result.model, folder.name, test),
    }


def _scores(model: VideoLSTM, label: str, test: MovingMNISTTest) -> dict[str, dict[str, float]]:
    line = ProgressLine(f"evaluate {label}", "sequences")
    scores = evaluate_frames(
        model, test.batches(100), progress=lambda done: line(done, test.sequences, done)
    )
    return {name: of_output.means() for name, of_output in scores.items()}


def _as_markdown(measured: dict[str, list[dict[str, Any]]], description: str) -> str:
    columns = ("prediction", "prediction_forced", "reconstruction")
    lines = [
        f"Test set: {description}. Nats per frame, mean over runs (± standard deviation).",
        "",
        "| model | future, free-running | MSE per frame | SSIM | future, teacher-forced "
        "| reconstruction | training sequences | paper: future |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, runs in measured.items():
        free, forced, rebuilt = (_over_runs(runs, column, "nats") for column in columns)
        mse, ssim = _over_runs(runs, "prediction", "mse"), _over_runs(runs, "prediction", "ssim", 3)
        budget = f"{runs[0]['sequences']:,}" if runs[0]["sequences"] else "–"
        paper = _PAPER.get(name.removesuffix("_moving_mnist"), "–")
        lines.append(
            f"| {name} | {free} | {mse} | {ssim} | {forced} | {rebuilt} | {budget} | {paper} |"
        )
    lines += [f"| {name} | | | | | | | {nats} |" for name, nats in _LATER.items()]
    return "\n".join(lines) + "\n"


def _over_runs(runs: list[dict[str, Any]], output: str, score: str, digits: int = 1) -> str:
    if output not in runs[0]["scores"]:
        return "–"
    values = [run["scores"][output][score] for run in runs]
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.{digits}f}"
