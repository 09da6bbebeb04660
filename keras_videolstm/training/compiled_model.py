"""The model of a recipe, ready to train."""

from dataclasses import asdict
from typing import Any

import keras

from keras_videolstm.cosine_cycles import CosineCycles
from keras_videolstm.errors import InputError
from keras_videolstm.fused_adam import FusedAdam
from keras_videolstm.models import VideoLSTM
from keras_videolstm.muon import Muon
from keras_videolstm.objectives import BernoulliNatsPerFrame, HalfSquaredErrorPerFrame
from keras_videolstm.training.recipe import ModelRecipe, OptimizerRecipe, Recipe


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
        trace_rates=spec.trace_rates,
        drift_features=spec.drift_features,
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


def losses(model: VideoLSTM) -> dict[str, keras.losses.Loss]:
    """Return the loss of each output that the paper uses for this kind of frame.

    Example:
        >>> losses(VideoLSTM("autoencoder", (3,), units=[8]))
        {'reconstruction': <BernoulliNatsPerFrame...>}
    """
    kind = BernoulliNatsPerFrame if model.activation == "sigmoid" else HalfSquaredErrorPerFrame
    return {key: kind() for key in model.decoders}


def is_fused(spec: OptimizerRecipe) -> bool:
    """Whether the optimiser is one of ours, which clips the joint gradient of all devices.

    Example:
        >>> is_fused(OptimizerRecipe("adam"))
        True
    """
    return spec.name.lower() in ("adam", "adamw", "muon")


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
    if is_fused(spec):
        return FusedAdam(**config)
    try:
        kind = type(keras.optimizers.get(spec.name))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"Expected optimizer.name to be a Keras optimiser, such as 'adam' or 'rmsprop'. "
            f"Received: {spec.name!r}"
        ) from error
    return kind(**config)
