"""How a temporal stream is trained: light, for command lines."""

import math
from dataclasses import dataclass

from keras_videolstm.errors import InputError


@dataclass(frozen=True)
class TemporalStreamSettings:
    """How a temporal stream is trained.

    Attributes:
        stack: flows that it reads at a time.
        features: rectified units, the length of one percept.
        dropout: rate before the softmax.
        steps: training steps.
        batch_size: stacks a step.
        learning_rate: Adam's at the start; it falls to zero along half a cosine.
        check_every: steps between two looks at the validation part.
        seed: of weights, stacks, shifts, flips and dropout.

    Raises:
        InputError: on a number that is out of its range.
    """

    stack: int = 10
    features: int = 512
    dropout: float = 0.7
    steps: int = 8000
    batch_size: int = 32
    learning_rate: float = 1e-3
    check_every: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for key in ("stack", "features", "steps", "batch_size", "check_every"):
            if getattr(self, key) < 1:
                raise InputError(f"Expected at least 1. Received: {key}={getattr(self, key)}")
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise InputError(f"Expected a positive learning rate. Received: {self.learning_rate}")
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"Expected a dropout rate of at least 0 and below 1. Received: {self.dropout}"
            )
