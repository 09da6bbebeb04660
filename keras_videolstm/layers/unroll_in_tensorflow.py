"""The LSTM over time on TensorFlow, with a gradient of its own.

TensorFlow's own gradient of an unrolled LSTM makes two products a step, one of them a weight
gradient that is added to a sum as large as the weights. Here a step of the backward pass has one
small product, `dz · Whᵀ`; afterwards one product over batch and time makes each weight gradient.
Products run in low precision if the cell's do; state and gates stay in float32, and all sums but
that of a convolution and its bias. What enters a product, the gradient of the gates too, is rounded
for it.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from keras_videolstm.layers.lstm_equations import LSTMEquations
from keras_videolstm.layers.over_time import (
    batch_first,
    is_written_out,
    run_over_time,
    shifted,
    step_by_step,
    time_first,
)
from keras_videolstm.layers.products_in_tensorflow import Products, products_of, projected


def unroll_in_tensorflow(
    equations: LSTMEquations,
    inputs: tf.Tensor | None,
    state: list[tf.Tensor],
    steps: Any,
    mask: tf.Tensor | None,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Do what `unroll` does, quicker.

    Args:
        equations: of the cell.
        inputs: `(batch, time, features)`, or `None`.
        state: `[h, c]`, each `(batch, units)`, in the dtype of the state.
        steps: number of steps.
        mask: `(batch, time)` booleans, or `None`.

    Returns:
        Outputs `(batch, time, units)` and the final `[h, c]`.

    Example:
        >>> cell = PeepholeLSTMCell(8)
        >>> cell.build((None, 3))
        >>> zeros = [tf.zeros((2, 8))] * 2
        >>> outputs, state = unroll_in_tensorflow(
        ...     cell.equations(), tf.ones((2, 5, 3)), zeros, steps=5, mask=None
        ... )
        >>> outputs.shape
        TensorShape([2, 5, 8])
    """
    tensors = {
        "recurrent": equations.recurrent_kernel,
        "bias": equations.bias,
        "hidden": state[0],
        "cell": state[1],
    }
    if equations.peepholes is not None:
        tensors["peepholes"] = equations.peepholes
    if inputs is not None and equations.kernel is not None:
        tensors["projected"] = projected(inputs, equations)
    keep = None
    if mask is not None:
        places = (1,) * (len(state[0].shape) - 1)
        mask = tf.reshape(mask, tf.concat([tf.shape(mask), places], axis=0))
        keep = step_by_step(mask, steps)
    outputs, hidden, cell = _recurrence(products_of(equations), tensors, keep, steps)
    if mask is not None:
        begun = tf.cumsum(tf.cast(mask, tf.int32), axis=1) > 0
        outputs = tf.where(begun, outputs, tf.zeros_like(outputs))
    return outputs, [hidden, cell]


def _recurrence(
    kind: type[Products], tensors: dict[str, tf.Tensor], keep: Any, steps: Any
) -> tuple[tf.Tensor, ...]:
    """Return h at each step `(batch, time, ..., units)`, and the last h and c."""
    names = list(tensors)

    @tf.custom_gradient
    def run(*values: tf.Tensor) -> Any:
        given = dict(zip(names, values, strict=True))
        products = kind(given["recurrent"])
        outputs, last, kept = _forward(products, given, keep, steps)

        def gradient(*upstream: tf.Tensor) -> list[tf.Tensor]:
            gradients = _backward(products, given, kept, keep, steps, *upstream)
            return [gradients[name] for name in names]

        return (outputs, *last), gradient

    return run(*tensors.values())


class _Kept(NamedTuple):
    """What the backward pass needs of the forward one; a list or a tensor over time each."""

    into: Any
    forget: Any
    candidate: Any
    out: Any
    squashed: Any
    cell: Any
    cell_before: Any
    low_hidden_before: Any


# Of these, what the gates' gradients need.
_ACTIVATIONS = ("into", "forget", "candidate", "out", "squashed", "cell_before")


def _forward(
    products: Products, given: dict[str, tf.Tensor], keep: Any, steps: Any
) -> tuple[tf.Tensor, list[tf.Tensor], _Kept]:
    low = given["recurrent"].dtype
    see = _peepholes(given)
    per_step = {"keep": keep} if keep is not None else {}
    if "projected" in given:
        per_step["projected"] = _one_by_one(given["projected"], steps)

    def step(carry: list[tf.Tensor], at: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        hidden, cell, low_hidden = carry[:3]
        gates = products.gates(low_hidden, given["bias"], at.get("projected"))
        new_cell, *activations = _squash(gates, cell, see)
        *_, out, squashed = activations
        new_hidden = out * squashed
        if "keep" in at:
            new_hidden = tf.where(at["keep"], new_hidden, hidden)
            new_cell = tf.where(at["keep"], new_cell, cell)
        return [new_hidden, new_cell, tf.cast(new_hidden, low), *activations]

    start = [given["hidden"], given["cell"], tf.cast(given["hidden"], low)]
    nothing = [tf.zeros_like(given["cell"])] * 5
    carry = [*start, *nothing]
    collected, carry = run_over_time(step, carry, per_step, steps, collect=len(carry))
    hidden, cell, low_hidden, into, forget, candidate, out, squashed = collected
    kept = _Kept(
        into,
        forget,
        candidate,
        out,
        squashed,
        cell,
        shifted(start[1], cell),
        shifted(start[2], low_hidden),
    )
    return batch_first(hidden), carry[:2], kept


def _squash(
    gates: tf.Tensor, cell: tf.Tensor, see: list[tf.Tensor] | None
) -> tuple[tf.Tensor, ...]:
    """Return the new c, and what made it: input, forget, candidate, output gate, tanh of c."""
    gates = tf.cast(gates, cell.dtype)
    into, forget, candidate, out = tf.split(gates, 4, axis=-1)
    if see is not None:
        into, forget = into + see[0] * cell, forget + see[1] * cell
    into, forget, candidate = tf.sigmoid(into), tf.sigmoid(forget), tf.tanh(candidate)
    cell = forget * cell + into * candidate
    out = tf.sigmoid(out if see is None else out + see[2] * cell)
    return cell, into, forget, candidate, out, tf.tanh(cell)


def _gate_gradients(
    at: dict[str, tf.Tensor],
    to_hidden: tf.Tensor,
    to_cell: tf.Tensor,
    see: list[tf.Tensor] | None,
    low: tf.DType,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the gradients of the unsquashed gates, rounded for products, and of the old c."""
    to_out = _through_sigmoid(at["out"], to_hidden * at["squashed"])
    to_cell = to_cell + _through_tanh(at["squashed"], to_hidden * at["out"])
    if see is not None:
        to_cell = to_cell + to_out * see[2]
    to_into = _through_sigmoid(at["into"], to_cell * at["candidate"])
    to_forget = _through_sigmoid(at["forget"], to_cell * at["cell_before"])
    to_candidate = _through_tanh(at["candidate"], to_cell * at["into"])
    to_cell = to_cell * at["forget"]
    if see is not None:
        to_cell = to_cell + to_into * see[0] + to_forget * see[1]
    to_gates = tf.concat([to_into, to_forget, to_candidate, to_out], axis=-1)
    return tf.cast(to_gates, low), to_cell


def _backward(
    products: Products,
    given: dict[str, tf.Tensor],
    kept: _Kept,
    keep: Any,
    steps: Any,
    to_outputs: tf.Tensor,
    to_hidden: tf.Tensor,
    to_cell: tf.Tensor,
) -> dict[str, tf.Tensor]:
    low, full = given["recurrent"].dtype, given["bias"].dtype
    see = _peepholes(given)
    per_step = {**kept._asdict(), "upstream": step_by_step(to_outputs, steps)}
    if keep is not None:
        per_step["keep"] = keep

    def step(carry: list[tf.Tensor], at: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        _, to_hidden, to_cell = carry
        to_hidden = to_hidden + at["upstream"]
        passed_on = None
        if "keep" in at:
            # A masked step hands on what comes, and has no part in it.
            zeros = tf.zeros_like(to_hidden)
            passed_on = [tf.where(at["keep"], zeros, t) for t in (to_hidden, to_cell)]
            to_hidden, to_cell = (tf.where(at["keep"], t, zeros) for t in (to_hidden, to_cell))
        activations = {name: at[name] for name in _ACTIVATIONS}
        to_gates, to_cell = _gate_gradients(activations, to_hidden, to_cell, see, low)
        to_hidden = tf.cast(products.transposed(to_gates), full)
        if passed_on is not None:
            to_hidden, to_cell = to_hidden + passed_on[0], to_cell + passed_on[1]
        return [to_gates, to_hidden, to_cell]

    start = [tf.cast(tf.concat([tf.zeros_like(to_cell)] * 4, axis=-1), low), to_hidden, to_cell]
    (to_gates,), (_, to_hidden, to_cell) = run_over_time(step, start, per_step, steps, reverse=True)
    to_gates = time_first(to_gates)
    full_gates = tf.cast(to_gates, full)
    all_but_last = list(range(len(to_gates.shape) - 1))
    return {
        "recurrent": products.kernel_gradient(time_first(kept.low_hidden_before), to_gates),
        "bias": tf.reduce_sum(full_gates, axis=all_but_last),
        "hidden": to_hidden,
        "cell": to_cell,
        "peepholes": None if see is None else _peephole_gradient(full_gates, kept, all_but_last),
        "projected": to_gates,
    }


def _peephole_gradient(to_gates: tf.Tensor, kept: _Kept, axes: list[int]) -> tf.Tensor:
    to_into, to_forget, _, to_out = tf.split(to_gates, 4, axis=-1)
    before, after = time_first(kept.cell_before), time_first(kept.cell)
    parts = (to_into * before, to_forget * before, to_out * after)
    return tf.stack([tf.reduce_sum(part, axis=axes) for part in parts])


def _peepholes(given: dict[str, tf.Tensor]) -> list[tf.Tensor] | None:
    return tf.unstack(given["peepholes"]) if "peepholes" in given else None


def _through_sigmoid(value: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.SigmoidGrad(y=value, dy=upstream)


def _through_tanh(value: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.TanhGrad(y=value, dy=upstream)


def _one_by_one(tensor: tf.Tensor, steps: Any) -> Any:
    """Take a tensor `(time, batch, ...)` apart as `run_over_time` reads it."""
    # Along the first axis `unstack` shares memory.
    return tf.unstack(tensor, steps) if is_written_out(steps) else tensor
