import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_videolstm.layers import (
    ConditionalDecoder,
    PeepholeLSTMCell,
    VideoEncoder,
    over_time,
    unroll,
)
from keras_videolstm.layers.lstm_equations import LSTMEquations
from tests.references import cell_weights, lstm_unroll, randomize

BATCH, FEATURES, UNITS = 3, 4, 5
LONG = 66  # beyond what is written out step by step


def made_cell(features: int = FEATURES, dtype: str = "float64", **options: Any) -> PeepholeLSTMCell:
    cell = PeepholeLSTMCell(UNITS, dtype=dtype, **options)
    cell.build((None, features))
    randomize(cell)
    return cell


def made_inputs(time: int, seed: int = 1) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = rng.random((BATCH, time)) < 0.7
    mask[0] = True
    mask[1, 0] = False
    xs = rng.normal(size=(BATCH, time, FEATURES))
    return xs, [rng.normal(size=(BATCH, UNITS)) for _ in range(2)], mask


def eagerly(function: Callable, *tensors: tf.Tensor) -> Any:
    return function(*tensors)


def with_known_length(function: Callable, *tensors: tf.Tensor) -> Any:
    return tf.function(function)(*tensors)


def with_unknown_length(function: Callable, xs: tf.Tensor, *others: tf.Tensor) -> Any:
    signature = [tf.TensorSpec((None, None, FEATURES), xs.dtype)]
    signature += [tf.TensorSpec((None, *t.shape[1:]), t.dtype) for t in others]
    return tf.function(function, input_signature=signature)(xs, *others)


def with_xla(function: Callable, *tensors: tf.Tensor) -> Any:
    return tf.function(function, jit_compile=True)(*tensors)


def values_and_gradients(
    run: Callable, cell: PeepholeLSTMCell, runner: Callable, time: int, masked: bool
) -> list[np.ndarray]:
    """Return outputs, final state and gradients of every weight, input and initial state."""
    xs, start, mask = made_inputs(time)
    rng = np.random.default_rng(9)
    weightings = [rng.normal(size=(BATCH, time, UNITS)), rng.normal(size=(BATCH, UNITS))]

    def compute(xs: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> Any:
        sources = [xs, h, c, *(w.value for w in cell.trainable_weights)]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs, (last_h, last_c) = run(xs, [h, c], tf.constant(mask) if masked else None)
            loss = tf.reduce_sum(outputs * weightings[0]) + tf.reduce_sum(
                (last_h + 2 * last_c) * weightings[1]
            )
        return [outputs, last_h, last_c, *tape.gradient(loss, sources)]

    return [np.asarray(t) for t in runner(compute, *map(tf.constant, (xs, *start)))]


@functools.cache
def those_of_keras_rnn(time: int, masked: bool) -> list[np.ndarray]:
    cell = made_cell()
    rnn = keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    rnn.build((BATCH, time, FEATURES))

    def run(xs: Any, start: Any, mask: Any) -> Any:
        outputs, *state = rnn(xs, initial_state=start, mask=mask)
        return outputs, state

    return values_and_gradients(run, cell, eagerly, time, masked)


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize(
    ("runner", "time"),
    [
        (eagerly, 1),
        *((runner, 6) for runner in (eagerly, with_known_length, with_unknown_length)),
        *((runner, LONG) for runner in (eagerly, with_known_length, with_unknown_length)),
    ],
)
def test_equals_keras_rnn_in_values_and_every_gradient(
    runner: Callable, time: int, masked: bool
) -> None:
    cell = made_cell()

    def ours(xs: Any, start: Any, mask: Any) -> Any:
        return unroll(cell, xs, start, mask=mask)

    ours_all = values_and_gradients(ours, cell, runner, time, masked)
    theirs_all = those_of_keras_rnn(time, masked)
    assert len(ours_all) == 6 + 4
    for mine, other in zip(ours_all, theirs_all, strict=True):
        assert np.abs(other).max() > 0
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("time", [6, LONG])
def test_xla_gives_the_same(time: int) -> None:
    cell = made_cell()
    run = lambda xs, start, mask: unroll(cell, xs, start, mask=mask)  # noqa: E731
    compiled = values_and_gradients(run, cell, with_xla, time, True)
    plain = values_and_gradients(run, cell, eagerly, time, True)
    for mine, other in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("time", [6, LONG])
@pytest.mark.parametrize("peepholes", [True, False])
def test_equals_the_equations_in_float64(time: int, masked: bool, peepholes: bool) -> None:
    cell = made_cell(peepholes=peepholes)
    xs, start, mask = made_inputs(time)
    mask = mask if masked else None
    outputs, state = unroll(cell, xs, start, mask=mask)
    expected, final = lstm_unroll(cell_weights(cell), xs, tuple(start), mask=mask)
    np.testing.assert_allclose(outputs, expected, atol=1e-10)
    np.testing.assert_allclose(state[0], final[0], atol=1e-10)
    np.testing.assert_allclose(state[1], final[1], atol=1e-10)


def test_the_loop_and_the_written_out_steps_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = made_cell()
    run = lambda xs, start, mask: unroll(cell, xs, start, mask=mask)  # noqa: E731
    written_out = values_and_gradients(run, cell, eagerly, 12, True)
    monkeypatch.setattr(over_time, "_LONGEST_WRITTEN_OUT", 0)
    looped = values_and_gradients(run, cell, eagerly, 12, True)
    for one, other in zip(written_out, looped, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
def test_the_portable_loop_equals_the_one_of_tensorflow(
    monkeypatch: pytest.MonkeyPatch, masked: bool
) -> None:
    cell = made_cell()
    run = lambda xs, start, mask: unroll(cell, xs, start, mask=mask)  # noqa: E731
    tensorflow = values_and_gradients(run, cell, with_known_length, LONG, masked)
    monkeypatch.setattr(over_time, "_loop_in_tensorflow", over_time._loop)
    portable = values_and_gradients(run, cell, with_known_length, LONG, masked)
    for one, other in zip(tensorflow, portable, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_xla_takes_the_gradient_of_steps_known_only_at_run_time() -> None:
    cell = made_cell()
    xs, _, _ = made_inputs(LONG)

    def gradient(xs: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(unroll(cell, xs)[0])
        return tape.gradient(loss, cell.recurrent_kernel.value)

    signature = [tf.TensorSpec((None, None, FEATURES), tf.float64)]
    compiled = tf.function(gradient, input_signature=signature, jit_compile=True)
    for time in (9, LONG):
        some = tf.constant(xs[:, :time])
        np.testing.assert_allclose(compiled(some), gradient(some), rtol=1e-9, atol=1e-10)


def test_the_graph_of_a_long_run_does_not_grow_with_it() -> None:
    cell = made_cell()

    def nodes(time: int) -> int:
        spec = tf.TensorSpec((BATCH, time, FEATURES), tf.float64)
        graph = tf.function(lambda xs: unroll(cell, xs)[0]).get_concrete_function(spec)
        return len(graph.graph.as_graph_def().node)

    assert nodes(2000) == nodes(LONG)


@pytest.mark.parametrize("steps", [1, 6, LONG])
def test_steps_without_inputs_equal_the_equations(steps: int) -> None:
    cell = made_cell(features=0)
    _, start, _ = made_inputs(1)
    outputs, state = unroll(cell, None, start, steps=steps)
    expected, final = lstm_unroll(cell_weights(cell), None, tuple(start), steps=steps)
    np.testing.assert_allclose(outputs, expected, atol=1e-10)
    np.testing.assert_allclose(state[1], final[1], atol=1e-10)


def test_a_number_of_steps_known_only_at_run_time() -> None:
    cell = made_cell(features=0)
    _, start, _ = made_inputs(1)
    run = tf.function(
        lambda steps: unroll(cell, None, list(map(tf.constant, start)), steps=steps)[0],
        input_signature=[tf.TensorSpec((), tf.int32)],
    )
    expected, _ = lstm_unroll(cell_weights(cell), None, tuple(start), steps=9)
    for steps in (3, 9):
        np.testing.assert_allclose(run(steps), expected[:, :steps], atol=1e-10)


def test_the_start_is_zero_where_no_state_is_given() -> None:
    cell = made_cell()
    xs, _, _ = made_inputs(5)
    zeros = np.zeros((BATCH, UNITS))
    outputs, _ = unroll(cell, xs)
    np.testing.assert_array_equal(outputs, unroll(cell, xs, [zeros, zeros])[0])
    unfed, _ = unroll(made_cell(features=0), steps=4, batch_size=2)
    assert unfed.shape == (2, 4, UNITS)


def test_a_masked_first_step_gives_zeros_and_keeps_the_state() -> None:
    cell = made_cell()
    xs, start, _ = made_inputs(3)
    mask = np.zeros((BATCH, 3), bool)
    outputs, state = unroll(cell, xs, start, mask=mask)
    np.testing.assert_array_equal(outputs, np.zeros((BATCH, 3, UNITS)))
    np.testing.assert_array_equal(state[0], start[0])
    np.testing.assert_array_equal(state[1], start[1])


def test_a_float_mask_counts_as_booleans() -> None:
    cell = made_cell()
    xs, start, mask = made_inputs(6)
    np.testing.assert_array_equal(
        unroll(cell, xs, start, mask=mask.astype("float32"))[0],
        unroll(cell, xs, start, mask=mask)[0],
    )


def test_mixed_bfloat16_carries_a_float32_state_and_stays_near() -> None:
    low, exact = made_cell(dtype="mixed_bfloat16"), made_cell(dtype="float32")
    xs, start, mask = made_inputs(LONG)
    xs = xs.astype("float32")
    outputs, state = unroll(low, xs, start, mask=mask)
    expected, _ = unroll(exact, xs, start, mask=mask)
    for tensor in (outputs, *state):
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
    difference = np.abs(np.asarray(outputs) - np.asarray(expected))
    assert 0 < difference.max() < 0.1


def test_no_step_is_an_error() -> None:
    state = [(ops.zeros((2, 8)), ops.zeros((2, 8)))]
    with pytest.raises(ValueError, match=r"at least one step. Received: steps=0"):
        VideoEncoder([8])(ops.zeros((2, 0, 3)))
    for conditional in (True, False):
        decoder = ConditionalDecoder([8], (3,), conditional=conditional)
        with pytest.raises(ValueError, match=r"at least one step. Received: steps=-1"):
            decoder(state, steps=-1)
        with pytest.raises(ValueError, match=r"at least one step. Received: steps=0"):
            decoder.activity(state, steps=0)


def test_needs_inputs_or_steps() -> None:
    with pytest.raises(ValueError, match="number of steps"):
        unroll(made_cell(), initial_state=[ops.zeros((1, UNITS))] * 2)


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("time", [6, LONG])
@pytest.mark.parametrize("options", [{}, {"peepholes": False}])
def test_both_paths_agree_to_the_rounding_of_float32(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], time: int, masked: bool
) -> None:
    cell = made_cell(dtype="float32", **options)
    exact = made_cell(dtype="float64", **options)

    def with_path(own: bool, cell: PeepholeLSTMCell) -> list[np.ndarray]:
        monkeypatch.setitem(unroll.__globals__, "_has_own_gradient", lambda cell: own)

        def run(xs: Any, start: Any, mask: Any) -> Any:
            dtype = cell.state_dtype
            xs, start = tf.cast(xs, dtype), [tf.cast(part, dtype) for part in start]
            outputs, state = unroll(cell, xs, start, mask=mask)
            return [tf.cast(outputs, "float64"), [tf.cast(part, "float64") for part in state]]

        return values_and_gradients(run, cell, with_known_length, time, masked)

    own, portable, truth = with_path(True, cell), with_path(False, cell), with_path(True, exact)
    for one, other, true in zip(own, portable, truth, strict=True):
        size = np.abs(true).max()
        assert np.abs(one - true).max() < 2e-6 * size * time
        assert np.abs(one - other).max() < 2e-6 * size * time


def test_both_paths_agree_to_the_rounding_of_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = made_cell(dtype="mixed_bfloat16")
    xs, _, mask = made_inputs(6)
    results = []
    for own in (True, False):
        monkeypatch.setitem(unroll.__globals__, "_has_own_gradient", lambda cell, own=own: own)
        with tf.GradientTape() as tape:
            outputs, _ = unroll(cell, xs.astype("float32"), mask=mask)
            loss = tf.reduce_sum(outputs * tf.cast(xs[..., :1], tf.float32))
        gradients = tape.gradient(loss, [weight.value for weight in cell.trainable_weights])
        results.append([outputs, *gradients])
    for mine, other in zip(*results, strict=True):
        mine, other = np.asarray(mine), np.asarray(other)
        assert np.abs(mine - other).max() < 0.03 * np.abs(other).max()


def test_a_length_of_zero_known_only_at_run_time_changes_nothing() -> None:
    cell = made_cell()
    _, start, _ = made_inputs(1)

    def gradient(xs: tf.Tensor) -> list[tf.Tensor]:
        state = [tf.constant(part) for part in start]
        with tf.GradientTape() as tape:
            tape.watch(state)
            outputs, last = unroll(cell, xs, state)
            loss = tf.reduce_sum(last[0] * 2 + last[1]) + tf.reduce_sum(outputs)
        return [outputs, *last, *tape.gradient(loss, state)]

    signature = [tf.TensorSpec((BATCH, None, FEATURES), tf.float64)]
    run = tf.function(gradient, input_signature=signature)
    outputs, hidden, carried, *gradients = run(tf.zeros((BATCH, 0, FEATURES), tf.float64))
    assert outputs.shape == (BATCH, 0, UNITS)
    np.testing.assert_array_equal(hidden, start[0])
    np.testing.assert_array_equal(carried, start[1])
    np.testing.assert_array_equal(gradients[0], np.full((BATCH, UNITS), 2.0))
    np.testing.assert_array_equal(gradients[1], np.ones((BATCH, UNITS)))


def test_a_subclass_with_other_equations_runs_as_it_says() -> None:
    class Halved(LSTMEquations):
        def step(self, projected: Any, states: list[Any]) -> Any:
            hidden, (_, cell) = super().step(projected, states)
            return hidden / 2, [hidden / 2, cell]

    class HalvedCell(PeepholeLSTMCell):
        def equations(self) -> LSTMEquations:
            return Halved(**vars(super().equations()))

    cell = HalvedCell(UNITS, dtype="float64")
    cell.build((None, FEATURES))
    xs, _, _ = made_inputs(3)
    outputs, _ = unroll(cell, xs)
    rnn = keras.layers.RNN(cell, return_sequences=True, dtype="float64")
    np.testing.assert_allclose(outputs, rnn(xs), atol=1e-12)


def products_of(graph: Any) -> int:
    """Count the matrix products of a graph, those of the functions that it calls, too."""
    library = {f.signature.name: f.node_def for f in graph.as_graph_def().library.function}

    def count(nodes: Any) -> int:
        called = [node.attr["f"].func.name for node in nodes if "Call" in node.op]
        return sum(node.op == "MatMul" for node in nodes) + sum(
            count(library[name]) for name in called
        )

    return count(graph.as_graph_def().node)


def test_the_backward_pass_has_one_small_product_a_step(path: str) -> None:
    if path == "portable":
        pytest.skip("TensorFlow's own gradient")
    cell = made_cell(dtype="float32")

    @tf.function
    def gradients(xs: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(unroll(cell, xs)[0])
        return tape.gradient(loss, [w.value for w in cell.trainable_weights])

    steps = 7
    graph = gradients.get_concrete_function(tf.TensorSpec((BATCH, steps, FEATURES))).graph
    products = products_of(graph)
    # Forward: the inputs' one, and one a step. Backward: one a step, and one for each of two
    # weights; TensorFlow prunes the unused product for the inputs' gradient.
    needed = (1 + steps) + (steps + 2)
    assert needed <= products <= needed + 1
