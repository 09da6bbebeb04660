"""How a classifier is trained: light, for command lines."""

import math
from dataclasses import dataclass

from keras_videolstm.errors import InputError


@dataclass(frozen=True)
class FinetuneSettings:
    """How a classifier is trained; the same for all kinds, so that they can be compared.

    Attributes:
        steps: most training steps.
        batch_size: blocks a step.
        learning_rate: Adam's.
        dropout: rate between layers and before the softmax.
        check_every: steps between two looks at the validation part.
        head_steps: steps in which the softmax alone learns at each of its rates, the encoder
            frozen, before all does.
        head_learning_rates: of gradient descent with momentum 0.9 in these; of several, that whose
            softmax has the best validation loss is kept (without a validation part the first). The
            smaller, the less of the few clips is learned by heart.
        patience: looks without a better validation loss before training stops.
        seed: of weights, blocks and dropout.

    Raises:
        InputError: on a number that is out of its range.
    """

    steps: int = 600
    batch_size: int = 32
    learning_rate: float = 3e-4
    dropout: float = 0.5
    head_steps: int = 200
    head_learning_rates: tuple[float, ...] = (1e-3, 1e-4)
    check_every: int = 50
    patience: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for key in ("steps", "head_steps", "batch_size", "check_every", "patience"):
            if getattr(self, key) < 1:
                raise InputError(f"Expected at least 1. Received: {key}={getattr(self, key)}")
        if not self.head_learning_rates:
            raise InputError("Expected a learning rate of the softmax. Received: none")
        for rate in (self.learning_rate, *self.head_learning_rates):
            if not (rate > 0 and math.isfinite(rate)):
                raise InputError(f"Expected a positive learning rate. Received: {rate}")
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"Expected a dropout rate of at least 0 and below 1. Received: {self.dropout}"
            )
        if not 0 <= self.seed < 2**32:
            raise InputError(f"Expected a seed from 0 to 2^32 - 1. Received: {self.seed}")
