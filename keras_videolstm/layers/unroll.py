"""How one step is run over time."""

from typing import Any

import keras
from keras import ops

from keras_videolstm.layers.conv_lstm_cell import ConvPeepholeLSTMCell
from keras_videolstm.layers.lstm_cell import PeepholeLSTMCell
from keras_videolstm.layers.over_time import (
    batch_first,
    check_some_steps,
    run_over_time,
    step_by_step,
)

# Any other subclass may have other equations.
_WITH_OWN_GRADIENT = (PeepholeLSTMCell, ConvPeepholeLSTMCell)


def unroll(
    cell: Any,
    inputs: Any = None,
    initial_state: list[Any] | tuple[Any, ...] | None = None,
    *,
    steps: Any = None,
    batch_size: Any = None,
    mask: Any = None,
) -> tuple[Any, list[Any]]:
    """Run a recurrent cell over a sequence; the projections of all inputs are one product.

    It equals `keras.layers.RNN` over the same cell, in values and in gradients. On TensorFlow the
    cells of this package run with a gradient of its own (`unroll_in_tensorflow`), which is the
    quicker one; everything else runs in `keras.ops`.

    Args:
        cell: has `equations()`, whose result has `project(inputs)` and `step(projected, states)`,
            and `get_initial_state(batch_size)`.
        inputs: `(batch, time, features)` or `(batch, time, height, width, channels)`, or `None` to
            run without any input.
        initial_state: `[h, c]`, each `(batch, *cell.state_shape)`; default zeros.
        steps: number of steps where there are no inputs.
        batch_size: needed where there are neither inputs nor a state.
        mask: `(batch, time)` booleans; at a `False` step the state stays, and the output is the
            one before (zeros before the first).

    Returns:
        Outputs `(batch, time, *cell.state_shape)` and the final `[h, c]`.

    Raises:
        ValueError: if there are neither inputs nor `steps`, or no step.

    Example:
        >>> cell = PeepholeLSTMCell(8)
        >>> cell.build((None, 3))
        >>> outputs, state = unroll(cell, keras.random.normal((2, 5, 3)))
        >>> outputs.shape, len(state)
        (TensorShape([2, 5, 8]), 2)
    """
    if inputs is None and steps is None:
        raise ValueError("Expected inputs or a number of steps. Received: inputs=None, steps=None")
    if initial_state is None:
        initial_state = cell.get_initial_state(
            batch_size if inputs is None else ops.shape(inputs)[0]
        )
    state = [ops.cast(part, cell.state_dtype) for part in initial_state]
    if inputs is not None:
        inputs = ops.convert_to_tensor(inputs)
        steps = ops.shape(inputs)[1]
    check_some_steps(steps)
    if mask is not None:
        mask = ops.cast(mask, "bool")
    run = _unroll_with_own_gradient if _has_own_gradient(cell) else _unroll_portably
    return run(cell, inputs, state, steps, mask)


def _has_own_gradient(cell: Any) -> bool:
    return keras.backend.backend() == "tensorflow" and type(cell) in _WITH_OWN_GRADIENT


def _unroll_with_own_gradient(
    cell: PeepholeLSTMCell, inputs: Any, state: list[Any], steps: Any, mask: Any
) -> tuple[Any, list[Any]]:
    # Imported here, as it needs TensorFlow.
    from keras_videolstm.layers.unroll_in_tensorflow import unroll_in_tensorflow

    return unroll_in_tensorflow(cell.equations(), inputs, state, steps, mask)


def _unroll_portably(
    cell: Any, inputs: Any, state: list[Any], steps: Any, mask: Any
) -> tuple[Any, list[Any]]:
    equations = cell.equations()
    per_step = {}
    if inputs is not None:
        per_step["projected"] = step_by_step(equations.project(inputs), steps)
    if mask is not None:
        per_step["mask"] = step_by_step(mask, steps)
    constant = equations.project(None) if inputs is None else None

    def step(carry: list[Any], at: dict[str, Any]) -> list[Any]:
        output, *state = carry
        new_output, new_state = equations.step(at.get("projected", constant), state)
        new = [new_output, *new_state]
        if "mask" not in at:
            return new
        keep = ops.reshape(at["mask"], (-1,) + (1,) * (len(output.shape) - 1))
        return [ops.where(keep, now, before) for now, before in zip(new, carry, strict=True)]

    (outputs,), (_, *state) = run_over_time(
        step, [ops.zeros_like(state[0]), *state], per_step, steps
    )
    return batch_first(outputs), state
