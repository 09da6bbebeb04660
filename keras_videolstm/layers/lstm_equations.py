"""The equations of one LSTM step, over weights that are ready to use."""

from dataclasses import dataclass
from typing import Any

from keras import ops


@dataclass(frozen=True)
class LSTMEquations:
    """What `PeepholeLSTMCell` computes, apart from its variables.

    A loop takes it once and reads and casts each weight once, not once a step.

    Attributes:
        kernel: input weights `(features, 4 * units)` in the dtype of products, or `None`.
        recurrent_kernel: `(units, 4 * units)` in the dtype of products.
        bias: `(4 * units,)` in the dtype of the state.
        peepholes: `(3, units)` in the dtype of the state, for the gates i, f, o, or `None`.

    Example:
        >>> cell = PeepholeLSTMCell(8)
        >>> cell.build((None, 3))
        >>> cell.equations().project(keras.random.normal((2, 3))).shape
        TensorShape([2, 32])
    """

    kernel: Any
    recurrent_kernel: Any
    bias: Any
    peepholes: Any

    @property
    def product_dtype(self) -> Any:
        """Dtype of products."""
        return self.recurrent_kernel.dtype

    @property
    def state_dtype(self) -> Any:
        """Dtype of gates and state."""
        return self.bias.dtype

    @property
    def joins(self) -> bool:
        """Whether inputs and h lie alike, so that one product can take both."""
        return True

    def project(self, inputs: Any) -> Any:
        """Return the gates' input part; see `PeepholeLSTMCell.project`."""
        if inputs is None or self.kernel is None:
            return self.bias
        return self.product(inputs, self.kernel) + self.bias

    def step(self, projected: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """Take one step; see `PeepholeLSTMCell.step`."""
        hidden, cell = (ops.cast(state, self.state_dtype) for state in states)
        gates = ops.cast(projected, self.state_dtype)
        return self.new_state(gates + self.product(hidden, self.recurrent_kernel), cell)

    def new_state(self, gates: Any, cell: Any) -> tuple[Any, list[Any]]:
        """Return `h`, `[h, c]` from unsquashed gates `(batch, 4 * units)` and the old c."""
        to_input, to_forget, to_cell, to_output = ops.split(gates, 4, axis=-1)
        if self.peepholes is not None:
            see_input, see_forget, see_output = ops.unstack(self.peepholes, 3)
            to_input = to_input + see_input * cell
            to_forget = to_forget + see_forget * cell
        cell = ops.sigmoid(to_forget) * cell + ops.sigmoid(to_input) * ops.tanh(to_cell)
        if self.peepholes is not None:
            to_output = to_output + see_output * cell
        hidden = ops.sigmoid(to_output) * ops.tanh(cell)
        return hidden, [hidden, cell]

    def product(self, inputs: Any, kernel: Any) -> Any:
        """Return the product of inputs and kernel, in the dtype of the state."""
        product = ops.matmul(ops.cast(inputs, self.product_dtype), kernel)
        return ops.cast(product, self.state_dtype)
