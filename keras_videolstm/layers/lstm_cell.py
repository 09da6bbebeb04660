"""One step of a Long Short-Term Memory with peepholes."""

from typing import Any

import keras
from keras import ops

from keras_videolstm.layers.lstm_equations import LSTMEquations


@keras.saving.register_keras_serializable(package="keras_videolstm")
class PeepholeLSTMCell(keras.layers.Layer):
    """One step of the LSTM of Graves (2013), the paper's section 2.1.

    With gates in Keras' order i, f, a, o, logistic function σ and elementwise product ∘:

        i = σ(W_xi x + W_hi h' + w_ci ∘ c' + b_i)
        f = σ(W_xf x + W_hf h' + w_cf ∘ c' + b_f)
        c = f ∘ c' + i ∘ tanh(W_xa x + W_ha h' + b_a)
        o = σ(W_xo x + W_ho h' + w_co ∘ c + b_o)
        h = o ∘ tanh(c)

    where h', c' are the previous output and cell state. The peepholes w are diagonal; the output
    gate sees the new c. Without peepholes the step is that of `keras.layers.LSTMCell`, and its
    weights can be copied over.

    The step is split in `project`, the part that needs no state and can be done for a whole
    sequence in one product, and `step`, the rest; `keras_videolstm.layers.unroll` uses both, and
    `keras.layers.RNN` runs the cell as it is. Products run in the layer's compute dtype; gates and
    state are at least float32.

    Args:
        units: length of h and of c.
        peepholes: whether the gates see the cell state; default `True`.
        kernel_initializer: of the input weights; default `"glorot_uniform"`.
        recurrent_initializer: of the recurrent weights; default `"orthogonal"`.
        peephole_initializer: of the peepholes; default `"zeros"`.
        bias_initializer: of the biases; default `"zeros"`.
        unit_forget_bias: add 1 to the forget gate's bias at the start; default `True`.

    Call arguments:
        inputs: `(batch, features)`; with no features at all the cell has no input weights.
        states: `[h, c]`, each `(batch, units)`.

    Output shape:
        `h`, `[h, c]`, each `(batch, units)`.

    Raises:
        ValueError: if `units` is not positive.

    Example:
        >>> layer = keras.layers.RNN(PeepholeLSTMCell(8), return_sequences=True)
        >>> layer(keras.random.normal((2, 5, 3))).shape
        TensorShape([2, 5, 8])
    """

    def __init__(
        self,
        units: int,
        peepholes: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        peephole_initializer: Any = "zeros",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        # Keras would cast the incoming float32 state to a low-precision compute dtype.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"Expected a positive number of units. Received: units={units}")
        self.units = units
        self.peepholes = peepholes
        self.kernel_initializer = _own_initializer(kernel_initializer)
        self.recurrent_initializer = _own_initializer(recurrent_initializer)
        self.peephole_initializer = _own_initializer(peephole_initializer)
        self.bias_initializer = _own_initializer(bias_initializer)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]
        self.output_size = units
        self.kernel = None
        self.peephole_kernel = None

    @property
    def state_dtype(self) -> str:
        """Dtype of gates and state: float32, or float64 under a float64 policy."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Shape of h and of c for one clip."""
        return (self.units,)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs `(batch, features)`; `features` may be 0."""
        if input_shape[-1]:
            self.kernel = self.add_weight(
                shape=self._kernel_shape(input_shape[-1]),
                initializer=self.kernel_initializer,
                name="kernel",
            )
        self.recurrent_kernel = self.add_weight(
            shape=self._kernel_shape(self.units),
            initializer=self.recurrent_initializer,
            name="recurrent_kernel",
        )
        self.bias = self.add_weight(
            shape=(4 * self.units,), initializer=self._initial_bias, name="bias", autocast=False
        )
        if self.peepholes:
            self.peephole_kernel = self.add_weight(
                shape=(3, self.units),
                initializer=self.peephole_initializer,
                name="peephole_kernel",
                autocast=False,
            )
        self.built = True

    def _kernel_shape(self, inputs: int) -> tuple[int, ...]:
        return (inputs, 4 * self.units)

    def _initial_bias(self, shape: tuple[int], dtype: Any = None) -> Any:
        bias = self.bias_initializer(shape, dtype=dtype)
        if not self.unit_forget_bias:
            return bias
        forget = ops.one_hot(1, 4, dtype=bias.dtype)
        return bias + ops.repeat(forget, self.units)

    def equations(self) -> LSTMEquations:
        """Return the step's equations with every weight read and cast, for use in a loop."""
        return LSTMEquations(**self._weights_to_use())

    def _weights_to_use(self) -> dict[str, Any]:
        low, full = self.compute_dtype, self.state_dtype
        peepholes = self.peephole_kernel
        return {
            "kernel": None if self.kernel is None else ops.cast(self.kernel, low),
            "recurrent_kernel": ops.cast(self.recurrent_kernel, low),
            "bias": ops.cast(self.bias, full),
            "peepholes": None if peepholes is None else ops.cast(peepholes, full),
        }

    def project(self, inputs: Any) -> Any:
        """Return the gates' input part `(..., 4 * units)` of inputs `(..., features)`.

        With `None` for inputs, or in a cell without input weights, this is the bias `(4 * units,)`.
        """
        return self.equations().project(inputs)

    def step(self, projected: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """Take one step from `project`'s result `(batch, 4 * units)` and `[h, c]`."""
        return self.equations().step(projected, states)

    def call(self, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """Take one step; `states` keep their dtype, as `keras.layers.RNN`'s loop needs."""
        equations = self.equations()
        output, new_states = equations.step(equations.project(inputs), states)
        return ops.cast(output, states[0].dtype), [
            ops.cast(new, old.dtype) for new, old in zip(new_states, states, strict=True)
        ]

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return zeros `[h, c]`, each `(batch, units)`."""
        shape = (batch_size, *self.state_shape)
        return [ops.zeros(shape, dtype=self.state_dtype) for _ in range(2)]

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "peepholes": self.peepholes,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "peephole_initializer": keras.initializers.serialize(self.peephole_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "unit_forget_bias": self.unit_forget_bias,
        }


def _own_initializer(identifier: Any) -> Any:
    # One unseeded object draws the same numbers each time; shared by a stack's cells it would
    # start all layers of one shape alike.
    initializer = keras.initializers.get(identifier)
    return initializer.clone() if hasattr(initializer, "clone") else initializer
