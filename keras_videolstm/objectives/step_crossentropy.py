"""Cross entropy of a classifier that answers at every step."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_videolstm")
class StepCrossentropy(keras.losses.Loss):
    """Cross entropy of one label a clip against a softmax at every step, in nats per step.

    The same label stands at each step (paper, section 3.1); the mean is over batch and time, the
    padded steps of a mask left out.

    Call arguments:
        y_true: `(batch,)` or `(batch, 1)`, class numbers.
        y_pred: `(batch, time, classes)`, probabilities.

    Example:
        >>> float(StepCrossentropy()(ops.array([1]), ops.full((1, 16, 4), 0.25)))  # log 4
        1.386...
    """

    def __init__(self, name: str = "step_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return nats of each step, `(batch, time)`."""
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1, 1))
        labels = ops.broadcast_to(labels, ops.shape(y_pred)[:2])
        return ops.sparse_categorical_crossentropy(labels, y_pred)
