"""From a finished run to what a zoo entry holds."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_videolstm.data.digits import Digits, load_digits
from keras_videolstm.data.moving_mnist_test import TEST_SEQUENCES, TEST_STEPS, MovingMNISTTest
from keras_videolstm.errors import InputError
from keras_videolstm.half_precision import narrow
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.compiled_model import build_model
from keras_videolstm.training.evaluation import TARGET, evaluate_frames
from keras_videolstm.training.frame_scores import FrameScores
from keras_videolstm.training.percept_evaluation import BASELINE, evaluate_percepts
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import RECIPE, load_best_weights
from keras_videolstm.training.run_keeper import RunKeeper
from keras_videolstm.training.told_steps import Progress

_RESULTS = "<!-- results -->"
_TEST_BATCH = 20


def published_run(
    run: Path,
    data_root: Path,
    mnist: str | None,
    card: Path,
    test_sequences: int = TEST_SEQUENCES,
    progress: Progress | None = None,
) -> tuple[VideoLSTM, dict[str, Any], dict[str, str]]:
    """Return a run's best model, its metadata and further files for `checkpoints.save`.

    Args:
        run: folder of a run that went to its end.
        data_root, mnist: as in `train`; the validation part is measured again, of moving MNIST
            the test set.
        card: model card in Markdown; the line `<!-- results -->` is replaced by the results.
        test_sequences: of moving MNIST's test set, the first so many; default all 10,000.
        progress: called with the number of sequences measured, and of all that will be.

    Raises:
        InputError: if the run is not finished, or the card cannot be read.

    Example:
        >>> model, metadata, files = published_run(
        ...     Path("run"), Path("percepts"), None, Path("card.md")
        ... )
    """
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Expected a model card in UTF-8. Received: {card} ({error})") from error
    recipe = Recipe.load(run / RECIPE)
    keeper = RunKeeper(run)
    if keeper.epochs_done < recipe.training.epochs:
        raise InputError(
            f"Expected a run of {recipe.training.epochs} epochs. "
            f"Received: {run}, which stands at {keeper.epochs_done}; `train` continues it"
        )
    source = ClipSource(recipe, data_root, mnist)
    RunKeeper(run, data=source.fingerprint)  # refuses others
    model = build_model(recipe)
    load_best_weights(model, run)
    _round_as_on_disk(model)
    if recipe.data.kind == "moving_mnist":
        digits = load_digits("test", mnist)
        results = _measure_pixels(model, recipe, digits, test_sequences, progress)
    else:
        results = _measure_percepts(model, recipe, source, progress)
    metadata: dict[str, Any] = {
        "description": recipe.description,
        "input_steps": recipe.model.input_steps,
        "prediction_steps": recipe.model.prediction_steps,
        "data": source.describe(),
        "training_sequences": recipe.training_sequences,
        "best_epoch": keeper.best_epoch,
        "training_precision": keeper.load_model().get_config()["dtype"],
        "metrics": results.metrics,
        "protocol": results.protocol,
    }
    if recipe.training.start:
        metadata["start"] = {
            "checkpoint": recipe.training.start,
            "sha256": recipe.training.start_sha256,
        }
    if recipe.data.kind == "percepts":
        metadata["percepts"] = source.percept_settings()
    files = {
        "recipe.toml": recipe.to_toml(),
        "history.csv": (run / "history.csv").read_text(encoding="utf-8"),
        "README.md": text.replace(_RESULTS, results.table),
        **results.files,
    }
    return model, metadata, files


@dataclass
class _Results:
    """What was measured: numbers for the metadata, a table for the card, further files."""

    metrics: dict[str, Any]
    protocol: str
    table: str
    files: dict[str, str] = field(default_factory=dict)


def _round_as_on_disk(model: VideoLSTM) -> None:
    """Round weights as the entry's file will: what is measured is what is published."""
    for variable in model.weights:
        variable.assign(narrow(variable.numpy()).astype("float32"))


def _counted(total: int, progress: Progress | None) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(done, total)


def _measure_pixels(
    model: VideoLSTM,
    recipe: Recipe,
    digits: Digits,
    sequences: int,
    progress: Progress | None,
) -> _Results:
    """Measure on the fixed test set of moving MNIST."""
    read, predicted = recipe.model.input_steps, recipe.model.prediction_steps
    test = MovingMNISTTest(digits, max(read + predicted, TEST_STEPS), sequences=sequences)
    scores = evaluate_frames(
        model, test.batches(_TEST_BATCH), read, predicted, _counted(test.sequences, progress)
    )
    metrics = {
        f"{name} {score}": value
        for name, of_output in scores.items()
        if name != TARGET
        for score, value in of_output.means().items()
    }
    lines = ["| test set | nats/frame | MSE/frame | SSIM | PSNR, dB |", "|---|---|---|---|---|"]
    for name, of_output in scores.items():
        nats, mse, ssim, psnr = of_output.means().values()
        lines.append(f"| {name} | {nats:.1f} | {mse:.1f} | {ssim:.3f} | {psnr:.2f} |")
    by_frame = {name: s.by_frame() for name, s in scores.items() if name != TARGET}
    return _Results(
        metrics,
        f"{test.description}; {read} frames read, {predicted} predicted; free-running but for "
        "*_forced; mean over sequences and frames; nats and MSE are sums over a frame's pixels",
        "\n".join(lines),
        {"test_scores.json": json.dumps(FrameScores.for_json(by_frame), indent=2) + "\n"},
    )


def _measure_percepts(
    model: VideoLSTM, recipe: Recipe, source: ClipSource, progress: Progress | None
) -> _Results:
    """Measure on the test part, or else the validation part, beside what learns nothing."""
    counted = _counted(recipe.data.validation_windows, progress)
    scores = evaluate_percepts(model, source.scored_windows(), recipe.model.input_steps, counted)
    means = {name: float(values.mean()) for name, values in scores.items()}
    metrics: dict[str, Any] = {
        f"{name}_loss": value for name, value in means.items() if not name.startswith(BASELINE)
    }
    baselines = {
        name.removeprefix(BASELINE): value
        for name, value in means.items()
        if name.startswith(BASELINE)
    }
    if baselines:
        metrics["baselines"] = baselines
    part = "test" if recipe.data.test else "validation"
    lines = [f"| loss per frame, {part} part | this model |", "|---|---|"]
    lines += [f"| {name} | {value:.2f} |" for name, value in means.items()]
    by_frame = {name: values.tolist() for name, values in scores.items()}
    return _Results(
        metrics,
        f"fixed set of {recipe.data.validation_windows} windows of the recipe's {part} part, "
        "free-running but for *_forced; mean over windows and frames",
        "\n".join(lines),
        {f"{part}_scores.json": json.dumps(by_frame, indent=2) + "\n"},
    )
