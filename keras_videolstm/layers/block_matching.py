"""How far each patch has moved since the frame before."""

from typing import Any

from keras import ops

from keras_videolstm.layers.frame_layout import FrameLayout


class BlockMatching:
    """Compares each patch and its neighbours with the frame before, at every displacement.

    The squared differences d are summed over 3 x 3 patches (at the border, over those inside, and
    scaled to nine), and `softmax(-d)` over all displacements says which of them explain what is
    seen; less its mean, so that a place where nothing is to be seen gives zeros. Nothing is learned
    here, and no gradient flows.

    Args:
        layout: how frames lie; its convolution says how far to look.

    Call arguments:
        now: frames `(frames, height, width, channels)` as the layout arranges them.
        before: the frame before each, likewise.

    Output shape:
        `(frames, height, width, side²)`, a channel for each displacement, where `side` is twice
        the largest displacement and one. The channel of (y, x) is high where
        `now[p] = before[p + (y, x)]`.

    Example:
        >>> layout = FrameLayout((64, 64, 1), Convolution(max_displacement=4))
        >>> maps = ops.zeros((2, 16, 16, 16))
        >>> BlockMatching(layout)(maps, maps).shape
        TensorShape([2, 16, 16, 81])
    """

    def __init__(self, layout: FrameLayout) -> None:
        self._layout = layout
        self.channels = (2 * layout.convolution.max_displacement + 1) ** 2

    def __call__(self, now: Any, before: Any) -> Any:
        """Compare; see the class."""
        convolution, (height, width, _) = self._layout.convolution, self._layout.frame_shape
        reach, patch = convolution.max_displacement, convolution.patch_size
        now, before = (self._image(ops.stop_gradient(maps)) for maps in (now, before))
        around = ops.pad(before, [[0, 0], [reach, reach], [reach, reach], [0, 0]])
        shifts = range(2 * reach + 1)
        beside = ops.stack([around[:, :, x : x + width] for x in shifts], axis=-1)
        rows = [
            ops.average_pool(
                ops.sum(ops.square(now[..., None] - beside[:, y : y + height]), axis=-2),
                patch,
                patch,
                data_format="channels_last",
            )
            for y in shifts
        ]
        means = ops.average_pool(
            ops.concatenate(rows, axis=-1), 3, 1, padding="same", data_format="channels_last"
        )
        return ops.softmax(-9.0 * patch**2 * means) - 1 / len(shifts) ** 2

    def _image(self, maps: Any) -> Any:
        return self._layout.spread(maps, self._layout.convolution.patch_size)
