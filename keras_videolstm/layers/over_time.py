"""A loop over time: written out where it is short, a loop of the backend where it is long."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

# A short, known length is written out step by step, which is the quickest on every backend; a
# longer or unknown one is a loop, whose graph does not grow with it.
_LONGEST_WRITTEN_OUT = 64

Step = Callable[[list[Any], dict[str, Any]], list[Any]]


def run_over_time(
    step: Step,
    carry: list[Any],
    per_step: dict[str, Any],
    steps: Any,
    *,
    collect: int = 1,
    reverse: bool = False,
) -> tuple[list[Any], list[Any]]:
    """Run `step(carry, at) -> carry` for a number of steps, and collect what it gives.

    Args:
        step: the body; `at` holds each entry of `per_step` at that time.
        carry: tensors that go from step to step, their shapes and dtypes unchanged.
        per_step: by name, what `step_by_step` or an earlier run gave.
        steps: number of steps, an integer or a scalar tensor.
        collect: how many of the carried tensors, the first ones, are collected; default 1.
        reverse: go from the last step to the first; default `False`.

    Returns:
        For each collected tensor all its values, in order of time (see `batch_first`), and the
        last carry.

    Example:
        >>> total = lambda carry, at: [carry[0] + at["x"]]
        >>> x = step_by_step(ops.ones((1, 3)), steps=3)
        >>> (sums,), last = run_over_time(total, [ops.zeros((1,))], {"x": x}, 3)
        >>> batch_first(sums)
        <tf.Tensor: shape=(1, 3), dtype=float32, numpy=array([[1., 2., 3.]], dtype=float32)>
    """
    if is_written_out(steps):
        return _write_out(step, carry, per_step, steps, collect, reverse)
    if keras.backend.backend() == "tensorflow":
        return _loop_in_tensorflow(step, carry, per_step, steps, collect, reverse)
    return _loop(step, carry, per_step, steps, collect, reverse)


def check_some_steps(steps: Any) -> None:
    """Refuse a number of steps that is known and not positive.

    Raises:
        ValueError: if it is less than 1.

    Example:
        >>> check_some_steps(5)
    """
    if isinstance(steps, int | np.integer) and steps < 1:
        raise ValueError(f"Expected at least one step. Received: steps={steps}")


def step_by_step(tensor: Any, steps: Any) -> Any:
    """Take a tensor `(batch, time, ...)` apart as `run_over_time` reads it.

    Returns:
        A list with a tensor `(batch, ...)` a step, or one tensor `(time, batch, ...)`.
    """
    # The gradient of `unstack` is one `stack`; that of T slices would be T full-size additions.
    return ops.unstack(tensor, steps, axis=1) if is_written_out(steps) else swap(tensor)


def batch_first(collected: Any) -> Any:
    """Put what `run_over_time` collected together: `(batch, time, ...)`."""
    return ops.stack(collected, axis=1) if isinstance(collected, list) else swap(collected)


def time_first(collected: Any) -> Any:
    """Put what `run_over_time` collected together: `(time, batch, ...)`."""
    return ops.stack(collected) if isinstance(collected, list) else collected


def shifted(first: Any, collected: Any) -> Any:
    """Return what a carried tensor was before each step, from its start and what was collected."""
    if isinstance(collected, list):
        return [first, *collected[:-1]]
    return ops.concatenate([first[None], collected], axis=0)[:-1]


def swap(tensor: Any) -> Any:
    """Exchange the first two axes."""
    return ops.transpose(tensor, (1, 0, *range(2, len(tensor.shape))))


def is_written_out(steps: Any) -> bool:
    """Whether this number of steps is written out, one after another, and not a loop."""
    return isinstance(steps, int) and steps <= _LONGEST_WRITTEN_OUT


def _write_out(
    step: Step,
    carry: list[Any],
    per_step: dict[str, Any],
    steps: int,
    collect: int,
    reverse: bool,
) -> tuple[list[Any], list[Any]]:
    if keras.backend.backend() == "tensorflow":
        step = _traced_once(step)
    collected: list[list[Any]] = [[] for _ in range(collect)]
    for t in reversed(range(steps)) if reverse else range(steps):
        carry = step(carry, {name: column[t] for name, column in per_step.items()})
        for column, value in zip(collected, carry[:collect], strict=True):
            column.append(value)
    return [column[::-1] if reverse else column for column in collected], carry


def _traced_once(step: Step) -> Step:
    """Return a step of which a graph under construction holds one copy, which it calls.

    TensorFlow writes the calls out where it optimises the graph, in far less time than Python
    traces as many steps.
    """
    import tensorflow as tf

    return step if tf.executing_eagerly() else tf.function(step, autograph=False)


def _loop(
    step: Step, carry: list[Any], per_step: dict[str, Any], steps: Any, collect: int, reverse: bool
) -> tuple[list[Any], list[Any]]:
    # Something to count along where nothing is read.
    per_step = {**per_step, "step": ops.arange(steps)}

    def body(carry: list[Any], at: dict[str, Any]) -> tuple[list[Any], list[Any]]:
        carry = step(carry, at)
        # On TensorFlow, where tests run this, `scan` collects only what has the carry's structure.
        return carry, carry

    carry, collected = ops.scan(body, carry, per_step, reverse=reverse)
    return collected[:collect], carry


def _loop_in_tensorflow(
    step: Step, carry: list[Any], per_step: dict[str, Any], steps: Any, collect: int, reverse: bool
) -> tuple[list[Any], list[Any]]:
    # On TensorFlow `ops.scan` fails on a length unknown to the graph, and XLA has no gradient of
    # it, as it names no `maximum_iterations`.
    import tensorflow as tf

    columns = {
        name: tf.TensorArray(tensor.dtype, steps, element_shape=tensor.shape[1:]).unstack(tensor)
        for name, tensor in per_step.items()
    }
    collected = [
        tf.TensorArray(tensor.dtype, steps, element_shape=tensor.shape)
        for tensor in carry[:collect]
    ]

    def body(count: Any, carry: list[Any], collected: list[Any]) -> tuple[Any, Any, Any]:
        t = steps - 1 - count if reverse else count
        new = step(carry, {name: column.read(t) for name, column in columns.items()})
        for now, before in zip(new, carry, strict=True):
            now.set_shape(before.shape)
        written = [array.write(t, value) for array, value in zip(collected, new, strict=False)]
        return count + 1, new, written

    _, carry, collected = tf.while_loop(
        lambda count, *_: count < steps,
        body,
        (tf.constant(0), carry, collected),
        maximum_iterations=steps,
    )
    return [array.stack() for array in collected], carry
