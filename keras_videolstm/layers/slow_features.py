"""What stays the same within a clip and differs between clips."""

from typing import Any

import keras
from keras import ops
from numpy.typing import NDArray

from keras_videolstm.layers.directions import check_finite, check_size


@keras.saving.register_keras_serializable(package="keras_videolstm")
class SlowFeatures(keras.layers.Layer):
    """Projects frames, and how much each has changed, onto directions learned without labels.

    In the spirit of slow feature analysis (Wiskott & Sejnowski, 2002): the directions are those in
    which clips differ most from each other for how much they vary within themselves. They are
    measured outside (`slow_directions`) and never trained.

    Args:
        feature_dim: length of one frame.
        size: number of directions of each of the two kinds.

    Call arguments:
        frames: `(batch, time, feature_dim)`.
        previous: the frame before them `(batch, 1, feature_dim)`; default: the first frame, which
            has not changed then.

    Output shape:
        `(batch, time, 2 * size)`: `frames @ directions` and, behind them,
        `(|frames - frames before| - mean) @ change directions`.

    Raises:
        ValueError: if a size is not positive, or there are more directions than features.

    Example:
        >>> layer = SlowFeatures(1280, 48)
        >>> layer(np.zeros((2, 16, 1280), "float32")).shape
        TensorShape([2, 16, 96])
    """

    def __init__(self, feature_dim: int, size: int, **kwargs: Any) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        check_size(size, feature_dim)
        self.feature_dim = feature_dim
        self.size = size
        self.supports_masking = True
        self.directions = self._add("directions", (feature_dim, size))
        self.mean_change = self._add("mean_change", (feature_dim,))
        self.change_directions = self._add("change_directions", (feature_dim, size))
        self.built = True

    def _add(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        return self.add_weight(shape=shape, initializer="zeros", trainable=False, name=name)

    def set_directions(
        self, directions: NDArray[Any], mean_change: NDArray[Any], change_directions: NDArray[Any]
    ) -> None:
        """Set what `slow_directions` has measured.

        Args:
            directions, change_directions: each `(feature_dim, size)`.
            mean_change: `(feature_dim,)`.

        Raises:
            InputError: if a value is not finite.
        """
        values = (directions, mean_change, change_directions)
        check_finite(*values)
        for weight, value in zip(self.weights, values, strict=True):
            weight.assign(value)

    def call(self, frames: Any, previous: Any = None) -> Any:
        """Project frames and their changes."""
        frames = ops.cast(frames, self.variable_dtype)
        before = frames[:, :1] if previous is None else ops.cast(previous, self.variable_dtype)
        change = ops.abs(frames - ops.concatenate([before, frames[:, :-1]], axis=1))
        changes = ops.matmul(change - self.mean_change, self.change_directions)
        return ops.concatenate([ops.matmul(frames, self.directions), changes], axis=-1)

    def compute_output_spec(self, frames: Any, previous: Any = None) -> Any:
        """Return symbolic features of float32."""
        return keras.KerasTensor((*frames.shape[:-1], 2 * self.size), dtype=self.variable_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {**super().get_config(), "feature_dim": self.feature_dim, "size": self.size}
