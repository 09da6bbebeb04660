"""The cells of an encoder or a decoder."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from keras_videolstm.layers.conv_lstm_cell import ConvPeepholeLSTMCell
from keras_videolstm.layers.convolution import Convolution
from keras_videolstm.layers.lstm_cell import PeepholeLSTMCell


def make_cells(
    units: Sequence[int],
    peepholes: bool,
    convolution: Convolution | None,
    dtype: Any,
    arguments: dict[str, Any],
) -> list[PeepholeLSTMCell]:
    """Make a cell a layer, lowest first; over feature maps with a convolution.

    Example:
        >>> make_cells([8, 4], True, Convolution(), "float32", {})[1]
        <ConvPeepholeLSTMCell name=conv_peephole_lstm_cell_1, built=False>
    """
    if convolution is None:
        return [PeepholeLSTMCell(n, peepholes, dtype=dtype, **arguments) for n in units]
    return [
        ConvPeepholeLSTMCell(
            n,
            peepholes,
            kernel_size=convolution.kernel_size,
            stride=convolution.stride(layer),
            dtype=dtype,
            **arguments,
        )
        for layer, n in enumerate(units)
    ]


def build_cells(cells: Sequence[PeepholeLSTMCell], shape: tuple[int, ...]) -> None:
    """Build a stack whose lowest cell reads inputs `(batch, *shape)`."""
    for cell in cells:
        cell.build((None, *shape))
        shape = cell.state_shape


def freeze_like(layer: keras.layers.Layer, inner: Iterable[keras.layers.Layer]) -> None:
    """Freeze what is inside a layer that is frozen; Keras does so only where `trainable` changes.

    Example:
        >>> encoder = VideoEncoder([8], trainable=False)
        >>> encoder.build((None, None, 3))
        >>> encoder.cells[0].trainable
        False
    """
    for part in inner:
        part.trainable = layer.trainable and part.trainable
