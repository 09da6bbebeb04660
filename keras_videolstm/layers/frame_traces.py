"""What was read, kept as running means."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

Trace = tuple[Any, Any]
_NOTHING_READ = 1e-6


@keras.saving.register_keras_serializable(package="keras_videolstm")
class FrameTraces(keras.layers.Layer):
    """Keeps running means of frames, each forgetting at a rate of its own.

    Exponential trace memories (Mozer, 1993): of `T` frames a trace of rate `r` is
    `sum_t (1 - r)^(T - t) x_t / sum_t (1 - r)^(T - t)`. So a rate of 1 keeps the last frame, 0 the
    mean of all. A decoder that may write them again need not squeeze through its state what stays
    as it was.

    Args:
        rates: how fast each trace forgets, from 0 to 1.

    Call arguments:
        frames: `(batch, time, features)`.
        initial: the trace of the frames before, as a call returns it; default: none were read.

    Output shape:
        Sums `(batch, traces, features)` and their weights `(batch, traces)`, which another call
        can go on from; `means` divides them.

    Raises:
        ValueError: if there is no rate, or one is not from 0 to 1.

    Example:
        >>> layer = FrameTraces([1.0, 0.0])
        >>> FrameTraces.means(layer(np.array([[[1.0], [3.0]]]))).numpy()
        array([[[3.], [2.]]], dtype=float32)
    """

    def __init__(self, rates: Sequence[float], **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.rates = list(rates)
        if not self.rates or not all(0 <= rate <= 1 for rate in self.rates):
            raise ValueError(f"Expected rates from 0 to 1. Received: rates={self.rates}")
        self.built = True

    def state_shapes(self, feature_dim: int) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of the sums and their weights for one clip."""
        return (len(self.rates), feature_dim), (len(self.rates),)

    def call(self, frames: Any, initial: Trace | None = None) -> Trace:
        """Add frames to the traces."""
        frames = ops.cast(frames, self.variable_dtype)
        batch, time = ops.shape(frames)[:2]
        kept = ops.convert_to_tensor([[1.0 - rate] for rate in self.rates], self.variable_dtype)
        ages = ops.cast(ops.arange(time - 1, -1, -1), self.variable_dtype)
        shares = ops.power(kept, ages)
        sums = ops.matmul(shares, frames)
        weights = ops.broadcast_to(ops.sum(shares, axis=-1), (batch, len(self.rates)))
        if initial is None:
            return sums, weights
        before = ops.power(kept[:, 0], ops.cast(time, self.variable_dtype))
        return sums + before[:, None] * initial[0], weights + before * initial[1]

    def of_lowest_rate(self, trace: Trace) -> Trace:
        """Return the sums `(batch, features)` and weights `(batch,)` of the longest memory."""
        sums, weights = trace
        lowest = self.rates.index(min(self.rates))
        return sums[:, lowest], weights[:, lowest]

    @staticmethod
    def means(trace: Trace) -> Any:
        """Return running means `(batch, traces, features)`; zeros where nothing was read."""
        sums, weights = trace
        return sums / ops.maximum(weights, _NOTHING_READ)[..., None]

    def compute_output_spec(self, frames: Any, initial: Trace | None = None) -> Trace:
        """Return symbolic traces of float32."""
        shapes = self.state_shapes(frames.shape[-1])
        return tuple(
            keras.KerasTensor((frames.shape[0], *shape), dtype=self.variable_dtype)
            for shape in shapes
        )

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {**super().get_config(), "rates": self.rates}
