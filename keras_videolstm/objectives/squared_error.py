"""Squared error of frames and features."""

from typing import Any

import keras
from keras import ops

from keras_videolstm.objectives.shapes import check_same_shape


@keras.saving.register_keras_serializable(package="keras_videolstm")
class HalfSquaredErrorPerFrame(keras.losses.Loss):
    """Half the squared error summed over the features of a frame: `½ ‖ŷ - y‖²`.

    The mean is over batch and time (paper, section 3.3: patches and percepts). On standardised
    features a prediction of their mean costs half the number of features.

    Call arguments:
        y_true: `(batch, time, *frame_shape)`.
        y_pred: of the same shape.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> float(HalfSquaredErrorPerFrame()(ops.zeros((1, 2, 10)), ops.ones((1, 2, 10))))
        5.0
    """

    def __init__(self, name: str = "half_squared_error_per_frame", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the error of each frame, `(batch, time)`."""
        check_same_shape(y_true, y_pred)
        squared = ops.square(y_pred - ops.cast(y_true, y_pred.dtype))
        return 0.5 * ops.sum(squared, axis=tuple(range(2, len(squared.shape))))
