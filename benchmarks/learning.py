"""What makes the models learn more from each sequence and each second.

    python -m keras_videolstm_benchmarks.learning connected --mnist MNIST --out FOLDER
    python -m keras_videolstm_benchmarks.learning convolutional --mnist MNIST --out FOLDER

trains a Composite on moving MNIST again and again, one thing changed at a time, on the same number
of sequences, and writes a table of what it reached on its validation digits. The first is fully
connected; the second is convolutional and conditional.
"""

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import keras

from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.compiled_model import build_model, compile_model
from keras_videolstm.training.moving_mnist_recipes import convolutional_recipe, table2_recipe
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
        sampled: whether the decoder's own frames take over in the first half.
    """

    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    average: float = 0.0
    sampled: bool = False


_CONNECTED = {
    _BASE: Variation(),
    "input gain 1 (Glorot)": Variation({"model": {"input_gain": 1.0}}),
    "input gain 3": Variation({"model": {"input_gain": 3.0}}),
    "no clipping": Variation({"optimizer": {"clipnorm": 0.0}}),
    "clipping at 0.1": Variation({"optimizer": {"clipnorm": 0.1}}),
    "learning rate halved": Variation({"optimizer": {"learning_rate": 1e-3}}),
    "learning rate doubled": Variation({"optimizer": {"learning_rate": 4e-3}}),
    "constant learning rate": Variation({"optimizer": {"schedule": "constant"}}),
    "RMSProp, rate 5e-4": Variation({"optimizer": {"name": "rmsprop", "learning_rate": 5e-4}}),
    "Muon": Variation({"optimizer": {"name": "muon"}}),
    "batch 8": Variation({"training": {"batch_size": 8}}),
    "batch 32": Variation({"training": {"batch_size": 32}}),
    "batch 100": Variation({"training": {"batch_size": 100}}),
    "no peepholes": Variation({"model": {"peepholes": False}}),
    "half the horizon first": Variation(before={"model": {"prediction_steps": 5}}),
    "half the speed first": Variation(before={"data": {"speed": 0.05}}),
    "weights averaged (0.995)": Variation(average=0.995),
    "constant rate, averaged (0.995)": Variation(
        {"optimizer": {"schedule": "constant"}}, average=0.995
    ),
    "1024 units": Variation({"model": {"units": [1024, 1024]}}),
    "conditional, forced": Variation({"model": {"variant": "conditional_composite"}}),
    "conditional, sampled": Variation(
        {"model": {"variant": "conditional_composite"}}, sampled=True
    ),
}


_CONVOLUTIONAL = {
    _BASE: Variation(),
    "Adam": Variation({"optimizer": {"name": "adam"}}),
    "one scale, 2x48": Variation({"model": {"units": [48, 48]}, "convolution": {"strides": []}}),
    "one scale, 2x48, Adam": Variation(
        {
            "model": {"units": [48, 48]},
            "convolution": {"strides": []},
            "optimizer": {"name": "adam"},
        }
    ),
    "neither sees nor writes motion": Variation({"convolution": {"max_displacement": 0}}),
    "told how things have moved": Variation({"convolution": {"motion_tracks": True}}),
    "fully connected, 2x432, batch 16, Adam": Variation(
        {
            "model": {"units": [432, 432], "convolution": None, "input_gain": 10.0},
            "optimizer": {"name": "adam"},
            "training": {"batch_size": 16},
        }
    ),
    "half the filters": Variation({"model": {"units": [24, 48, 64]}}),
    "kernels of 5": Variation({"convolution": {"kernel_size": 5}}),
    "peepholes": Variation({"model": {"peepholes": True}}),
    "input gain 1 (Glorot)": Variation({"model": {"input_gain": 1.0}}),
    "learning rate halved": Variation({"optimizer": {"learning_rate": 1e-3}}),
    "learning rate doubled": Variation({"optimizer": {"learning_rate": 4e-3}}),
    "batch 4": Variation({"training": {"batch_size": 4}}),
    "batch 8": Variation({"training": {"batch_size": 8}}),
    "never sampled": Variation({"sampling": {"rate": 0.0}}),
}


@dataclass(frozen=True)
class Study:
    """What is varied.

    Attributes:
        recipe: makes the base from a number of sequences.
        variations: by name.
        sequences: to train on.
    """

    recipe: Callable[[int], Recipe]
    variations: dict[str, Variation]
    sequences: int


STUDIES = {
    "connected": Study(
        lambda sequences: table2_recipe("composite", sequences=sequences), _CONNECTED, 12_000
    ),
    "convolutional": Study(convolutional_recipe, _CONVOLUTIONAL, 1_600),
}


def _changed(recipe: Recipe, changes: dict[str, dict[str, Any]]) -> Recipe:
    tables = {
        table: dataclasses.replace(getattr(recipe, table), **values)
        for table, values in changes.items()
        if table != "convolution"
    }
    if "convolution" in changes:
        model = tables.get("model", recipe.model)
        convolution = dataclasses.replace(model.convolution, **changes["convolution"])
        tables["model"] = dataclasses.replace(model, convolution=convolution)
    return dataclasses.replace(recipe, **tables)


def measure(base: Recipe, variation: Variation, sequences: int, mnist: str) -> dict[str, float]:
    """Train once; return the validation losses and the seconds of a thousand sequences."""
    recipe = _changed(base, variation.changes)
    steps = sequences // recipe.training.batch_size
    # The schedule goes by the number of steps.
    spans = {"steps_per_epoch": steps, "epochs": 1}
    recipe = _changed(recipe, {"training": spans})
    if recipe.sampling.rate:
        # By the same part of the training, however many sequences a step takes.
        first, last = (
            step * steps // base.steps
            for step in (recipe.sampling.first_step, recipe.sampling.last_step)
        )
        recipe = _changed(recipe, {"sampling": {"first_step": first, "last_step": last}})
    if variation.sampled:
        recipe = _changed(recipe, {"sampling": {"rate": 1.0, "last_step": steps // 2}})
    half = steps // 2 if variation.before else 0
    if min(half or steps, steps - half) <= _FIRST_STEPS:
        raise click.BadParameter(f"Expected more sequences. Received: {sequences}, {steps} steps")
    keras.utils.set_random_seed(recipe.seed)
    seconds = 0.0
    if half:
        first = _changed(recipe, variation.before)
        begun = _made(first, variation.average)
        seconds += _fit(begun, first, mnist, 0, half)
        model = _taken_over(begun, recipe)
    else:
        model = _made(recipe, variation.average)
    seconds += _fit(model, recipe, mnist, half, steps)
    if variation.average:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    losses = model.evaluate(
        ClipSource(recipe, Path(), mnist).validation(), verbose=0, return_dict=True
    )
    timed = steps - _FIRST_STEPS * (2 if half else 1)
    of_outputs = {key.removesuffix("_loss"): value for key, value in losses.items() if "_" in key}
    return {**of_outputs, "seconds per 1000": 1000 * seconds / (timed * recipe.training.batch_size)}


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


def _fit(model: VideoLSTM, recipe: Recipe, mnist: str, first: int, last: int) -> float:
    """Train from one step to another; return the seconds but for those of the first steps."""
    spec = recipe.sampling
    callbacks = (
        [ScheduledSampling(model, spec.rate, spec.first_step, spec.last_step)] if spec.rate else []
    )
    # The first steps make the graph.
    for start, end in ((first, first + _FIRST_STEPS), (first + _FIRST_STEPS, last)):
        began = time.monotonic()
        batches = ClipSource(recipe, Path(), mnist).training(start)
        model.fit(batches, steps_per_epoch=end - start, verbose=0, callbacks=callbacks)
    return time.monotonic() - began


def as_markdown(
    results: dict[str, dict[str, float]], study: str, sequences: int, precision: str
) -> str:
    """Return the table."""
    columns = list(dict.fromkeys(key for result in results.values() for key in result))
    columns.remove("seconds per 1000")
    lines = [
        f"Study `{study}`: after {sequences:,} sequences in {precision}; nats per frame on the "
        "validation sequences (free-running, but for `forced`), one seed; time for as many.",
        "",
        f"| changed | {' | '.join(columns)} | time |",
        "|---" * (len(columns) + 2) + "|",
    ]
    base = results.get(_BASE)
    for name, result in results.items():
        ratio = result["seconds per 1000"] / base["seconds per 1000"] if base else float("nan")
        losses = " | ".join(f"{result[c]:.1f}" if c in result else "" for c in columns)
        lines.append(f"| {name} | {losses} | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.argument("study", type=click.Choice(list(STUDIES)))
@click.option("--mnist", required=True, help="mnist.npz, or a folder of MNIST's idx files.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of results.")
@click.option(
    "--training-sequences", type=click.IntRange(16), help="To train on.  [default: the study's]"
)
@click.option(
    "--precision", type=click.Choice([FULL, LOW]), default=FULL, show_default=True, help="Of all."
)
@click.option("--only", multiple=True, help="A variation.")
def main(
    study: str,
    mnist: str,
    out: Path,
    training_sequences: int | None,
    precision: str,
    only: tuple[str, ...],
) -> None:
    """Measure every variation; those already in the folder are not measured again."""
    chosen = STUDIES[study]
    if unknown := set(only) - set(chosen.variations):
        raise click.BadParameter(f"Expected some of {list(chosen.variations)}. Received: {unknown}")
    sequences = training_sequences or chosen.sequences
    out.mkdir(parents=True, exist_ok=True)
    base = _changed(chosen.recipe(sequences), {"training": {"precision": precision}})
    kept = out / f"learning_{study}_{sequences}_{precision}.json"
    results = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    for name in only or chosen.variations:
        if name in results:
            continue
        results[name] = measure(base, chosen.variations[name], sequences, mnist)
        keras.utils.clear_session()
        write_text(kept, json.dumps(results, indent=2) + "\n")
        click.echo(f"{name}: {results[name]}")
    table = as_markdown(results, study, sequences, precision)
    write_text(kept.with_suffix(".md"), table)
    click.echo(table)


if __name__ == "__main__":
    main()
