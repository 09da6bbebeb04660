"""How far a frame has moved from those before it, and where to."""

from typing import Any

import keras
from keras import ops
from numpy.typing import NDArray

from keras_videolstm.layers.directions import check_finite, check_size
from keras_videolstm.layers.frame_traces import Trace
from keras_videolstm.layers.over_time import batch_first, run_over_time, step_by_step


@keras.saving.register_keras_serializable(package="keras_videolstm")
class DriftFeatures(keras.layers.Layer):
    """Projects how far each frame lies from the running mean of those up to it.

    `(x_t - m_t) @ directions`, where `m_t` is the trace (`FrameTraces`) of one rate of the frames
    up to `x_t`. The scene, which stays, is gone from it, and its sign says which way things go:
    played backwards, a clip drifts the other way. The directions are those in which frames drift
    most; they are measured outside (`drift_directions`) and never trained.

    Args:
        feature_dim: length of one frame.
        size: number of directions.
        rate: how fast the running mean forgets, from 0 (the mean of all) to below 1.

    Call arguments:
        frames: `(batch, time, feature_dim)`.
        initial: the trace of the frames before, sums `(batch, feature_dim)` and their weights
            `(batch,)`; default: none were read, and the first frame has not drifted.

    Output shape:
        `(batch, time, size)`.

    Raises:
        ValueError: if the size is not positive, there are more directions than features, or the
            rate is out of range.

    Example:
        >>> layer = DriftFeatures(1280, 96, rate=0.02)
        >>> layer(np.zeros((2, 16, 1280), "float32")).shape
        TensorShape([2, 16, 96])
    """

    def __init__(self, feature_dim: int, size: int, rate: float, **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        check_size(size, feature_dim)
        # At a rate of 1 the mean is the frame itself.
        if not 0 <= rate < 1:
            raise ValueError(f"Expected a rate of at least 0 and below 1. Received: rate={rate}")
        self.feature_dim = feature_dim
        self.size = size
        self.rate = rate
        self.supports_masking = True
        self.directions = self.add_weight(
            shape=(feature_dim, size), initializer="zeros", trainable=False, name="directions"
        )
        self.built = True

    def set_directions(self, directions: NDArray[Any]) -> None:
        """Set what `drift_directions` has measured, `(feature_dim, size)`.

        Raises:
            InputError: if a value is not finite.
        """
        check_finite(directions)
        self.directions.assign(directions)

    def call(self, frames: Any, initial: Trace | None = None) -> Any:
        """Project drifts."""
        # Projected first: means of projections are projections of means.
        projected = ops.matmul(ops.cast(frames, self.variable_dtype), self.directions)
        batch, steps = ops.shape(projected)[0], ops.shape(projected)[1]
        if initial is None:
            sums = ops.zeros((batch, self.size), self.variable_dtype)
            weights = ops.zeros((batch, 1), self.variable_dtype)
        else:
            sums, weights = (ops.cast(part, self.variable_dtype) for part in initial)
            sums, weights = ops.matmul(sums, self.directions), weights[:, None]

        def step(carry: list[Any], at: dict[str, Any]) -> list[Any]:
            _, sums, weights = carry
            sums = (1 - self.rate) * sums + at["frame"]
            weights = (1 - self.rate) * weights + 1
            return [at["frame"] - sums / weights, sums, weights]

        per_step = {"frame": step_by_step(projected, steps)}
        (drifts,), _ = run_over_time(step, [sums, sums, weights], per_step, steps)
        return batch_first(drifts)

    def compute_output_spec(self, frames: Any, initial: Trace | None = None) -> Any:
        """Return symbolic features of float32."""
        return keras.KerasTensor((*frames.shape[:-1], self.size), dtype=self.variable_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {
            **super().get_config(),
            "feature_dim": self.feature_dim,
            "size": self.size,
            "rate": self.rate,
        }
