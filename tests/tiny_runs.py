"""A training run of a second: its data and its recipe."""

from pathlib import Path

import numpy as np

from keras_videolstm.training import Recipe
from tests.percept_files import write_store

RECIPE = """
name = "toy"
description = "a toy"
seed = 3

[model]
variant = "{variant}"
frame_shape = [4]
units = [8, 6]
input_steps = 3
prediction_steps = 2
activation = "linear"
standardize = true
dropout = 0.3

[data]
kind = "percepts"
validation_windows = 12

[[data.train]]
store = "clips.h5"
groups = ["g00-g02"]

[[data.validation]]
store = "clips.h5"
groups = ["g03"]

[optimizer]
schedule = "cosine"
warmup_steps = 2
clipnorm = 5.0

[training]
batch_size = 8
steps_per_epoch = {steps}
epochs = {epochs}
"""


def write_recipe(
    folder: Path,
    *,
    epochs: int = 3,
    steps: int = 4,
    variant: str = "future_predictor",
    **changes: str,
) -> Path:
    """Write `clips.h5` and `recipe.toml`; changes replace words of the recipe."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    videos = [
        (rng.normal(i, 1, (30, 4)).cumsum(axis=0).astype("float32"), "", f"g{i:02d}")
        for i in range(4)
    ]
    write_store(folder / "clips.h5", videos)
    text = RECIPE.format(variant=variant, steps=steps, epochs=epochs)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def tiny_recipe(folder: Path, **arguments: object) -> Recipe:
    """Write the data and return the recipe."""
    return Recipe.load(write_recipe(folder, **arguments))
