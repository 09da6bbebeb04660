"""A recipe to start from, for one's own videos."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from keras_videolstm.checkpoints import load_metadata
from keras_videolstm.data.action_clips import expand_groups
from keras_videolstm.data.percept_kind import check_one_kind, kind_in_words, kind_of
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import PatchPercepts
from keras_videolstm.training.patch_recipes import patches_recipe
from keras_videolstm.training.recipe import (
    DataRecipe,
    ModelRecipe,
    OptimizerRecipe,
    Recipe,
    StoreRecipe,
    TrainingRecipe,
)
from keras_videolstm.training.run_folder import RECIPE
from keras_videolstm.zoo_folder import find_checkpoint

_BATCH, _EPOCHS = 64, 10
_INPUT_STEPS, _PREDICTION_STEPS = 16, 13
# As often as `composite_youtube` began a window at each frame it learned from.
_WINDOWS_A_FRAME = 1.3
_FEWEST_STEPS_AN_EPOCH = 20
# Directions in which clips differ need many more clips than directions.
_SLOW_FEATURES = 48
FEWEST_CLIPS = 4 * _SLOW_FEATURES
_DRIFT_FEATURES = 96
# From the last frame to the mean of all that were read.
_TRACE_RATES = (1.0, 0.4, 0.1, 0.02)
_VALIDATION_WINDOWS = 256


def percepts_recipe(
    stores: Mapping[str, PerceptStore],
    name: str,
    variant: str = "composite",
    units: int = 256,
    seed: int = 1,
    test_groups: Sequence[str] = (),
    validation_groups: Sequence[str] = (),
) -> Recipe:
    """Return a recipe for one's own percepts, after that of `composite_youtube`.

    A fifth of the sources (groups) that do not test, drawn by the seed, validates; the others are
    learned from, each frame about as often as `composite_youtube` saw its own. Of patches it is
    `patches_recipe`.

    Args:
        stores: by the path that the recipe shall name them by.
        name: of the checkpoint that it makes.
        variant: as of `VideoLSTM`.
        units: of each of the two layers.
        seed: of weights, data and the sources that validate.
        test_groups: sources, or ranges of them, that test and are not learned from; default none.
        validation_groups: likewise those that validate, in place of drawn ones.

    Raises:
        InputError: if no source is left to learn from or to validate on, there are stores of
            several kinds, or a part has only short videos, or a group does not occur or is to test
            and to validate.

    Example:
        >>> recipe = percepts_recipe({"p.h5": PerceptStore("p.h5")}, "my_model")
        >>> recipe.model.units, recipe.data.validation[0].groups
        ([256, 256], ['video03'])
    """
    first = check_one_kind(stores)
    train, validation, test = _parts(stores, seed, test_groups, validation_groups)
    named = {"learn from": train, "validate on": validation, "test on": test}
    for purpose, part in named.items():
        _check_long_enough(stores, part, purpose)
    videos = {part.store: stores[part.store].videos_of_groups(tuple(part.groups)) for part in train}
    frames = sum(int(stores[path].frame_counts[chosen].sum()) for path, chosen in videos.items())
    if first.metadata.get("extractor") == PatchPercepts.name:
        windows = math.ceil(_WINDOWS_A_FRAME * frames)
        recipe = patches_recipe(variant, train, validation, test, units, windows, seed)
        return replace(recipe, name=name)
    steps = max(_FEWEST_STEPS_AN_EPOCH, math.ceil(_WINDOWS_A_FRAME * frames / _BATCH / _EPOCHS))
    clips = sum(map(len, videos.values()))
    slow = _SLOW_FEATURES if clips >= FEWEST_CLIPS else 0
    return Recipe(
        name=name,
        seed=seed,
        description=f"{variant.replace('_', ' ').capitalize()}, two layers of {units} units, "
        f"{first.metadata.get('extractor')} percepts of {clips} videos",
        model=ModelRecipe(
            variant,
            [first.feature_dim],
            [units, units],
            _INPUT_STEPS,
            _PREDICTION_STEPS,
            activation="linear",
            standardize="root",
            dropout=0.3,
            slow_features=min(slow, first.feature_dim),
            trace_rates=list(_TRACE_RATES),
            drift_features=min(_DRIFT_FEATURES, first.feature_dim),
        ),
        data=DataRecipe(
            "percepts", train, validation, test=test, validation_windows=_VALIDATION_WINDOWS
        ),
        optimizer=OptimizerRecipe("adam", 1e-3, "cosine", warmup_steps=steps, weight_decay=0.5),
        training=TrainingRecipe(_BATCH, steps, _EPOCHS),
    )


def started_from(recipe: Recipe, start: str, stores: Mapping[str, PerceptStore]) -> Recipe:
    """Return a recipe that goes on, on its own data, from what a checkpoint has learned.

    Args:
        recipe: as `percepts_recipe` makes it.
        start: name or folder of the checkpoint, whose architecture is taken.
        stores: as for `percepts_recipe`.

    Raises:
        InputError: if the checkpoint has no recipe, or reads other percepts than the stores hold.

    Example:
        >>> recipe = percepts_recipe(stores, "my_model")
        >>> started_from(recipe, "composite_youtube", stores).training.start
        'composite_youtube'
    """
    folder = find_checkpoint(start)
    model = Recipe.load(folder / RECIPE).model
    read = load_metadata(folder).get("percepts", {})
    store = next(iter(stores.values()))
    if kind_of(read) != kind_of(store.metadata):
        raise InputError(
            f"Expected percepts that {start} reads: {kind_in_words(read)}. "
            f"Received: {store.path} with {kind_in_words(store.metadata)}"
        )
    return replace(
        recipe,
        description=f"{folder.name}, trained on: {recipe.description.rpartition(', ')[2]}",
        model=model,
        training=replace(recipe.training, start=start),
    )


def _check_long_enough(
    stores: Mapping[str, PerceptStore], part: list[StoreRecipe], purpose: str
) -> None:
    steps = _INPUT_STEPS + _PREDICTION_STEPS
    lengths = [
        int(stores[one.store].frame_counts[video])
        for one in part
        for video in stores[one.store].videos_of_groups(tuple(one.groups))
    ]
    if lengths and max(lengths) < steps:
        raise InputError(
            f"Expected videos of at least {steps} frames to {purpose}. "
            f"Received: none among {len(lengths)}, of {max(lengths)} at most"
        )


def _parts(
    stores: Mapping[str, PerceptStore],
    seed: int,
    test_groups: Sequence[str],
    validation_groups: Sequence[str],
) -> tuple[list[StoreRecipe], list[StoreRecipe], list[StoreRecipe]]:
    """Divide the sources of all stores, which may share some: to learn from, validate, test."""
    known = sorted({group for store in stores.values() for group in store.groups})
    testing, validating = (
        _named(names, known, stores) for names in (test_groups, validation_groups)
    )
    if both := sorted(testing & validating):
        raise InputError(
            f"Expected test groups that are not validation groups. Received: {both[0]} in both"
        )
    groups = [group for group in known if group not in testing]
    if not validating:
        drawn = np.random.default_rng(seed).permutation(groups)[: max(1, len(groups) // 5)]
        validating = set(drawn.tolist())
    learned = set(groups) - validating
    if not learned:
        raise InputError(
            "Expected videos of at least two sources, one to learn from and one to validate on, "
            f"beside those that test. Received: {', '.join(stores)}, where {len(testing)} of "
            f"{len(known)} test and {len(validating)} validate"
        )
    train, validation, test = (
        [
            StoreRecipe(path, chosen)
            for path, store in stores.items()
            if (chosen := sorted(part & set(store.groups)))
        ]
        for part in (learned, validating, testing)
    )
    return train, validation, test


def _named(
    names: Sequence[str], known: Sequence[str], stores: Mapping[str, PerceptStore]
) -> set[str]:
    """Return the groups that are named, one by one or as ranges."""
    groups = set(expand_groups(names, known))
    if missing := sorted(groups - set(known)):
        raise InputError(
            f"Expected groups that occur in {', '.join(stores)}: {', '.join(known[:30])}. "
            f"Received: {', '.join(missing)}"
        )
    return groups
