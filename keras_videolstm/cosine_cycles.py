"""A learning rate that falls more than once."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_videolstm")
class CosineCycles(keras.optimizers.schedules.CosineDecay):
    """Falls to zero in cycles, each from half the height of the one before.

    SGDR (Loshchilov and Hutter, 2017): what a first cycle has learned is finished, measured and
    usable, and a second one goes on from it.

    Args:
        cycle_steps: steps of a cycle, its warm-up among them.
        arguments: of `keras.optimizers.schedules.CosineDecay`, for one cycle.

    Example:
        >>> schedule = CosineCycles(100, initial_learning_rate=0.1, decay_steps=100)
        >>> [round(float(schedule(step)), 3) for step in (0, 50, 99, 100, 200)]
        [0.1, 0.05, 0.0, 0.05, 0.025]
    """

    def __init__(self, cycle_steps: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.cycle_steps = cycle_steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at a step."""
        step = ops.cast(step, "int32")
        height = 0.5 ** ops.cast(step // self.cycle_steps, "float32")
        return height * super().__call__(step % self.cycle_steps)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {"cycle_steps": self.cycle_steps, **super().get_config()}
