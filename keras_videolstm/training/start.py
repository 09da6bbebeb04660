"""Begin a training where another one ended."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.checkpoints import WEIGHTS, load, load_metadata
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import RECIPE
from keras_videolstm.training.run_keeper import RunKeeper


def pinned(recipe: Recipe, run: Path | None = None) -> Recipe:
    """Return a recipe that says by a hash which weights it starts from.

    Args:
        recipe: which may leave the hash out.
        run: folder of the run; where it has begun by the same recipe, its hash is taken, as the
            weights are in the run, whatever has become of the checkpoint.

    Raises:
        InputError: if there is no such checkpoint, or it is not the one that the recipe means.

    Example:
        >>> pinned(Recipe.load("recipe.toml")).training.start_sha256
        ''
    """
    start, expected = recipe.training.start, recipe.training.start_sha256
    if not start:
        if expected:
            raise InputError(
                "Expected training.start with training.start_sha256. Received: the hash alone"
            )
        return recipe
    begun = _begun_recipe(run) if run else None
    if begun and begun == _with_hash(recipe, expected or begun.training.start_sha256):
        return begun
    found = str(load_metadata(start)["sha256"].get(WEIGHTS, ""))
    if expected and found != expected:
        raise InputError(
            f"Expected weights of sha256 {expected} to start from. "
            f"Received: {start}, whose are {found}"
        )
    return _with_hash(recipe, found)


def _begun_recipe(run: Path) -> Recipe | None:
    return Recipe.load(run / RECIPE) if RunKeeper(run).epochs_done else None


def _with_hash(recipe: Recipe, sha256: str) -> Recipe:
    training = dataclasses.replace(recipe.training, start_sha256=sha256)
    return dataclasses.replace(recipe, training=training)


def take_weights(model: VideoLSTM, start: str) -> None:
    """Give a model the weights and statistics of a checkpoint.

    A model with `motion_tracks` may start from one without: what reads the tracks is zero then, so
    that both give the same frames.

    Raises:
        InputError: if the checkpoint is none, or of another architecture.

    Example:
        >>> take_weights(build_model(recipe), "composite_youtube")
    """
    given = load(start)
    if not isinstance(given, VideoLSTM) or _architecture(given) not in _beginnings(model):
        raise InputError(
            f"Expected a checkpoint of the recipe's [model] to start from. "
            f"Received: {start}, which is another"
        )
    weights = zip(given.get_weights(), model.weights, strict=True)
    model.set_weights([_widened(value, variable.shape) for value, variable in weights])


def _widened(value: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return weights with zeros for the inputs that they do not read yet, the last ones."""
    return np.pad(value, [(0, size - held) for size, held in zip(shape, value.shape, strict=True)])


def _beginnings(model: VideoLSTM) -> list[dict[str, Any]]:
    """Return the architectures that a model may start from."""
    own = _architecture(model)
    if not (own["convolution"] or {}).get("motion_tracks"):
        return [own]
    return [own, {**own, "convolution": {**own["convolution"], "motion_tracks": False}}]


def _architecture(model: VideoLSTM) -> dict[str, Any]:
    free = ("name", "dtype", "prediction_steps", "dropout", "cell_arguments", "frozen")
    return {key: value for key, value in model.get_config().items() if key not in free}
