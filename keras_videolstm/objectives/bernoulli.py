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
        y_true = ops.cast(y_true, y_pred.dtype)
        over_pixels = tuple(range(2, len(y_pred.shape)))
        logits = _logits_of(y_pred)
        if logits is not None:
            return _nats_from_logits(y_true, logits, over_pixels)
        return ops.sum(ops.binary_crossentropy(y_true, y_pred), axis=over_pixels)


def _logits_of(y_pred: Any) -> Any:
    # Keras' TensorFlow backend notes on a sigmoid's output what it came from.
    if keras.backend.backend() != "tensorflow":
        return None
    return getattr(y_pred, "_keras_logits", None)


def _nats_from_logits(y_true: Any, logits: Any, over_pixels: tuple[int, ...]) -> Any:
    # The textbook form takes some fifteen passes over all pixels with its gradient; this takes
    # seven, as d/dx (softplus(x) - y x) = sigmoid(x) - y.
    import tensorflow as tf

    logits.shape.assert_is_compatible_with(y_true.shape)

    @tf.custom_gradient
    def nats(y_true: Any, logits: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            for axis in over_pixels:
                upstream = tf.expand_dims(upstream, axis)
            return -upstream * logits, upstream * (tf.sigmoid(logits) - y_true)

        return tf.reduce_sum(tf.nn.softplus(logits) - y_true * logits, axis=over_pixels), gradient

    return nats(y_true, logits)
