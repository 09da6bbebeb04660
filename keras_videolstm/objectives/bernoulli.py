"""Cross entropy of pixels in [0, 1]."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_videolstm")
class BernoulliNatsPerFrame(keras.losses.Loss):
    """Cross entropy of grey targets in [0, 1], summed over the pixels of a frame: nats per frame.

    Per frame it is `-Σ_pixels y log ŷ + (1 - y) log(1 - ŷ)` (paper, section 3.2); the mean is
    over batch and time. It is not zero where ŷ = y, but the entropy of the target.

    Call arguments:
        y_true: `(batch, time, *frame_shape)` in [0, 1].
        y_pred: probabilities of the same shape. Straight from a sigmoid, TensorFlow's graph works
            on the logits; otherwise they are clipped to 1e-7 from 0 and 1.

    Example:
        >>> loss = BernoulliNatsPerFrame()
        >>> float(loss(ops.zeros((1, 1, 4096)), ops.full((1, 1, 4096), 0.5)))  # 4096 log 2
        2839.1...
    """

    def __init__(self, name: str = "bernoulli_nats_per_frame", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return nats of each frame, `(batch, time)`."""
        nats = ops.binary_crossentropy(ops.cast(y_true, y_pred.dtype), y_pred)
        return ops.sum(nats, axis=tuple(range(2, len(nats.shape))))
