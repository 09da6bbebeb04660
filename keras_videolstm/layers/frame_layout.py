"""How frames lie before a stack of LSTMs: as vectors, or as maps of patches."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_videolstm.layers.convolution import Convolution


class FrameLayout:
    """Arranges frames for the lowest layer, and back again.

    Without a convolution a frame is a vector. With one it is a map: each place has the pixels of
    a square patch for channels, row by row.

    Args:
        frame_shape: shape of a frame; `(height, width, channels)` with a convolution.
        convolution: how layers run over maps; `None` for fully connected ones.
        layers: number of layers.

    Raises:
        ValueError: if the frame cannot be cut into patches and coarser maps without a rest, or
            there are more strides than layers.

    Example:
        >>> FrameLayout((64, 64, 1), Convolution(patch_size=4)).shape
        (16, 16, 16)
        >>> FrameLayout((64, 64, 1)).shape
        (4096,)
    """

    def __init__(
        self, frame_shape: Sequence[int], convolution: Convolution | None = None, layers: int = 1
    ) -> None:
        self.frame_shape = tuple(frame_shape)
        self.convolution = convolution
        self._layers = layers
        if convolution is None:
            self.shape: tuple[int, ...] = (math.prod(self.frame_shape),)
            return
        patch = convolution.patch_size
        if len(convolution.strides) > layers:
            raise ValueError(
                f"Expected a stride for each of {layers} layers at most. "
                f"Received: strides={convolution.strides}"
            )
        step = patch * convolution.scale(layers - 1)
        if len(self.frame_shape) != 3 or any(side % step for side in self.frame_shape[:2]):
            raise ValueError(
                f"Expected frames (height, width, channels) whose sides are multiples of {step}, "
                f"patch_size times strides. Received: frame_shape={self.frame_shape}"
            )
        height, width, channels = self.frame_shape
        self.shape = (height // patch, width // patch, patch * patch * channels)

    @property
    def moves(self) -> bool:
        """Whether the frame before is looked at, too."""
        return self.convolution is not None and self.convolution.max_displacement > 0

    @property
    def tracks(self) -> bool:
        """Whether what moves is followed."""
        return self.moves and self.convolution.motion_tracks

    def state_shape(self, layer: int, units: int) -> tuple[int, ...]:
        """Return the shape of a layer's h and c for one clip."""
        if self.convolution is None:
            return (units,)
        scale = self.convolution.scale(layer)
        return (self.shape[0] // scale, self.shape[1] // scale, units)

    def check_state(self, state: Any) -> None:
        """Raise a `ValueError` for a state that is not one of such layers."""
        entries = self._layers + self.moves
        if len(state) != entries:
            frame = "(frame, tracks)" if self.tracks else "(frame,)"
            last = f" and {frame}, the last one read" if self.moves else ""
            raise ValueError(
                f"Expected a state of {entries} entries: (h, c) of {self._layers} layers{last}. "
                f"Received: {len(state)} entries"
            )

    def arrange(self, frames: Any) -> Any:
        """Return frames `(batch, time, *frame_shape)` as `(batch, time, *shape)`.

        Without a convolution frames of any shape with as many numbers are read, row by row.
        """
        received = tuple(frames.shape[2:])
        if None not in received and not self._fits(received):
            raise ValueError(f"Expected frames {self.frame_shape}. Received: {received}")
        batch, time = ops.shape(frames)[:2]
        if self.convolution is None:
            return ops.reshape(frames, (batch, time, *self.shape))
        rows, columns, _ = self.shape
        patch, channels = self.convolution.patch_size, self.frame_shape[-1]
        cut = ops.reshape(frames, (-1, rows, patch, columns, patch, channels))
        patches = ops.transpose(cut, (0, 1, 3, 2, 4, 5))
        return ops.reshape(patches, (batch, time, *self.shape))

    def _fits(self, frame_shape: tuple[int, ...]) -> bool:
        if self.convolution is None:
            return math.prod(frame_shape) == math.prod(self.frame_shape)
        return frame_shape == self.frame_shape

    def restore(self, arranged: Any) -> Any:
        """Return `arrange`'s result as frames again."""
        batch, time = ops.shape(arranged)[:2]
        if self.convolution is None:
            return ops.reshape(arranged, (batch, time, *self.frame_shape))
        return ops.reshape(
            self.spread(arranged, self.convolution.patch_size), (batch, time, *self.frame_shape)
        )

    @staticmethod
    def spread(maps: Any, scale: int) -> Any:
        """Return maps `(..., height, width, scale² · channels)` as finer ones, patch by patch.

        The result is `(rows, height · scale, width · scale, channels)`.
        """
        height, width, channels = maps.shape[-3:]
        channels //= scale * scale
        cut = ops.reshape(maps, (-1, height, width, scale, scale, channels))
        rows = ops.transpose(cut, (0, 1, 3, 2, 4, 5))
        return ops.reshape(rows, (-1, height * scale, width * scale, channels))
