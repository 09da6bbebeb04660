"""Run a recipe; take up again what was interrupted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.objectives import BernoulliNatsPerFrame, HalfSquaredErrorPerFrame
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.fused_adam import FusedAdam
from keras_videolstm.training.recipe import OptimizerRecipe, Recipe
from keras_videolstm.training.run_keeper import RunKeeper

RECIPE = "recipe.toml"


@dataclass
class TrainingResult:
    """What a run gave.

    Attributes:
        model: with the best weights.
        history: a dict of losses for each epoch.
        best_epoch: number, from 1, of the epoch of the best weights.
        resumed_at: epochs that were already done at the start.
    """

    model: VideoLSTM
    history: list[dict[str, float]]
    best_epoch: int
    resumed_at: int


def train(
    recipe: Recipe,
    out: Path,
    *,
    data_root: Path,
    mnist: str | None = None,
    resume: bool = True,
    verbose: int | str = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
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
        verbose: as in `keras.Model.fit`.
        callbacks: further Keras callbacks.

    Returns:
        The result, with the weights of the best validation loss.

    Raises:
        InputError: if data is missing, the folder holds another run, or the loss is not finite.

    Example:
        >>> result = train(Recipe.load("recipe.toml"), Path("run"), data_root=Path("data"))
        >>> result.model.forecast(clip)
    """
    _check_folder(out, recipe, resume)
    keras.utils.set_random_seed(recipe.seed)
    source = ClipSource(recipe, data_root, mnist)
    keeper = RunKeeper(out)
    resumed_at = keeper.epochs_done
    model = keeper.load_model()
    if model is None:
        model = build_model(recipe)
        if recipe.model.standardize:
            model.set_statistics(*source.statistics())
        compile_model(model, recipe)
    steps = recipe.training.steps_per_epoch
    if resumed_at < recipe.training.epochs:
        batches = source.training(first_step=resumed_at * steps)
        validation = source.validation()
        # Not before all is known to be good: a mended recipe may use the folder.
        write_text(out / RECIPE, recipe.to_toml())
        model.fit(
            batches,
            steps_per_epoch=steps,
            epochs=recipe.training.epochs,
            initial_epoch=resumed_at,
            validation_data=validation,
            callbacks=[keeper, keras.callbacks.TensorBoard(out / "tensorboard"), *callbacks],
            verbose=verbose,
        )
    load_best_weights(model, out)
    return TrainingResult(model, keeper.history, keeper.best_epoch, resumed_at)


def _check_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    kept = out / RECIPE
    if out.exists() and not out.is_dir():
        raise InputError(f"Expected a folder for the run. Received: {out}, which is a file")
    if kept.exists():
        if not resume:
            raise InputError(
                f"Expected an empty folder with --no-resume. Received: {out}, which holds a run"
            )
        if kept.read_bytes() != recipe.to_toml().encode():
            raise InputError(
                f"Expected the recipe that the run in {out} was started with ({kept}). "
                f"Received: another one; give another --out"
            )
    elif out.exists() and any(out.iterdir()):
        raise InputError(f"Expected an empty or new folder. Received: {out}, which holds files")


def build_model(recipe: Recipe) -> VideoLSTM:
    """Make the model of a recipe, its weights random.

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
        name=recipe.name,
        dtype=recipe.training.precision,
    )


def compile_model(model: VideoLSTM, recipe: Recipe) -> None:
    """Compile a model with the optimiser of a recipe and the paper's losses.

    Example:
        >>> compile_model(model, Recipe.load("recipe.toml"))
    """
    model.compile(optimizer=_optimizer(recipe), loss=losses(model))


def load_best_weights(model: VideoLSTM, run: Path) -> None:
    """Load the best weights of a run.

    Raises:
        InputError: if they are missing or do not fit.

    Example:
        >>> load_best_weights(model, Path("run"))
    """
    path = run / "best.weights.h5"
    try:
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


def _optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    spec: OptimizerRecipe = recipe.optimizer
    total = recipe.training.steps_per_epoch * recipe.training.epochs
    rate: float | keras.optimizers.schedules.LearningRateSchedule = spec.learning_rate
    if spec.schedule == "cosine" or spec.warmup_steps:
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if spec.warmup_steps else spec.learning_rate,
            decay_steps=max(total - spec.warmup_steps, 1),
            # A constant rate after the warm-up is a cosine that falls to where it began.
            alpha=0.0 if spec.schedule == "cosine" else 1.0,
            warmup_target=spec.learning_rate if spec.warmup_steps else None,
            warmup_steps=spec.warmup_steps,
        )
    config = {
        "learning_rate": rate,
        "global_clipnorm": spec.clipnorm or None,
        "weight_decay": spec.weight_decay or None,
    }
    if spec.name in ("adam", "adamw"):
        return FusedAdam(**config)
    try:
        kind = type(keras.optimizers.get(spec.name))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"Expected optimizer.name to be a Keras optimiser, such as 'adam' or 'rmsprop'. "
            f"Received: {spec.name!r}"
        ) from error
    return kind(**config)
