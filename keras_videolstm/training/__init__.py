"""Recipes, training that resumes, fine-tuning, evaluation.

Names are imported on first use: a recipe needs no TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_videolstm.training.fit import train
    from keras_videolstm.training.recipe import Recipe
    from keras_videolstm.training.run_folder import TrainingResult

_HOMES = {"Recipe": "recipe", "TrainingResult": "run_folder", "train": "fit"}

__all__ = ["Recipe", "TrainingResult", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'keras_videolstm.training' has no attribute {name!r}")
    return getattr(importlib.import_module(f"keras_videolstm.training.{_HOMES[name]}"), name)
