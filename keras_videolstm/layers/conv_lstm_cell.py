"""One step of a Long Short-Term Memory with peepholes over feature maps."""

from typing import Any

import keras

from keras_videolstm.layers.conv_lstm_equations import ConvLSTMEquations
from keras_videolstm.layers.lstm_cell import PeepholeLSTMCell


@keras.saving.register_keras_serializable(package="keras_videolstm")
class ConvPeepholeLSTMCell(PeepholeLSTMCell):
    """One step of the LSTM over feature maps (Shi et al., 2015; the paper's conclusion).

    The equations are those of `PeepholeLSTMCell` with convolutions for products. Every weight,
    peepholes and biases too, is shared by all places, so that weights fit maps of any size; a cell
    runs on those of the size that it was built for. Zeros surround the maps.

    Args:
        units: number of filters: channels of h and of c.
        peepholes: as in `PeepholeLSTMCell`; default `True`.
        kernel_size: side of the kernels; default 3.
        stride: of the convolution of inputs: h and c are so much coarser; default 1.
        kwargs: further arguments of `PeepholeLSTMCell` (initialisers).

    Call arguments:
        inputs: `(batch, height, width, channels)`; with no channels the cell has no input weights.
        states: `[h, c]`, each `(batch, height / stride, width / stride, units)`.

    Output shape:
        `h`, `[h, c]`, of the states' shape.

    Raises:
        ValueError: if a number is not positive, or the maps' size is not known when it is built.

    Example:
        >>> cell = ConvPeepholeLSTMCell(8)
        >>> cell.build((None, 16, 16, 3))
        >>> output, state = cell(keras.random.normal((2, 16, 16, 3)), cell.get_initial_state(2))
        >>> output.shape
        TensorShape([2, 16, 16, 8])
    """

    def __init__(
        self,
        units: int,
        peepholes: bool = True,
        kernel_size: int = 3,
        stride: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, peepholes, **kwargs)
        if kernel_size < 1 or stride < 1:
            raise ValueError(
                f"Expected positive numbers. Received: kernel_size={kernel_size}, stride={stride}"
            )
        self.kernel_size = kernel_size
        self.stride = stride
        self._map_shape: tuple[int, int] | None = None

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of h and of c for one clip; the cell must be built, as maps could have any size."""
        if self._map_shape is None:
            raise ValueError(
                "Expected a built cell, as maps could have any size. Received: not built"
            )
        return (*self._map_shape, self.units)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights for maps `(batch, height, width, channels)`; `channels` may be 0."""
        if len(input_shape) != 4 or None in input_shape[1:]:
            raise ValueError(
                f"Expected maps (batch, height, width, channels) of a known size. "
                f"Received: input_shape={input_shape}"
            )
        self._map_shape = tuple(-(-side // self.stride) for side in input_shape[1:3])
        super().build(input_shape)

    def _kernel_shape(self, inputs: int) -> tuple[int, ...]:
        return (self.kernel_size, self.kernel_size, inputs, 4 * self.units)

    def equations(self) -> ConvLSTMEquations:
        """Return the step's equations with every weight read and cast, for use in a loop."""
        return ConvLSTMEquations(**self._weights_to_use(), stride=self.stride)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "stride": self.stride,
        }
