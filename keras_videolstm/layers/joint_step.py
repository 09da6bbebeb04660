"""A step of the LSTM whose input waits for the step before."""

from typing import Any

import keras
from keras import ops

from keras_videolstm.layers.lstm_equations import LSTMEquations


class JointStep:
    """Takes steps with one product for input and state together: `[x, h] · [Wx; Wh]`.

    Where every input is known, one product for all of them is quicker; where each is made by the
    step before, as in feedback, one large product is quicker than two smaller ones.

    Args:
        equations: of a cell with input weights.

    Call arguments:
        inputs: `(batch, features)`.
        states: `[h, c]`, each `(batch, units)`, in the dtype of the state.

    Output shape:
        `h`, `[h, c]`, each `(batch, units)`.

    Example:
        >>> cell = PeepholeLSTMCell(8)
        >>> cell.build((None, 3))
        >>> take_step = JointStep(cell.equations())
        >>> take_step(ops.ones((2, 3)), [ops.zeros((2, 8))] * 2)[0].shape
        TensorShape([2, 8])
    """

    def __init__(self, equations: LSTMEquations) -> None:
        self._equations = equations
        if not equations.joins:
            return
        kernel = ops.concatenate([equations.kernel, equations.recurrent_kernel], axis=-2)
        # A CPU multiplies few rows of bfloat16 quicker by a matrix whose columns lie in memory one
        # after another; with float32 it is the other way round.
        low = keras.backend.standardize_dtype(kernel.dtype) == "bfloat16"
        dense = len(kernel.shape) == 2
        self._transposed = dense and low and keras.backend.backend() == "tensorflow"
        # The detour by three axes keeps TensorFlow from merging product and transposition again.
        self._kernel = ops.transpose(kernel[None], (0, 2, 1))[0] if self._transposed else kernel

    def __call__(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """Take one step; see the class."""
        equations = self._equations
        if not equations.joins:
            return equations.step(equations.project(inputs), states)
        hidden, cell = states
        low = [ops.cast(part, equations.product_dtype) for part in (inputs, hidden)]
        gates = self._times_kernel(ops.concatenate(low, axis=-1)) + equations.bias
        return equations.new_state(gates, cell)

    def _times_kernel(self, rows: Any) -> Any:
        if not self._transposed:
            return self._equations.product(rows, self._kernel)
        import tensorflow as tf

        product = tf.matmul(rows, self._kernel, transpose_b=True)
        return ops.cast(product, self._equations.state_dtype)
