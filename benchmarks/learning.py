"""What makes the fully connected models learn more from each sequence and each second.

    python -m keras_videolstm_benchmarks.learning --mnist MNIST --out FOLDER

trains a two-layer Composite on moving MNIST again and again, one thing changed at a time, on the
same number of sequences, and writes a table of what it reached on its validation digits.
"""

import dataclasses
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import keras

from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.fit import build_model, compile_model
from keras_videolstm.training.moving_mnist_recipes import table2_recipe
from keras_videolstm.training.precision import FULL, LOW
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.scheduled_sampling import ScheduledSampling

_BASE = "base"
_FIRST_STEPS = 5


@dataclass(frozen=True)
class Variation:
    """One thing that is changed.

    Attributes:
        changes: of the recipe, by table and key.
        before: changes that hold for the first half of the training alone.
        average: decay of a moving average of the weights, which is what is measured; 0 is none.
    """

    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    average: float = 0.0


VARIATIONS = {
    _BASE: Variation(),
    "input gain 1 (Glorot)": Variation({"model": {"input_gain": 1.0}}),
    "input gain 3": Variation({"model": {"input_gain": 3.0}}),
    "no clipping": Variation({"optimizer": {"clipnorm": 0.0}}),
    "clipping at 0.1": Variation({"optimizer": {"clipnorm": 0.1}}),
    "learning rate halved": Variation({"optimizer": {"learning_rate": 1e-3}}),
    "learning rate doubled": Variation({"optimizer": {"learning_rate": 4e-3}}),
    "constant learning rate": Variation({"optimizer": {"schedule": "constant"}}),
    "RMSProp, rate 5e-4": Variation({"optimizer": {"name": "rmsprop", "learning_rate": 5e-4}}),
    "batch 8": Variation({"training": {"batch_size": 8}}),
    "batch 32": Variation({"training": {"batch_size": 32}}),
    "batch 100": Variation({"training": {"batch_size": 100}}),
    "no peepholes": Variation({"model": {"peepholes": False}}),
    "float32": Variation({"training": {"precision": FULL}}),
    "half the horizon first": Variation(before={"model": {"prediction_steps": 5}}),
    "half the speed first": Variation(before={"data": {"speed": 0.05}}),
    "weights averaged (0.995)": Variation(average=0.995),
    "constant rate, averaged (0.995)": Variation(
        {"optimizer": {"schedule": "constant"}}, average=0.995
    ),
    "1024 units": Variation({"model": {"units": [1024, 1024]}}),
    "conditional, forced": Variation({"model": {"variant": "conditional_composite"}}),
    "conditional, sampled": Variation(
        {
            "model": {"variant": "conditional_composite"},
            "sampling": {"rate": 1.0, "last_step": 1},
        }
    ),
}


def _changed(recipe: Recipe, changes: dict[str, dict[str, Any]]) -> Recipe:
    tables = {
        table: dataclasses.replace(getattr(recipe, table), **values)
        for table, values in changes.items()
    }
    return dataclasses.replace(recipe, **tables)


def measure(variation: Variation, sequences: int, mnist: str) -> dict[str, float]:
    """Train once; return the validation losses and the seconds of a thousand sequences."""
    recipe = table2_recipe("composite", sequences=sequences)
    recipe = _changed(recipe, _merged({"training": {"precision": LOW}}, variation.changes))
    steps = sequences // recipe.training.batch_size
    # The schedule goes by the number of steps.
    spans = {"steps_per_epoch": steps, "epochs": 1}
    recipe = _changed(recipe, {"training": spans})
    if recipe.sampling.rate:
        recipe = _changed(recipe, {"sampling": {"last_step": steps // 2}})
    keras.utils.set_random_seed(recipe.seed)
    model = _made(_changed(recipe, variation.before), variation.average)
    # The first steps make the graph; they are not timed.
    _fit(model, _changed(recipe, variation.before), mnist, 0, _FIRST_STEPS)
    start, done = time.monotonic(), _FIRST_STEPS
    if variation.before:
        _fit(model, _changed(recipe, variation.before), mnist, done, steps // 2)
        model, done = _taken_over(model, recipe), steps // 2
    _fit(model, recipe, mnist, done, steps)
    seconds = time.monotonic() - start
    if variation.average:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    losses = model.evaluate(
        ClipSource(recipe, Path(), mnist).validation(), verbose=0, return_dict=True
    )
    trained = (steps - _FIRST_STEPS) * recipe.training.batch_size
    return {
        "prediction": losses["prediction_loss"],
        "reconstruction": losses["reconstruction_loss"],
        "seconds per 1000": 1000 * seconds / trained,
    }


def _made(recipe: Recipe, average: float) -> VideoLSTM:
    model = build_model(recipe, recipe.training.precision)
    compile_model(model, recipe)
    model.optimizer.use_ema = bool(average)
    model.optimizer.ema_momentum = average or None
    return model


def _taken_over(before: VideoLSTM, recipe: Recipe) -> VideoLSTM:
    """Return a model of the recipe that goes on where another stands."""
    model = _made(recipe, 0.0)
    model.set_weights(before.get_weights())
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, before.optimizer.variables, strict=True):
        variable.assign(value)
    return model


def _fit(model: VideoLSTM, recipe: Recipe, mnist: str, first: int, last: int) -> None:
    spec = recipe.sampling
    callbacks = (
        [ScheduledSampling(model, spec.rate, spec.first_step, spec.last_step)] if spec.rate else []
    )
    batches = ClipSource(recipe, Path(), mnist).training(first)
    model.fit(batches, steps_per_epoch=last - first, verbose=0, callbacks=callbacks)


def _merged(*changes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    for change in changes:
        for table, values in change.items():
            tables[table] = {**tables.get(table, {}), **values}
    return tables


def as_markdown(results: dict[str, dict[str, float]], sequences: int) -> str:
    """Return the table."""
    base = results.get(_BASE)
    lines = [
        f"Composite, 2x432, after {sequences:,} sequences; nats per frame, free-running, "
        "500 validation sequences; one seed.",
        "",
        "| changed | future | reconstruction | time |",
        "|---|---|---|---|",
    ]
    for name, result in results.items():
        ratio = result["seconds per 1000"] / base["seconds per 1000"] if base else float("nan")
        lines.append(
            f"| {name} | {result['prediction']:.1f} | {result['reconstruction']:.1f} "
            f"| {ratio:.2f} |"
        )
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--mnist", required=True, help="mnist.npz, or a folder of MNIST's idx files.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of results.")
@click.option("--sequences", default=24_000, show_default=True, help="To train on.")
@click.option("--only", multiple=True, type=click.Choice(list(VARIATIONS)), help="A variation.")
def main(mnist: str, out: Path, sequences: int, only: tuple[str, ...]) -> None:
    """Measure every variation; those already in the folder are not measured again."""
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "learning.json"
    results = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    for name in only or VARIATIONS:
        if name in results:
            continue
        results[name] = measure(VARIATIONS[name], sequences, mnist)
        keras.utils.clear_session()
        write_text(kept, json.dumps(results, indent=2) + "\n")
        click.echo(f"{name}: {results[name]}")
    write_text(out / "learning.md", as_markdown(results, sequences))
    click.echo(as_markdown(results, sequences))


if __name__ == "__main__":
    main()
