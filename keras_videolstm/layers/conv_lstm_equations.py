"""The equations of one LSTM step over feature maps."""

from dataclasses import dataclass
from typing import Any

from keras import ops

from keras_videolstm.layers.lstm_equations import LSTMEquations


@dataclass(frozen=True)
class ConvLSTMEquations(LSTMEquations):
    """`LSTMEquations` whose products are convolutions, at every place the same (Shi et al., 2015).

    Attributes:
        kernel: `(side, side, channels, 4 * filters)`, or `None`.
        recurrent_kernel: `(side, side, filters, 4 * filters)`.
        bias, peepholes: as in `LSTMEquations`, one for each filter.
        stride: of the convolution of inputs; default 1.

    Example:
        >>> cell = ConvPeepholeLSTMCell(8)
        >>> cell.build((None, 16, 16, 3))
        >>> cell.equations().project(keras.random.normal((2, 5, 16, 16, 3))).shape
        TensorShape([2, 5, 16, 16, 32])
    """

    stride: int = 1

    @property
    def joins(self) -> bool:
        """Whether inputs and h lie alike, so that one product can take both."""
        return self.stride == 1

    def project(self, inputs: Any) -> Any:
        """Return the gates' input part `(..., height, width, 4 * filters)`."""
        if inputs is None or self.kernel is None:
            return self.bias
        leading = ops.shape(inputs)[:-3]
        maps = ops.reshape(inputs, (-1, *inputs.shape[-3:]))
        projected = self._convolved(maps, self.kernel, self.stride) + self.bias
        return ops.reshape(projected, (*leading, *projected.shape[1:]))

    def product(self, inputs: Any, kernel: Any) -> Any:
        """Return the convolution of maps `(batch, height, width, channels)`."""
        return self._convolved(inputs, kernel, 1)

    def _convolved(self, maps: Any, kernel: Any, stride: int) -> Any:
        maps = ops.cast(maps, self.product_dtype)
        convolved = ops.conv(maps, kernel, stride, padding="same", data_format="channels_last")
        return ops.cast(convolved, self.state_dtype)
