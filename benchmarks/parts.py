"""What each part of a training step costs, beside what it could cost: run by hand.

`python -m keras_videolstm_benchmarks.parts 1024 100`
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_videolstm.fused_adam import FusedAdam
from keras_videolstm.layers import PeepholeLSTMCell, unroll
from keras_videolstm.objectives import BernoulliNatsPerFrame
from keras_videolstm_benchmarks.ours import Ours
from keras_videolstm_benchmarks.problem import PIXELS, Problem

_REPEATS = 7


def seconds(work: Callable[[], Any]) -> float:
    """Return the median time of a call, after two that warm up."""
    times = []
    for _ in range(2 + _REPEATS):
        start = time.perf_counter()
        tf.nest.map_structure(lambda t: t.numpy() if tf.is_tensor(t) else t, work())
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def update(optimizer: keras.optimizers.Optimizer, weights: int) -> float:
    """Return the time of an optimiser's update of so many weights, in matrices of 4 million."""
    variables = [keras.Variable(tf.zeros((1024, 4096))) for _ in range(weights // (1024 * 4096))]
    gradients = [tf.ones((1024, 4096)) for _ in variables]
    optimizer.build(variables)

    @tf.function
    def apply() -> tf.Tensor:
        optimizer.apply(gradients, variables)
        return tf.constant(0)

    return seconds(apply)


def loss(kind: Callable[[Any, Any], Any], rows: int) -> float:
    """Return the time of a loss of so many frames and of its gradient."""
    truth = tf.random.uniform((1, rows, PIXELS))
    logits = tf.random.normal((1, rows, PIXELS))

    @tf.function
    def both() -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            total = tf.reduce_mean(kind(truth, keras.ops.sigmoid(logits)))
        return tf.reduce_max(tape.gradient(total, logits))

    return seconds(both)


def casts(weights: int) -> float:
    """Return the time of casting so many weights to bfloat16, and as many gradients back."""
    full, low = tf.zeros(weights), tf.zeros(weights, tf.bfloat16)
    return seconds(tf.function(lambda: (tf.cast(full, low.dtype)[0], tf.cast(low, full.dtype)[0])))


def product(rows: int, inner: int, columns: int, **transposed: bool) -> float:
    """Return the time of one bfloat16 product."""
    left = tf.ones((inner, rows) if transposed.get("transpose_a") else (rows, inner), tf.bfloat16)
    right_shape = (columns, inner) if transposed.get("transpose_b") else (inner, columns)
    right = tf.ones(right_shape, tf.bfloat16)
    return seconds(tf.function(lambda: tf.matmul(left, right, **transposed)[0, 0]))


def gates(units: int, batch: int) -> float:
    """Return the time of a layer's step, forward and back, beyond its products."""
    cell = PeepholeLSTMCell(units, peepholes=False, dtype="mixed_bfloat16")
    cell.build((None, 0))
    steps = 10

    @tf.function
    def run() -> tf.Tensor:
        with tf.GradientTape() as tape:
            outputs, _ = unroll(cell, steps=steps, batch_size=batch)
            total = tf.reduce_sum(outputs)
        return tf.reduce_max(tape.gradient(total, cell.recurrent_kernel.value))

    whole = seconds(run)
    products = steps * (
        product(batch, units, 4 * units) + product(batch, 4 * units, units, transpose_b=True)
    ) + product(units, steps * batch, 4 * units, transpose_a=True)
    return max(whole - products, 0) / steps


def main() -> None:
    """Print a table."""
    units, batch = (int(argument) for argument in sys.argv[1:3])
    problem = Problem("conditional_composite", units, batch)
    side = 4096
    limit = 2 * side**3 / product(side, side, side)
    step = seconds(Ours(problem, "mixed_bfloat16").train)
    weights, rows = problem.parameters(), 2 * batch * problem.steps
    stock = {
        "optimiser": update(keras.optimizers.Adam(), weights),
        "loss": loss(lambda y, p: tf.reduce_sum(keras.losses.binary_crossentropy(y, p)), rows),
    }
    layer_steps = 6 * problem.steps
    parts = {
        "all products, at the speed of a plain 4096³ one": problem.training_flops() / limit,
        "optimiser's update": update(FusedAdam(), weights),
        "casts of weights and gradients": casts(weights),
        "loss of all frames and its gradient": loss(BernoulliNatsPerFrame().call, rows),
        "gates, forward and back": layer_steps * gates(units, batch),
    }
    print(f"| part of a step (2×{units}, batch {batch}, bfloat16) | ms | part of the step |")
    print("|---|---|---|")
    rest = step - sum(parts.values())
    parts["the rest: small products below that speed, scaling of pixels, Keras"] = rest
    for name, cost in {**parts, "the whole step": step}.items():
        print(f"| {name} | {1e3 * cost:.0f} | {100 * cost / step:.0f}% |")
    print(f"\nKeras' own Adam takes {1e3 * stock['optimiser']:.0f} ms for the same update,")
    print(f"its own cross entropy {1e3 * stock['loss']:.0f} ms.")


if __name__ == "__main__":
    main()
