"""The paper's Table 2, left column: moving MNIST."""

from pathlib import Path
from typing import Any

from keras_videolstm.data.digits import load_digits
from keras_videolstm.data.moving_mnist_test import MovingMNISTTest
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.evaluation import evaluate_frames
from keras_videolstm.training.frame_scores import FrameScores
from keras_videolstm.training.moving_mnist_recipes import (
    convolutional_recipe,
    table2_recipe,
)
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import RECIPE
from keras_videolstm.zoo_folder import find_checkpoint
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.reproduce_table2 import CONVOLUTIONAL, MOST_OF_CONVOLUTIONAL
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.published_results import LATER_NATS, PAPER_NATS, VLN
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

# Output, score and digits of each column.
_COLUMNS = {
    "future, free-running": ("prediction", "nats", 1),
    "MSE per frame": ("prediction", "mse", 1),
    "SSIM": ("prediction", "ssim", 3),
    "future, teacher-forced": ("prediction_forced", "nats", 1),
    "reconstruction": ("reconstruction", "nats", 1),
}


def table2(
    from_zoo: bool,
    rows: tuple[str, ...],
    units: int,
    training_sequences: int,
    repeats: int,
    test_sequences: int,
    mnist: str | None,
    out: Path,
) -> Made:
    """Run `reproduce table2`."""
    if from_zoo:
        check_published(f"{row}_moving_mnist" for row in rows)
    test = MovingMNISTTest(load_digits("test", mnist), sequences=test_sequences)
    measured: dict[str, list[dict[str, Any]]] = {}
    curves: dict[str, Curve] = {}
    for row in rows:
        runs = [find_checkpoint(f"{row}_moving_mnist")] if from_zoo else []
        for seed in range(1, 1 if from_zoo else repeats + 1):
            recipe = _recipe(row, units, training_sequences, seed)
            runs.append(trained(recipe, out / _folder(row, units, seed), out, mnist))
        measured[f"{row}_moving_mnist"] = [_measured(run, test) for run in runs]
        curves |= {run.name: points for run in runs if (points := curve(run))}
        table = _table(measured, test.description)
        files = write_rows(
            out,
            "table2",
            _as_markdown(table),
            measured,
            curves,
            ylabel="nats per frame of the future, free-running, validation digits",
            levels={"paper, composite": PAPER_NATS["composite"], "VLN": LATER_NATS[VLN]},
        )
    return Made({**table, "files": files}, _as_markdown(table))


def _recipe(row: str, units: int, sequences: int, seed: int) -> Recipe:
    if row == CONVOLUTIONAL:
        return convolutional_recipe(min(sequences, MOST_OF_CONVOLUTIONAL), seed)
    return table2_recipe(row, units, sequences, seed)


def _folder(row: str, units: int, seed: int) -> str:
    return f"{row}_seed{seed}" if row == CONVOLUTIONAL else f"{row}_{units}_seed{seed}"


def _measured(folder: Path, test: MovingMNISTTest) -> dict[str, Any]:
    """Return the scores, seed and budget of a run or a checkpoint."""
    recipe = Recipe.load(folder / RECIPE)
    return {
        "seed": recipe.seed,
        "sequences": recipe.training_sequences,
        "scores": FrameScores.for_json(_scores(model_of(folder), folder.name, test)),
    }


def _scores(model: VideoLSTM, label: str, test: MovingMNISTTest) -> dict[str, dict[str, float]]:
    line = ProgressLine(f"evaluate {label}", "sequences")
    scores = evaluate_frames(
        model, test.batches(100), progress=lambda done: line(done, test.sequences)
    )
    return {name: of_output.means() for name, of_output in scores.items()}


def _table(measured: dict[str, list[dict[str, Any]]], description: str) -> dict[str, Any]:
    rows = [
        {
            "model": name,
            "scores": {
                column: over_runs(
                    [run["scores"][output][score] for run in runs if output in run["scores"]]
                )
                for column, (output, score, _) in _COLUMNS.items()
            },
            "training_sequences": runs[0]["sequences"],
            "seeds": [run["seed"] for run in runs],
            "paper": PAPER_NATS.get(name.removesuffix("_moving_mnist")),
        }
        for name, runs in measured.items()
    ]
    return {"test_set": description, "rows": rows, "published_later": LATER_NATS}


def _as_markdown(table: dict[str, Any]) -> str:
    lines = [
        f"Test set: {table['test_set']}. Nats per frame, mean over runs (± standard deviation).",
        "",
        f"| model | {' | '.join(_COLUMNS)} | training sequences | seeds | paper: future |",
        "|---" * (4 + len(_COLUMNS)) + "|",
    ]
    for row in table["rows"]:
        cells = [as_text(row["scores"][name], digits) for name, (*_, digits) in _COLUMNS.items()]
        lines.append(
            f"| {row['model']} | {' | '.join(cells)} | {row['training_sequences']:,} "
            f"| {', '.join(map(str, row['seeds']))} | {row['paper'] or '–'} |"
        )
    empty = " |" * (2 + len(_COLUMNS))
    lines += [f"| {name} |{empty} {nats} |" for name, nats in table["published_later"].items()]
    return "\n".join(lines) + "\n"
