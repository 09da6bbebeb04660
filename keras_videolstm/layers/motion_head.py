"""What moves is moved, not drawn anew."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_videolstm.layers.convolution import Convolution
from keras_videolstm.layers.frame_head import FrameHead
from keras_videolstm.layers.frame_layout import FrameLayout

# Where a sigmoid follows: of a logit that tells a white pixel from a black one.
_CONTRAST = 8.0


@keras.saving.register_keras_serializable(package="keras_videolstm")
class MotionHead(keras.layers.Layer):
    """Writes logits by moving pixels, as dynamic filters do (De Brabandere et al., 2016).

    At each place every motion has filters of its own, read off the stack's outputs: a softmax over
    vertical and one over horizontal displacements. They move the frame before, as strongly as a
    gate says, and a sketch that is read off the outputs too:

        logits = sum over motions m of F_m(sketch_m + gate_m · frame)

    A fresh head leaves the frame where it is, but for the blur of filters that know nothing yet.

    Args:
        frame_shape: `(height, width, channels)`.
        convolution: a `Convolution`, or its fields as a dict; says how far pixels may move.
        motions: how many things may move differently at one place; default 2.
        centred: a sigmoid follows, so that grey is zero; default `True`.
        gradient_dtype: as in `FrameHead`.

    Call arguments:
        outputs: of each layer, `(frames, height, width, units)`; coarser ones with strides.
        frame: the frame before, as the layout arranges it.

    Output shape:
        As `frame`.

    Raises:
        ValueError: if `frame_shape` cannot be cut into patches, or pixels may not move.

    Example:
        >>> head = MotionHead((64, 64, 1), Convolution(max_displacement=4))
        >>> head.build([48])
        >>> head([ops.zeros((2, 16, 16, 48))], ops.zeros((2, 16, 16, 16))).shape
        TensorShape([2, 16, 16, 16])
    """

    def __init__(
        self,
        frame_shape: Sequence[int],
        convolution: Convolution | dict[str, Any],
        motions: int = 2,
        centred: bool = True,
        gradient_dtype: str = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        convolution = Convolution.of(convolution)
        if convolution is None or not convolution.max_displacement:
            raise ValueError(
                f"Expected a convolution with a max_displacement. Received: {convolution}"
            )
        self._layout = FrameLayout(frame_shape, convolution, max(1, len(convolution.strides)))
        self.motions = motions
        self.centred = centred
        self._side = 2 * self._layout.convolution.max_displacement + 1
        self._sizes = [motions * self._layout.shape[-1], motions * 2 * self._side, motions]
        self.gradient_dtype = gradient_dtype
        self.heads: list[FrameHead] = []
        self._banded = _banded(self._side, self._layout.convolution.patch_size)

    def build(self, units: Sequence[int]) -> None:
        """Make the weights for layers of so many units, lowest first."""
        for layer, number in enumerate(units):
            head = FrameHead(
                self._layout.convolution.scale(layer) ** 2 * sum(self._sizes),
                use_bias=layer == 0,
                gradient_dtype=self.gradient_dtype,
                dtype=self.dtype,
            )
            head.build((None, number))
            self.heads.append(head)
        self.built = True

    def call(self, outputs: list[Any], frame: Any) -> Any:
        """Write logits; see the class."""
        read = sum(
            self._layout.spread(head(output), self._layout.convolution.scale(layer))
            for layer, (head, output) in enumerate(zip(self.heads, outputs, strict=True))
        )
        sketch, filters, gate = ops.split(read, np.cumsum(self._sizes)[:-1].tolist(), axis=-1)
        vertical, horizontal = self._filters(filters)
        whole = _CONTRAST if self.centred else 1.0
        gate = (gate + whole / self.motions)[..., None, None, None]
        moving = self._by_channel(sketch, self.motions) + gate * self._by_channel(frame, 1)
        moved = ops.matmul(_with_neighbours(moving, axis=2), horizontal)
        moved = ops.matmul(vertical, _with_neighbours(moved, axis=1))
        if self.centred:
            moved = moved - gate / 2
        moved = ops.transpose(ops.sum(moved, axis=3), (0, 1, 2, 4, 5, 3))
        return ops.reshape(moved, (-1, *self._layout.shape))

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {
            **super().get_config(),
            "frame_shape": list(self._layout.frame_shape),
            "convolution": self._layout.convolution.to_config(),
            "motions": self.motions,
            "centred": self.centred,
            "gradient_dtype": self.gradient_dtype,
        }

    def _filters(self, logits: Any) -> tuple[Any, Any]:
        """Return matrices that move a patch's pixels out of three patches, down and across."""
        rows, columns, _ = self._layout.shape
        taps = ops.softmax(ops.reshape(logits, (-1, self._side)))
        patch = self._layout.convolution.patch_size
        shape = (-1, rows, columns, self.motions, 2, 1, patch, 3 * patch)
        matrices = ops.reshape(ops.matmul(taps, self._banded), shape)
        vertical, horizontal = matrices[:, :, :, :, 0], matrices[:, :, :, :, 1]
        return vertical, ops.swapaxes(horizontal, -1, -2)

    def _by_channel(self, maps: Any, count: int) -> Any:
        """Return maps of patches as `(frames, rows, columns, count, channels, patch, patch)`."""
        rows, columns, _ = self._layout.shape
        patch, channels = self._layout.convolution.patch_size, self._layout.frame_shape[-1]
        cut = ops.reshape(maps, (-1, rows, columns, count, patch, patch, channels))
        return ops.transpose(cut, (0, 1, 2, 3, 6, 4, 5))


def _banded(side: int, patch: int) -> NDArray[Any]:
    """Return `(side, patch · 3 patch)`: for each displacement the matrix that moves so far."""
    reach = side // 2
    moves = [np.eye(patch, 3 * patch, patch - reach + shift) for shift in range(side)]
    return np.stack(moves).reshape(side, -1).astype("float32")


def _with_neighbours(maps: Any, axis: int) -> Any:
    """Return each place's pixels between those of the places before and after it on the axis."""
    sides = [[0, 0]] * len(maps.shape)
    sides[axis] = [1, 1]
    wide = ops.pad(maps, sides)
    count = maps.shape[axis]
    whole = slice(None)
    parts = [wide[(whole,) * axis + (slice(n, n + count),)] for n in range(3)]
    return ops.concatenate(parts, axis=-2 if axis == 1 else -1)
