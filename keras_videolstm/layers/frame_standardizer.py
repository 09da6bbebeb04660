"""Features to zero mean and unit variance."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

KINDS = ("feature", "channel", "root")
_NEVER_CHANGES = 1e-6


@keras.saving.register_keras_serializable(package="keras_videolstm")
class FrameStandardizer(keras.layers.Layer):
    """Subtracts means and divides by standard deviations.

    Unlike `keras.layers.Normalization` it is measured outside, on the training part of a store
    that need not fit in memory, and it can be inverted.

    Args:
        frame_shape: shape of a frame, such as `(1280,)`.
        kind: what shares a mean and a deviation: `"feature"`, each has its own (default);
            `"channel"`, all places of a channel, for pixels; or `"root"`, for features that are
            zero or far from it, as those of rectified units: of their signed square roots (power
            normalisation, Perronnin et al., 2010) each has its own mean, and all one deviation,
            so that what varies a lot counts for more.

    Call arguments:
        frames: `(batch, time, *frame_shape)`.

    Output shape:
        As the frames.

    Raises:
        ValueError: if the kind is unknown.

    Example:
        >>> layer = FrameStandardizer((2,))
        >>> layer.set_statistics(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
        >>> layer(np.array([[[3.0, 2.0]]], "float32")).numpy()
        array([[[1., 0.]]], dtype=float32)
    """

    def __init__(self, frame_shape: Sequence[int], kind: str = "feature", **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"Expected kind to be one of {KINDS}. Received: {kind!r}")
        self.frame_shape = tuple(frame_shape)
        self.kind = kind
        self.supports_masking = True
        self.mean = self.add_weight(
            shape=self.frame_shape, initializer="zeros", trainable=False, name="mean"
        )
        self.deviation = self.add_weight(
            shape=self.frame_shape, initializer="ones", trainable=False, name="deviation"
        )
        self.built = True

    def prepare(self, frames: Any) -> Any:
        """Return frames as their statistics are to be measured: signed roots, or what they are.

        Example:
            >>> FrameStandardizer((2,), kind="root").prepare(np.array([4.0, -9.0]))
            array([ 2., -3.])
        """
        if self.kind != "root":
            return frames
        lib = np if isinstance(frames, np.ndarray) else ops
        return lib.sign(frames) * lib.sqrt(lib.abs(frames))

    def set_statistics(self, mean: NDArray[Any], deviation: NDArray[Any]) -> None:
        """Set mean and standard deviation of each feature of prepared frames.

        What is shared is pooled here. What never changes gets a deviation of 1.

        Args:
            mean, deviation: each of `frame_shape`.

        Raises:
            InputError: if a value is not finite or a deviation is negative.
        """
        finite = np.isfinite(mean).all() and np.isfinite(deviation).all()
        if not finite or np.min(deviation) < 0:
            raise InputError(
                "Expected finite means and standard deviations of at least 0. "
                "Received: statistics with NaN, infinite or negative values"
            )
        mean, deviation = self._pooled(np.asarray(mean), np.asarray(deviation))
        deviation = np.where(deviation > _NEVER_CHANGES, deviation, 1.0)
        self.mean.assign(np.broadcast_to(mean, self.frame_shape))
        self.deviation.assign(np.broadcast_to(deviation, self.frame_shape))

    def _pooled(
        self, mean: NDArray[Any], deviation: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        if self.kind == "root":
            return mean, np.sqrt(np.mean(np.square(deviation)))
        if self.kind == "channel":
            places = tuple(range(mean.ndim - 1))
            squares = np.mean(np.square(deviation) + np.square(mean), axis=places)
            mean = np.mean(mean, axis=places)
            return mean, np.sqrt(np.maximum(squares - np.square(mean), 0))
        return mean, deviation

    def call(self, frames: Any) -> Any:
        """Standardise frames."""
        dtype = self.variable_dtype
        mean, deviation = ops.cast(self.mean, dtype), ops.cast(self.deviation, dtype)
        return (self.prepare(ops.cast(frames, dtype)) - mean) / deviation

    def invert(self, frames: Any) -> Any:
        """Turn standardised frames back."""
        dtype = self.variable_dtype
        mean, deviation = ops.cast(self.mean, dtype), ops.cast(self.deviation, dtype)
        frames = ops.cast(frames, dtype) * deviation + mean
        return frames if self.kind != "root" else ops.sign(frames) * ops.square(frames)

    def compute_output_spec(self, frames: Any, **kwargs: Any) -> Any:
        """Return symbolic frames of float32."""
        return keras.KerasTensor(frames.shape, dtype=self.variable_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {
            **super().get_config(),
            "frame_shape": list(self.frame_shape),
            "kind": self.kind,
        }
