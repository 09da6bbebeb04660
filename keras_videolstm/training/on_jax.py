"""Run a recipe of moving digits with Keras on JAX, the whole of it on the accelerator."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_videolstm.data.moving_mnist_on_jax import MovingDigits
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.clip_parts import VALIDATION_SEED_SHIFT, clip_parts
from keras_videolstm.training.compiled_model import build_model, compile_model
from keras_videolstm.training.digit_parts import digit_parts
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import (
    RECIPE,
    TrainingResult,
    check_folder,
    load_best_weights,
)
from keras_videolstm.training.run_keeper import RunKeeper
from keras_videolstm.training.scheduled_sampling import ScheduledSampling
from keras_videolstm.training.start import pinned, take_weights

# Steps that run without a word from the host.
_MOST_STEPS_A_CALL = 100

Values = list[Any]
State = tuple[Values, Values, Values]


def train_on_jax(
    recipe: Recipe,
    out: Path,
    *,
    mnist: str | None = None,
    resume: bool = True,
    announce: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Train a VideoLSTM on moving digits into a folder, with Keras on JAX.

    As `train`, but digits are drawn on the accelerator too, and many steps are one program: neither
    data nor losses pass through the host. It validates on sequences of its own, as many as fill the
    last batch. The folder is one that `train` takes on any backend, and `zoo publish` on
    TensorFlow. It needs no TensorFlow itself.

    Args:
        recipe: the run; its data moving digits.
        out, mnist, resume, announce: as in `train`; a line an epoch is announced, too.

    Raises:
        InputError: as `train`; or if the recipe's data are others.

    Example:
        >>> # KERAS_BACKEND=jax
        >>> train_on_jax(Recipe.load("recipe.toml"), Path("run"), mnist="mnist_folder")
    """
    import jax

    recipe = pinned(recipe, out)
    _check_data(recipe)
    check_folder(out, recipe, resume)
    keras.utils.set_random_seed(recipe.seed)
    parts = digit_parts(mnist)
    keeper = RunKeeper(out, data=parts.fingerprint)
    resumed_at = keeper.epochs_done
    model = keeper.load_model()
    if model is None:
        model = build_model(recipe, _policy(recipe.training.precision))
        if recipe.training.start:
            take_weights(model, recipe.training.start)
        compile_model(model, recipe)
        model.optimizer.build(model.trainable_variables)
    policy = model.get_config()["dtype"]
    announce = announce or (lambda line: None)
    announce(f"Keras on JAX, {jax.default_backend()}, precision {policy}.")
    keeper.set_model(model)
    settings = recipe.training
    steps = _Steps(model, recipe, parts.train)
    validation = _Validation(model, recipe, parts.validation)
    # Not before all is known to be good: a mended recipe may use the folder.
    write_text(out / RECIPE, recipe.to_toml())
    with keeper.alone():
        for epoch in range(resumed_at, settings.epochs):
            began = time.perf_counter()
            losses = steps.run(epoch * settings.steps_per_epoch, settings.steps_per_epoch)
            seconds = time.perf_counter() - began
            losses |= {f"val_{name}": value for name, value in validation.losses().items()}
            keeper.on_epoch_end(epoch, losses)
            named = ", ".join(f"{name} {value:.4g}" for name, value in losses.items())
            announce(f"Epoch {epoch + 1}/{settings.epochs}, {seconds:.1f} s: {named}")
    load_best_weights(model, out)
    return TrainingResult(model, keeper.history, keeper.best_epoch, resumed_at, policy)


def _check_data(recipe: Recipe) -> None:
    if recipe.data.kind != "moving_mnist":
        raise InputError(
            f"Expected a recipe of moving_mnist, which is what trains with Keras on JAX; "
            f"KERAS_BACKEND=tensorflow trains all. Received: data.kind={recipe.data.kind!r}"
        )


def _policy(precision: str) -> str:
    import jax

    if precision != "auto":
        return precision
    return "float32" if jax.default_backend() == "cpu" else "mixed_bfloat16"


class _Digits:
    """Draws clips as a model takes them."""

    def __init__(self, recipe: Recipe) -> None:
        model, data = recipe.model, recipe.data
        self._model = model
        self._draws = MovingDigits(
            recipe.training.batch_size,
            model.input_steps + model.prediction_steps,
            data.digits_per_frame,
            data.speed,
        )

    def parts(self, images: Any, seed: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        clips = ops.cast(self._draws.draw(images, seed), "float32") / 255
        shape = (*clips.shape[:2], *self._model.frame_shape)
        return clip_parts(ops.reshape(clips, shape), self._model)


class _Steps:
    """Takes steps of the optimiser, many in one program."""

    def __init__(self, model: VideoLSTM, recipe: Recipe, digits: Any) -> None:
        import jax

        self._model = model
        self._digits = _Digits(recipe)
        self._images = ops.convert_to_tensor(digits)
        self._seed = recipe.seed
        fed = model.decoders.get(model.conditional_key)
        self._rate_at: Callable[[int], float] = lambda step: 0.0
        if recipe.sampling.rate:
            spec = recipe.sampling
            sampling = ScheduledSampling(model, spec.rate, spec.first_step, spec.last_step)
            self._rate_at = sampling.rate_at
        self._rate_variable = None if fed is None else fed.sampling_rate
        self._program = jax.jit(self._take_steps, donate_argnums=0)

    @property
    def _variables(self) -> tuple[Values, Values, Values]:
        model = self._model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
        )

    def run(self, first: int, count: int) -> dict[str, float]:
        """Take steps, and return the means of their losses."""
        import jax

        state = jax.tree.map(lambda variable: variable.value, self._variables)
        means = []
        for numbers in _chunks(first, count):
            rates = np.array([self._rate_at(step) for step in numbers], "float32")
            state, losses = self._program(state, self._images, (numbers, rates))
            means.append(jax.tree.map(ops.mean, losses))
        for variables, values in zip(self._variables, state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        return {name: float(np.mean([mean[name] for mean in means])) for name in means[0]}

    def _take_steps(self, state: State, images: Any, steps: tuple[Any, Any]) -> Any:
        import jax

        return jax.lax.scan(partial(self._take_step, images), state, steps)

    def _take_step(
        self, images: Any, state: State, at: tuple[Any, Any]
    ) -> tuple[State, dict[str, Any]]:
        import jax

        (trainable, others, optimizer), (step, rate) = state, at
        clips = self._digits.parts(images, (self._seed, step))
        loss = jax.value_and_grad(self._loss, has_aux=True)
        (_, (others, losses)), gradients = loss(trainable, others, rate, clips)
        trainable, optimizer = self._model.optimizer.stateless_apply(
            optimizer, gradients, trainable
        )
        return (trainable, others, optimizer), losses

    def _loss(self, trainable: Values, others: Values, rate: Any, clips: Any) -> Any:
        model = self._model
        mapping = [
            *zip(model.trainable_variables, trainable, strict=True),
            *zip(model.non_trainable_variables, others, strict=True),
        ]
        if self._rate_variable is not None:
            mapping.append((self._rate_variable, rate))
        inputs, targets = clips
        with keras.StatelessScope(state_mapping=mapping) as scope:
            losses = _named_losses(model, targets, model(inputs, training=True))
        others = [scope.get_current_value(v) for v in model.non_trainable_variables]
        total = sum(losses.values())
        return total, (others, {"loss": total, **losses})


class _Validation:
    """Measures a model on fixed sequences of digits that never train."""

    def __init__(self, model: VideoLSTM, recipe: Recipe, digits: Any) -> None:
        import jax

        self._model = model
        self._digits = _Digits(recipe)
        self._images = ops.convert_to_tensor(digits)
        self._seed = recipe.seed + VALIDATION_SEED_SHIFT
        self._batches = -(-recipe.data.validation_windows // recipe.training.batch_size)
        self._program = jax.jit(self._losses)

    def losses(self) -> dict[str, float]:
        """Return the means of the losses, over whole batches."""
        values = [variable.value for variable in self._model.variables]
        batches = [
            self._program(values, self._images, (np.uint32(self._seed % 2**32), n))
            for n in range(self._batches)
        ]
        return {name: float(np.mean([losses[name] for losses in batches])) for name in batches[0]}

    def _losses(self, values: Values, images: Any, seed: Any) -> dict[str, Any]:
        model = self._model
        inputs, targets = self._digits.parts(images, seed)
        mapping = list(zip(model.variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            outputs = model(inputs, training=False)
            losses = _named_losses(model, targets, outputs)
            total = sum(losses.values())
            if fed := model.conditional_key:
                forced = {fed: model.forced(inputs)}
                losses[f"{fed}_forced_loss"] = _named_losses(model, targets, forced)[f"{fed}_loss"]
        return {"loss": total, **losses}


def _named_losses(
    model: VideoLSTM, targets: dict[str, Any], outputs: dict[str, Any]
) -> dict[str, Any]:
    return {
        f"{key}_loss": ops.mean(model.loss[key].call(targets[key], output))
        for key, output in outputs.items()
    }


def _chunks(first: int, count: int) -> Iterator[Any]:
    """Cut steps into equal parts, so that one program does for all."""
    size = next(n for n in range(min(count, _MOST_STEPS_A_CALL), 0, -1) if not count % n)
    return iter(np.split(np.arange(first, first + count), count // size))
