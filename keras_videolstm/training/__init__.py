"""Recipes, training that resumes, fine-tuning, evaluation."""

from keras_videolstm.training.fit import TrainingResult, train
from keras_videolstm.training.recipe import Recipe

__all__ = ["Recipe", "TrainingResult", "train"]
