"""How one step is run over time."""

from typing import Any

import keras
from keras import ops

# A short, known length is written out step by step, which is the quickest on every backend; a
# longer or unknown one is a loop, whose graph does not grow with it.
_LONGEST_WRITTEN_OUT = 64


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

    It equals `keras.layers.RNN` over the same cell, in values and in gradients.

    Args:
        cell: has `project(inputs)`, `step(projected, states)` and `get_initial_state(batch_size)`.
        inputs: `(batch, time, features)`, or `None` to run without any input.
        initial_state: `[h, c]`, each `(batch, units)`; default zeros.
        steps: number of steps where there are no inputs.
        batch_size: needed where there are neither inputs nor a state.
        mask: `(batch, time)` booleans; at a `False` step the state stays, and the output is the
            one before (zeros before the first).

    Returns:
        Outputs `(batch, time, units)` and the final `[h, c]`.

    Raises:
        ValueError: if there are neither inputs nor `steps`.

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
    per_step = {}
    if inputs is not None:
        steps = ops.shape(inputs)[1]
        per_step["projected"] = cell.project(inputs)
    if mask is not None:
        per_step["mask"] = ops.cast(mask, "bool")

    constant = cell.project(None) if inputs is None else None

    def step(carry: list[Any], at: dict[str, Any]) -> list[Any]:
        output, *state = carry
        new_output, new_state = cell.step(at.get("projected", constant), state)
        new = [new_output, *new_state]
        if "mask" not in at:
            return new
        keep = ops.reshape(at["mask"], (-1,) + (1,) * (len(output.shape) - 1))
        return [ops.where(keep, now, before) for now, before in zip(new, carry, strict=True)]

    outputs, (_, *state) = run_over_time(step, [ops.zeros_like(state[0]), *state], per_step, steps)
    return outputs, state


def run_over_time(
    step: Any, carry: list[Any], per_step: dict[str, Any], steps: Any
) -> tuple[Any, list[Any]]:
    """Run `step(carry, at) -> carry` for `steps` steps and collect `carry[0]` of each.

    Args:
        step: the body; `at` holds each entry of `per_step` at that time.
        carry: tensors that go from step to step, their shapes unchanged.
        per_step: tensors `(batch, time, ...)` by name.
        steps: number of steps, an integer or a scalar tensor.

    Returns:
        The first carried tensor at each step, `(batch, time, ...)`, and the last carry.

    Example:
        >>> total = lambda carry, at: [carry[0] + at["x"]]
        >>> outputs, last = run_over_time(total, [ops.zeros((1,))], {"x": ops.ones((1, 3))}, 3)
        >>> outputs
        <tf.Tensor: shape=(1, 3), dtype=float32, numpy=array([[1., 2., 3.]], dtype=float32)>
    """
    if isinstance(steps, int) and steps <= _LONGEST_WRITTEN_OUT:
        return _write_out(step, carry, per_step, steps)
    time_first = {name: _swap(tensor) for name, tensor in per_step.items()}
    if keras.backend.backend() == "tensorflow":
        return _loop_in_tensorflow(step, carry, time_first, steps)
    return _loop(step, carry, time_first, steps)


def _loop(
    step: Any, carry: list[Any], time_first: dict[str, Any], steps: Any
) -> tuple[Any, list[Any]]:
    # Something to count along where nothing is read.
    time_first = {**time_first, "step": ops.arange(steps)}

    def body(carry: list[Any], at: dict[str, Any]) -> tuple[list[Any], list[Any]]:
        carry = step(carry, at)
        # On TensorFlow, where tests run this, `scan` collects only what has the carry's structure.
        return carry, carry

    carry, collected = ops.scan(body, carry, time_first)
    return _swap(collected[0]), carry


def _loop_in_tensorflow(
    step: Any, carry: list[Any], time_first: dict[str, Any], steps: Any
) -> tuple[Any, list[Any]]:
    # On TensorFlow `ops.scan` fails on a length unknown to the graph, and XLA has no gradient of
    # it, as it names no `maximum_iterations`.
    import tensorflow as tf

    columns = {
        name: tf.TensorArray(tensor.dtype, steps, element_shape=tensor.shape[1:]).unstack(tensor)
        for name, tensor in time_first.items()
    }
    outputs = tf.TensorArray(carry[0].dtype, steps, element_shape=carry[0].shape)

    def body(t: Any, carry: list[Any], outputs: Any) -> tuple[Any, list[Any], Any]:
        new = step(carry, {name: column.read(t) for name, column in columns.items()})
        for now, before in zip(new, carry, strict=True):
            now.set_shape(before.shape)
        return t + 1, new, outputs.write(t, new[0])

    _, carry, outputs = tf.while_loop(
        lambda t, *_: t < steps,
        body,
        (tf.constant(0), carry, outputs),
        maximum_iterations=steps,
    )
    return _swap(outputs.stack()), carry


def _write_out(
    step: Any, carry: list[Any], per_step: dict[str, Any], steps: int
) -> tuple[Any, list[Any]]:
    # The gradient of `unstack` is one `stack`; that of T slices would be T full-size additions.
    columns = {name: ops.unstack(tensor, steps, axis=1) for name, tensor in per_step.items()}
    outputs = []
    for t in range(steps):
        carry = step(carry, {name: column[t] for name, column in columns.items()})
        outputs.append(carry[0])
    return ops.stack(outputs, axis=1), carry


def _swap(tensor: Any) -> Any:
    return ops.transpose(tensor, (1, 0, *range(2, len(tensor.shape))))
