"""How things have moved up to now, kept where they are."""

from typing import Any

import numpy as np
from keras import ops

from keras_videolstm.layers.frame_layout import FrameLayout

# The longer, the finer the speed and the later a turn shows; together they tell a thing's place
# between two pixels.
_DECAYS = np.array([0.5, 0.8, 0.95], "float32")
_SIGNALS = 5
# So that what has hardly been seen counts as standing still.
_DOUBT = 0.05


class MotionTracks:
    """Averages of displacements along the way of each patch.

    Two frames show how far something moved in whole pixels; ten show its speed to a tenth, if they
    are those of one thing. At each place, block matching gives the probability of every
    displacement. By those, the sums kept are moved along with the patch (linear interpolation
    between patches), fade by a decay, and take in the displacement, its absolute value (which
    stays when a thing bounces), and a one, each weighted by how certain the displacement is:

        sum[p] = decay · sum[p - displacement] + weight · (1, y, x, |y|, |x|)

    Nothing is learned here, and no gradient flows.

    Args:
        layout: how frames lie; its convolution says how far things may move.

    Example:
        >>> tracks = MotionTracks(FrameLayout((64, 64, 1), Convolution(max_displacement=4)))
        >>> maps = ops.zeros((2, *tracks.shape))
        >>> moved = tracks.advance(maps, tracks.observe(ops.zeros((2, 16, 16, 81))))
        >>> tracks.read(moved).shape
        TensorShape([2, 16, 16, 15])
    """

    def __init__(self, layout: FrameLayout) -> None:
        convolution = layout.convolution
        reach, patch = convolution.max_displacement, convolution.patch_size
        self.shape = (*layout.shape[:-1], len(_DECAYS) * _SIGNALS)
        self._displacements = (2 * reach + 1) ** 2
        shifts = np.arange(-reach, reach + 1)
        down, across = (grid.reshape(-1) for grid in np.meshgrid(shifts, shifts, indexing="ij"))
        moves = np.stack([down, across, np.abs(down), np.abs(across)], axis=-1) / reach
        self._moves = np.concatenate([np.ones((len(moves), 1)), moves], axis=-1).astype("float32")
        # Displacements of a patch or less come from the patch itself and its eight neighbours.
        parts = [
            np.maximum(0, 1 - np.abs(shift[:, None] / patch - np.arange(-1, 2)))
            for shift in (down, across)
        ]
        taps = parts[0][:, :, None] * parts[1][:, None, :]
        self._taps = taps.reshape(-1, 9).astype("float32")

    def observe(self, match: Any) -> Any:
        """Return what `advance` needs of block matching's maps `(..., side²)`."""
        even = 1 / self._displacements
        probabilities = match + even
        weight = ops.sum(ops.square(probabilities), axis=-1, keepdims=True) - even
        signals = weight * ops.matmul(probabilities, self._moves)
        return ops.concatenate([ops.matmul(probabilities, self._taps), signals], axis=-1)

    def advance(self, tracks: Any, observed: Any) -> Any:
        """Return the tracks `(batch, *shape)` one frame later."""
        rows, columns, _ = self.shape
        taps, signals = ops.split(observed, [9], axis=-1)
        wide = ops.pad(tracks, [[0, 0], [1, 1], [1, 1], [0, 0]])
        beside = [
            wide[:, down : down + rows, across : across + columns]
            for down in range(3)
            for across in range(3)
        ]
        moved = ops.sum(taps[..., None] * ops.stack(beside, axis=-2), axis=-2)
        decays = np.repeat(_DECAYS, _SIGNALS)
        return decays * moved + ops.concatenate([signals] * len(_DECAYS), axis=-1)

    def read(self, tracks: Any) -> Any:
        """Return what tracks `(..., channels)` say: mean displacements, and how long was seen."""
        split = ops.reshape(tracks, (*ops.shape(tracks)[:-1], len(_DECAYS), _SIGNALS))
        seen = split[..., :1]
        parts = [seen * (1 - _DECAYS[:, None]), split[..., 1:] / (seen + _DOUBT)]
        return ops.reshape(ops.concatenate(parts, axis=-1), ops.shape(tracks))
