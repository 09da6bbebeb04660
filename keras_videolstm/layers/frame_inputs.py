"""What the lowest layer reads at each step."""

from typing import Any

from keras import ops

from keras_videolstm.layers.block_matching import BlockMatching
from keras_videolstm.layers.frame_layout import FrameLayout


class FrameInputs:
    """Makes the lowest layer's inputs from frames, and where things move from those before them.

    Args:
        layout: how frames lie.

    Example:
        >>> inputs = FrameInputs(FrameLayout((64, 64, 1), Convolution(max_displacement=4)))
        >>> maps = ops.zeros((2, 16, 16, 16))
        >>> inputs.at_step(maps, maps).shape
        TensorShape([2, 16, 16, 97])
    """

    def __init__(self, layout: FrameLayout) -> None:
        self._layout = layout
        self._match = BlockMatching(layout) if layout.moves else None

    def at_step(self, frame: Any, before: Any) -> Any:
        """Return the inputs `(batch, *input_shape)` of frames `(batch, *shape)`."""
        if self._match is None:
            return frame
        return ops.concatenate([frame, self._match(frame, before)], axis=-1)

    def over_time(self, frames: Any, before: Any) -> Any:
        """Return the inputs `(batch, time, *input_shape)` of frames `(batch, time, *shape)`.

        Args:
            frames: as the layout arranges them.
            before: the frame before each, likewise.
        """
        if self._match is None:
            return frames
        merged = [ops.reshape(maps, (-1, *self._layout.shape)) for maps in (frames, before)]
        batch, time = ops.shape(frames)[:2]
        return ops.reshape(self.at_step(*merged), (batch, time, *self._layout.input_shape))


def frames_before(frames: Any, first: Any, mask: Any = None) -> tuple[Any, Any]:
    """Return the frame before each one, and the last one.

    Args:
        frames: `(batch, time, ...)`.
        first: what is before the first of them, `(batch, ...)`.
        mask: `(batch, time)` booleans; a frame at a `False` step is before none.

    Returns:
        `(batch, time, ...)`, and `(batch, ...)`.

    Example:
        >>> before, last = frames_before(ops.ones((1, 2, 3)), first=ops.zeros((1, 3)))
        >>> before[0, :, 0], last[0, 0]
        (<tf.Tensor: shape=(2,), dtype=float32, numpy=array([0., 1.], dtype=float32)>,
        <tf.Tensor: shape=(), dtype=float32, numpy=1.0>)
    """
    every = ops.concatenate([first[:, None], frames], axis=1)
    if mask is not None:
        latest = ops.reshape(_latest(mask), (*ops.shape(every)[:2], *(1,) * (len(every.shape) - 2)))
        every = ops.take_along_axis(every, latest, axis=1)
    return every[:, :-1], every[:, -1]


def _latest(mask: Any) -> Any:
    """Return the place of the last `True`, from 1, before each step and at the end: 0 for none.

    `(batch, time)` gives `(batch, time + 1)`.
    """
    places = ops.arange(1, ops.shape(mask)[1] + 1)
    at_or_before = places[None, :] <= places[:, None]
    seen = ops.logical_and(ops.cast(mask, "bool")[:, None, :], at_or_before)
    latest = ops.max(ops.where(seen, places, ops.zeros_like(places)), axis=-1)
    return ops.pad(latest, [[0, 0], [1, 0]])
