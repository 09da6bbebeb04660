"""Losses, each with its reduction in its name."""

from keras_videolstm.objectives.bernoulli import BernoulliNatsPerFrame
from keras_videolstm.objectives.squared_error import HalfSquaredErrorPerFrame
from keras_videolstm.objectives.step_crossentropy import StepCrossentropy

__all__ = ["BernoulliNatsPerFrame", "HalfSquaredErrorPerFrame", "StepCrossentropy"]
