"""What the lowest layer reads at each step."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_videolstm.layers.block_matching import BlockMatching
from keras_videolstm.layers.frame_layout import FrameLayout
from keras_videolstm.layers.motion_tracks import MotionTracks
from keras_videolstm.layers.over_time import batch_first, run_over_time, step_by_step

Carried = Sequence[Any]


class FrameInputs:
    """Makes the lowest layer's inputs from frames, and where things move from those before them.

    What must be known of earlier frames is carried from step to step: nothing; or the frame
    before; or that and the tracks of what moves.

    Args:
        layout: how frames lie.

    Example:
        >>> inputs = FrameInputs(FrameLayout((64, 64, 1), Convolution(max_displacement=4)))
        >>> maps = ops.zeros((2, 16, 16, 16))
        >>> inputs.at_step(maps, (maps,))[0].shape
        TensorShape([2, 16, 16, 97])
    """

    def __init__(self, layout: FrameLayout) -> None:
        self._layout = layout
        self._match = BlockMatching(layout) if layout.moves else None
        self._tracks = MotionTracks(layout) if layout.tracks else None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the inputs of one step."""
        *places, features = self._layout.shape
        if self._match is not None:
            features += self._match.channels
        if self._tracks is not None:
            features += self._tracks.shape[-1]
        return (*places, features)

    @property
    def carried_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of what is carried, for one clip."""
        frame = (self._layout.shape,) if self._match is not None else ()
        return (*frame, self._tracks.shape) if self._tracks is not None else frame

    def at_step(self, frame: Any, carried: Carried) -> tuple[Any, Carried]:
        """Return the inputs `(batch, *shape)` of frames of the layout, and what is carried on."""
        if self._match is None:
            return frame, ()
        match = self._match(frame, carried[0])
        if self._tracks is None:
            return ops.concatenate([frame, match], axis=-1), (frame,)
        tracks = self._tracks.advance(carried[1], self._tracks.observe(match))
        inputs = ops.concatenate([frame, match, self._tracks.read(tracks)], axis=-1)
        return inputs, (frame, tracks)

    def without_frame(self, carried: Carried) -> Any:
        """Return the inputs `(batch, *shape)` of a step that reads no frame."""
        *places, features = self.shape
        if self._tracks is None:
            return ops.zeros((ops.shape(carried[0])[0], *places, features), carried[0].dtype)
        features -= self._tracks.shape[-1]
        empty = ops.zeros((ops.shape(carried[0])[0], *places, features), carried[0].dtype)
        return ops.concatenate([empty, self._tracks.read(carried[1])], axis=-1)

    def over_time(self, frames: Any, carried: Carried, mask: Any = None) -> tuple[Any, Carried]:
        """Return the inputs of all steps, and what is carried on.

        Args:
            frames: `(batch, time, *layout)`.
            carried: from before the first of them.
            mask: `(batch, time)` booleans; what is carried stays as it is at a `False` step.

        Returns:
            `(batch, time, *shape)`, and what is carried.
        """
        if self._match is None:
            return frames, ()
        before, last = frames_before(frames, carried[0], mask)
        merged = [ops.reshape(maps, (-1, *self._layout.shape)) for maps in (frames, before)]
        leading = tuple(ops.shape(frames)[:2])
        match = self._match(*merged)
        parts = [frames, ops.reshape(match, (*leading, *match.shape[1:]))]
        if self._tracks is None:
            return ops.concatenate(parts, axis=-1), (last,)
        observed = self._tracks.observe(parts[1])
        tracks, last_tracks = self._follow(observed, carried[1], mask)
        parts.append(self._tracks.read(tracks))
        return ops.concatenate(parts, axis=-1), (last, last_tracks)

    def _follow(self, observed: Any, tracks: Any, mask: Any) -> tuple[Any, Any]:
        """Return the tracks after each step, and after the last."""
        steps = observed.shape[1] or ops.shape(observed)[1]
        per_step = {"observed": step_by_step(observed, steps)}
        if mask is not None:
            kept = ops.cast(mask, "bool")[..., None, None, None]
            per_step["kept"] = step_by_step(kept, steps)

        def step(carry: list[Any], at: dict[str, Any]) -> list[Any]:
            moved = self._tracks.advance(carry[0], at["observed"])
            return [ops.where(at["kept"], moved, carry[0]) if "kept" in at else moved]

        (every,), (last,) = run_over_time(step, [tracks], per_step, steps)
        return batch_first(every), last


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
