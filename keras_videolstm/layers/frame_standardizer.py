"""Features to zero mean and unit variance."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_videolstm.errors import InputError


@keras.saving.register_keras_serializable(package="keras_videolstm")
class FrameStandardizer(keras.layers.Layer):
    """Subtracts each feature's mean and divides by its standard deviation.

    Unlike `keras.layers.Normalization` it is measured outside, on the training part of a store
    that need not fit in memory, and it can be inverted.

    Args:
        frame_shape: shape of a frame, such as `(1280,)`.

    Call arguments:
        frames: `(batch, time, *frame_shape)`.

    Output shape:
        As the frames.

    Example:
        >>> layer = FrameStandardizer((2,))
        >>> layer.set_statistics(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
        >>> layer(np.array([[[3.0, 2.0]]], "float32")).numpy()
        array([[[1., 0.]]], dtype=float32)
    """

    def __init__(self, frame_shape: Sequence[int], **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.frame_shape = tuple(frame_shape)
        self.supports_masking = True
        self.mean = self.add_weight(
            shape=self.frame_shape, initializer="zeros", trainable=False, name="mean"
        )
        self.deviation = self.add_weight(
            shape=self.frame_shape, initializer="ones", trainable=False, name="deviation"
        )
        self.built = True

    def set_statistics(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Set mean and standard deviation, each of `frame_shape`.

        Raises:
            InputError: if a value is not finite or a deviation is not positive.
        """
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all() and (deviation > 0).all()):
            raise InputError(
                "Expected finite means and positive standard deviations. "
                "Received: statistics with NaN, infinite or zero values"
            )
        self.mean.assign(mean)
        self.deviation.assign(deviation)

    def call(self, frames: Any) -> Any:
        """Standardise frames."""
        dtype = self.variable_dtype
        mean, deviation = ops.cast(self.mean, dtype), ops.cast(self.deviation, dtype)
        return (ops.cast(frames, dtype) - mean) / deviation

    def invert(self, frames: Any) -> Any:
        """Turn standardised frames back."""
        dtype = self.variable_dtype
        return ops.cast(frames, dtype) * ops.cast(self.deviation, dtype) + ops.cast(
            self.mean, dtype
        )

    def compute_output_spec(self, frames: Any, **kwargs: Any) -> Any:
        """Return symbolic frames of float32."""
        return keras.KerasTensor(frames.shape, dtype=self.variable_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {**super().get_config(), "frame_shape": list(self.frame_shape)}
