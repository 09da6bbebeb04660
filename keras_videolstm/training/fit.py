"""Run a recipe; take up again what was interrupted."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_videolstm.cosine_cycles import CosineCycles
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.fused_adam import FusedAdam
from keras_videolstm.layers.frame_inputs import FrameInputs
from keras_videolstm.models import VideoLSTM
from keras_videolstm.muon import Muon
from keras_videolstm.objectives import BernoulliNatsPerFrame, HalfSquaredErrorPerFrame
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.distribution import (
    agree,
    check_batches,
    fit_on_devices,
    is_chief,
    naming_lost_workers,
    strategy_of,
)
from keras_videolstm.training.precision import AUTO, FULL, Places, Precision, pick_precision
from keras_videolstm.training.recipe import ModelRecipe, OptimizerRecipe, Recipe
from keras_videolstm.training.run_keeper import RunKeeper
from keras_videolstm.training.scheduled_sampling import ScheduledSampling
from keras_videolstm.training.start import pinned, take_weights
from keras_videolstm.training.variables import make_variables

RECIPE = "recipe.toml"


@dataclass
class TrainingResult:
    """What a run gave.

    Attributes:
        model: with the best weights.
        history: a dict of losses for each epoch.
        best_epoch: number, from 1, of the epoch of the best weights.
        resumed_at: epochs that were already done at the start.
        precision: Keras dtype policy that the run has.
    """

    model: VideoLSTM
    history: list[dict[str, float]]
    best_epoch: int
    resumed_at: int
    precision: str


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
    function of seed and step, and optimiser and dropout states are saved.

    Args:
        recipe: the run.
        out: its folder.
        data_root: folder that the recipe's stores are relative to.
        mnist: for moving MNIST, as `load_digits` takes it.
        resume: take up the run that the folder holds; otherwise a folder with a run is refused.
        distribute: as `strategy_of` takes it; several workers need one shared folder `out`.
        verbose: as in `keras.Model.fit`.
        callbacks: further Keras callbacks.
        announce: called with a line for people, the precision that was picked.

    Returns:
        The result, with the weights of the best validation loss.

    Raises:
        InputError: if data is missing, the folder holds another run, or the loss is not finite.
        WorkerLost: if another worker of a distributed run went away.

    Example:
        >>> result = train(Recipe.load("recipe.toml"), Path("run"), data_root=Path("data"))
        >>> result.model.forecast(clip)
    """
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
    recipe = pinned(recipe)
    settings = recipe.training
    if RunKeeper(out).epochs_done >= settings.epochs:
        # The other workers may be gone, and nothing is left to do with them.
        distribute = "none"
    strategy = strategy_of(distribute)
    check_batches(strategy, settings.batch_size, recipe.data.validation_windows)
    _check_clipping(recipe.optimizer, strategy)
    _check_folder(out, recipe, resume)
    keras.utils.set_random_seed(recipe.seed)
    source = ClipSource(recipe, data_root, mnist)
    keeper = RunKeeper(out, writes=is_chief(strategy))
    resumed_at = keeper.epochs_done
    agree(strategy, resumed_at)
    with strategy.scope():
        model = keeper.load_model()
        precision = _precision(recipe, model, strategy)
        if model is None:
            model = build_model(recipe, precision.policy)
            if settings.start:
                take_weights(model, settings.start)
            elif recipe.model.standardize:
                model.set_statistics(*source.statistics(model.standardizer.prepare))
            if model.slow is not None and not settings.start:
                model.slow.set_directions(*source.slow_directions(model))
            compile_model(model, recipe)
        callbacks = [keeper, *_sampling(recipe, model), *callbacks]
    if resumed_at < settings.epochs:
        if announce is not None:
            announce(f"Precision {precision.policy}: {precision.reason}.")
        batches = source.training(first_step=resumed_at * settings.steps_per_epoch)
        validation = source.validation()
        if keeper.writes:
            # Not before all is known to be good: a mended recipe may use the folder.
            write_text(out / RECIPE, recipe.to_toml())
            callbacks.append(keras.callbacks.TensorBoard(out / "tensorboard"))
        span: dict[str, Any] = {
            "steps_per_epoch": settings.steps_per_epoch,
            "epochs": settings.epochs,
            "initial_epoch": resumed_at,
            "callbacks": callbacks,
            "verbose": verbose,
        }
        if distribute == "none":
            make_variables(model, validation)
            model.fit(batches, validation_data=validation, **span)
        else:
            fit_on_devices(model, strategy, batches, validation, **span)
    load_best_weights(model, out)
    return TrainingResult(model, keeper.history, keeper.best_epoch, resumed_at, precision.policy)


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


def _check_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    kept = out / RECIPE
    if out.exists() and not out.is_dir():
        raise InputError(f"Expected a folder for the run. Received: {out}, which is a file")
    if kept.exists():
        if not resume:
            raise InputError(
                f"Expected an empty folder with --no-resume. Received: {out}, which holds a run"
            )
        if Recipe.load(kept) != recipe:
            raise InputError(
                f"Expected the recipe that the run in {out} was started with ({kept}). "
                f"Received: another one; give another --out"
            )
    elif out.exists() and any(out.iterdir()):
        raise InputError(f"Expected an empty or new folder. Received: {out}, which holds files")


def build_model(recipe: Recipe, precision: str = "float32") -> VideoLSTM:
    """Make the model of a recipe, its weights random.

    Args:
        recipe: says which.
        precision: Keras dtype policy; default `"float32"`, with which any machine works well.

    Example:
        >>> build_model(Recipe.load("recipe.toml")).variant
        'composite'
    """
    spec = recipe.model
    return VideoLSTM(
        spec.variant,
        spec.frame_shape,
        units=spec.units,
        prediction_steps=spec.prediction_steps,
        activation=spec.activation,
        standardize=spec.standardize,
        dropout=spec.dropout,
        peepholes=spec.peepholes,
        cell_arguments=_cell_arguments(spec),
        convolution=spec.convolution and asdict(spec.convolution),
        slow_features=spec.slow_features,
        name=recipe.name,
        dtype=precision,
    )


def _cell_arguments(spec: ModelRecipe) -> dict[str, Any]:
    if spec.input_gain == 1:
        return {}
    # The variance goes with the square; otherwise it is Glorot's uniform initialiser.
    initializer = keras.initializers.VarianceScaling(spec.input_gain**2, "fan_avg", "uniform")
    return {"kernel_initializer": keras.initializers.serialize(initializer)}


def compile_model(model: VideoLSTM, recipe: Recipe) -> None:
    """Compile a model with the optimiser of a recipe and the paper's losses.

    Example:
        >>> compile_model(model, Recipe.load("recipe.toml"))
    """
    product_dtype = model.encoder.compute_dtype
    model.compile(optimizer=_optimizer(recipe, product_dtype), loss=losses(model))


def load_best_weights(model: VideoLSTM, run: Path) -> None:
    """Load the best weights of a run.

    Raises:
        InputError: if they are missing or do not fit.

    Example:
        >>> load_best_weights(model, Path("run"))
    """
    path = run / "best.weights.h5"
    try:
        with warnings.catch_warnings():
            # The file holds the weights alone.
            warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
            model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"Expected the run's best weights. Received: {path} ({error})") from error


def losses(model: VideoLSTM) -> dict[str, keras.losses.Loss]:
    """Return the loss of each output that the paper uses for this kind of frame.

    Example:
        >>> losses(VideoLSTM("autoencoder", (3,), units=[8]))
        {'reconstruction': <BernoulliNatsPerFrame...>}
    """
    kind = BernoulliNatsPerFrame if model.activation == "sigmoid" else HalfSquaredErrorPerFrame
    return {key: kind() for key in model.decoders}


def _is_fused(spec: OptimizerRecipe) -> bool:
    return spec.name.lower() in ("adam", "adamw", "muon")


def _check_clipping(spec: OptimizerRecipe, strategy: tf.distribute.Strategy) -> None:
    if strategy.num_replicas_in_sync > 1 and spec.clipnorm and not _is_fused(spec):
        raise InputError(
            f"Expected optimizer.name 'adam', or optimizer.clipnorm 0, on several devices: "
            f"others clip each device's gradient. Received: {spec.name!r}, {spec.clipnorm}"
        )


def _optimizer(recipe: Recipe, product_dtype: str) -> keras.optimizers.Optimizer:
    spec: OptimizerRecipe = recipe.optimizer
    cycle_steps = recipe.steps // spec.cycles
    rate: float | keras.optimizers.schedules.LearningRateSchedule = spec.learning_rate
    if spec.schedule == "cosine" or spec.warmup_steps:
        rate = CosineCycles(
            cycle_steps,
            initial_learning_rate=0.0 if spec.warmup_steps else spec.learning_rate,
            decay_steps=max(cycle_steps - spec.warmup_steps, 1),
            # A constant rate after the warm-up is a cosine that falls to where it began.
            alpha=0.0 if spec.schedule == "cosine" else 1.0,
            warmup_target=spec.learning_rate if spec.warmup_steps else None,
            warmup_steps=spec.warmup_steps,
        )
    config: dict[str, Any] = {
        "learning_rate": rate,
        "global_clipnorm": spec.clipnorm or None,
        "weight_decay": spec.weight_decay or None,
    }
    if spec.name.lower() == "muon":
        return Muon(product_dtype=product_dtype, **config)
    if _is_fused(spec):
        return FusedAdam(**config)
    try:
        kind = type(keras.optimizers.get(spec.name))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"Expected optimizer.name to be a Keras optimiser, such as 'adam' or 'rmsprop'. "
            f"Received: {spec.name!r}"
        ) from error
    return kind(**config)
