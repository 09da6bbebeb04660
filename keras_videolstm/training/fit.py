"""Run a recipe; take up again what was interrupted."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.layers.frame_inputs import FrameInputs
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.compiled_model import build_model, compile_model, is_fused
from keras_videolstm.training.distribution import (
    agree,
    check_batches,
    fit_on_devices,
    is_chief,
    naming_lost_workers,
    strategy_of,
)
from keras_videolstm.training.on_jax import train_on_jax
from keras_videolstm.training.precision import AUTO, FULL, Places, Precision, pick_precision
from keras_videolstm.training.recipe import OptimizerRecipe, Recipe
from keras_videolstm.training.run_folder import (
    RECIPE,
    TENSORBOARD,
    TrainingResult,
    check_folder,
    load_best_weights,
)
from keras_videolstm.training.run_keeper import RunKeeper
from keras_videolstm.training.scheduled_sampling import ScheduledSampling
from keras_videolstm.training.start import pinned, take_weights
from keras_videolstm.training.variables import make_variables


def train(
    recipe: Recipe,
    out: Path,
    *,
    data_root: Path,
    mnist: str | None = None,
    resume: bool = True,
    distribute: str = "none",
    verbose: int | str = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    announce: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Train a VideoLSTM by a recipe into a folder.

    A run that was killed continues from its last complete epoch, to the same result: batches are a
    function of seed and step, and optimiser and dropout states are saved. With Keras on JAX it is
    `train_on_jax` that runs, and `announce` that is told of epochs, not the terminal.

    Args:
        recipe: the run.
        out: its folder.
        data_root: folder that the recipe's stores are relative to.
        mnist: for moving MNIST, as `load_digits` takes it.
        resume: take up the run that the folder holds; otherwise a folder with a run is refused.
        distribute: as `strategy_of` takes it; several workers need one shared folder `out`.
        verbose: as in `keras.Model.fit`.
        callbacks: further Keras callbacks.
        announce: called with lines for people: the precision that was picked, and the losses of
            the checkpoint that the run starts from.

    Returns:
        The result, with the weights of the best validation loss.

    Raises:
        InputError: if data is missing, the folder holds another run, or the loss is not finite.
        WorkerLost: if another worker of a distributed run went away.

    Example:
        >>> result = train(Recipe.load("recipe.toml"), Path("run"), data_root=Path("data"))
        >>> result.model.forecast(clip)
    """
    if keras.backend.backend() == "jax":
        if distribute != "none" or callbacks:
            raise InputError(
                f"Expected --distribute none, and no callbacks, with Keras on JAX. "
                f"Received: {distribute!r}, {len(callbacks)} callbacks"
            )
        return train_on_jax(recipe, out, mnist=mnist, resume=resume, announce=announce)
    with naming_lost_workers(distribute):
        return _train(
            recipe, out, data_root, mnist, resume, distribute, verbose, callbacks, announce
        )


def _train(
    recipe: Recipe,
    out: Path,
    data_root: Path,
    mnist: str | None,
    resume: bool,
    distribute: str,
    verbose: int | str,
    callbacks: Sequence[keras.callbacks.Callback],
    announce: Callable[[str], None] | None,
) -> TrainingResult:
    recipe = pinned(recipe, out)
    settings = recipe.training
    if RunKeeper(out).epochs_done >= settings.epochs:
        # The other workers may be gone, and nothing is left to do with them.
        distribute = "none"
    strategy = strategy_of(distribute)
    check_batches(strategy, settings.batch_size, recipe.data.validation_windows)
    _check_clipping(recipe.optimizer, strategy)
    check_folder(out, recipe, resume)
    keras.utils.set_random_seed(recipe.seed)
    source = ClipSource(recipe, data_root, mnist)
    keeper = RunKeeper(out, writes=is_chief(strategy), data=source.fingerprint)
    resumed_at = keeper.epochs_done
    agree(strategy, resumed_at)
    with strategy.scope():
        model = keeper.load_model()
        precision = _precision(recipe, model, strategy)
        if model is None:
            model = build_model(recipe, precision.policy)
            # Before what takes long, as an optimiser may be misspelt.
            compile_model(model, recipe)
            if settings.start:
                take_weights(model, settings.start)
            elif recipe.model.standardize:
                model.set_statistics(*source.statistics(model.standardizer.prepare))
            if model.slow is not None and not settings.start:
                model.slow.set_directions(*source.slow_directions(model))
            if model.drift is not None and not settings.start:
                model.drift.set_directions(source.drift_directions(model))
        callbacks = [keeper, *_sampling(recipe, model), *callbacks]
    if resumed_at < settings.epochs:
        if announce is not None:
            announce(f"Precision {precision.policy}: {precision.reason}.")
        batches = source.training(first_step=resumed_at * settings.steps_per_epoch)
        validation = source.validation()
        if keeper.writes:
            # Not before all is known to be good: a mended recipe may use the folder.
            write_text(out / RECIPE, recipe.to_toml())
            callbacks.append(keras.callbacks.TensorBoard(out / TENSORBOARD))
        span: dict[str, Any] = {
            "steps_per_epoch": settings.steps_per_epoch,
            "epochs": settings.epochs,
            "initial_epoch": resumed_at,
            "callbacks": callbacks,
            "verbose": verbose,
        }
        with keeper.alone():
            if distribute == "none":
                make_variables(model, validation)
                if settings.start and not resumed_at and announce is not None:
                    announce(_before(model, validation, settings.start))
                model.fit(batches, validation_data=validation, **span)
            else:
                fit_on_devices(model, strategy, batches, validation, **span)
    load_best_weights(model, out)
    return TrainingResult(model, keeper.history, keeper.best_epoch, resumed_at, precision.policy)


def _before(model: VideoLSTM, validation: tf.data.Dataset[Any], start: str) -> str:
    """Say what a start is worth on the windows that validate, which the first epoch hides."""
    losses = model.evaluate(validation, verbose=0, return_dict=True)
    named = " - ".join(f"val_{name}: {value:.4f}" for name, value in losses.items())
    return f"{start}, before it learns: {named}"


def _precision(
    recipe: Recipe, model: VideoLSTM | None, strategy: tf.distribute.Strategy
) -> Precision:
    if model is not None:
        return Precision(model.get_config()["dtype"], "as the run began")
    settings = recipe.training
    if strategy.cluster_resolver is not None and settings.precision == AUTO:
        # Each machine would measure for itself, and all must compute the same.
        return Precision(FULL, "not measured where several machines have to agree")
    devices = strategy.num_replicas_in_sync
    layout, spec = recipe.model.layout(), recipe.model.convolution
    return pick_precision(
        settings.precision,
        max(recipe.model.units),
        settings.batch_size // devices,
        spec and Places(*layout.shape[:2], spec.kernel_size),
        features=FrameInputs(layout).shape[-1],
    )


def _sampling(recipe: Recipe, model: VideoLSTM) -> list[keras.callbacks.Callback]:
    spec = recipe.sampling
    if not spec.rate:
        return []
    return [ScheduledSampling(model, spec.rate, spec.first_step, spec.last_step)]


def _check_clipping(spec: OptimizerRecipe, strategy: tf.distribute.Strategy) -> None:
    if strategy.num_replicas_in_sync > 1 and spec.clipnorm and not is_fused(spec):
        raise InputError(
            f"Expected optimizer.name 'adam', or optimizer.clipnorm 0, on several devices: "
            f"others clip each device's gradient. Received: {spec.name!r}, {spec.clipnorm}"
        )
