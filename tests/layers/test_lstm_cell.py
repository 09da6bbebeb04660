from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_videolstm.layers import PeepholeLSTMCell
from tests.references import (
    cell_weights,
    central_difference,
    lstm_step,
    lstm_unroll,
    randomize,
)

BATCH, FEATURES, UNITS = 3, 5, 4


def made_cell(dtype: str = "float64", peepholes: bool = True, seed: int = 0) -> PeepholeLSTMCell:
    cell = PeepholeLSTMCell(UNITS, peepholes, dtype=dtype)
    cell.build((None, FEATURES))
    randomize(cell, seed)
    return cell


def made_step(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = (BATCH, FEATURES), (BATCH, UNITS), (BATCH, UNITS)
    x, h, c = (rng.normal(size=shape) for shape in shapes)
    return x, h, c


@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
def test_one_step_equals_the_equations_in_float64(
    dtype: str, tolerance: float, peepholes: bool
) -> None:
    cell = made_cell(dtype, peepholes)
    x, h, c = made_step()
    output, (new_h, new_c) = cell(ops.cast(x, dtype), [ops.cast(h, dtype), ops.cast(c, dtype)])
    expected_h, expected_c = lstm_step(cell_weights(cell), x, h, c)
    np.testing.assert_allclose(output, expected_h, rtol=0, atol=tolerance)
    np.testing.assert_allclose(new_h, expected_h, rtol=0, atol=tolerance)
    np.testing.assert_allclose(new_c, expected_c, rtol=0, atol=tolerance)
    assert keras.backend.standardize_dtype(output.dtype) == dtype


def test_the_reference_itself_follows_a_step_worked_by_hand() -> None:
    cell = PeepholeLSTMCell(1, dtype="float64")
    cell.build((None, 1))
    cell.set_weights(
        [
            np.array([[0.1, 0.2, 0.3, 0.4]]),
            np.array([[0.5, 0.6, 0.7, 0.8]]),
            np.array([0.01, 0.02, 0.03, 0.04]),
            np.array([[0.9], [1.0], [1.1]]),
        ]
    )
    sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    x, h, c = 2.0, -1.0, 0.5
    i = sigmoid(0.1 * x + 0.5 * h + 0.9 * c + 0.01)
    f = sigmoid(0.2 * x + 0.6 * h + 1.0 * c + 0.02)
    new_c = f * c + i * np.tanh(0.3 * x + 0.7 * h + 0.03)
    new_h = sigmoid(0.4 * x + 0.8 * h + 1.1 * new_c + 0.04) * np.tanh(new_c)
    arrays = [np.array([[value]]) for value in (x, h, c)]
    reference_h, reference_c = lstm_step(cell_weights(cell), *arrays)
    output, states = cell(arrays[0], arrays[1:])
    assert float(reference_h) == pytest.approx(new_h, abs=1e-14)
    assert float(reference_c) == pytest.approx(new_c, abs=1e-14)
    assert float(output) == pytest.approx(new_h, abs=1e-12)
    assert float(states[1]) == pytest.approx(new_c, abs=1e-12)


@pytest.mark.parametrize("gate", [0, 1, 2])
def test_each_peephole_row_matters_and_is_the_gate_that_the_reference_says(gate: int) -> None:
    cell = made_cell()
    peepholes = np.zeros((3, UNITS))
    peepholes[gate] = 2.0
    cell.peephole_kernel.assign(peepholes)
    x, h, c = made_step()
    output, _ = cell(x, [h, c])
    expected, _ = lstm_step(cell_weights(cell), x, h, c)
    without, _ = lstm_step(replace(cell_weights(cell), peepholes=None), x, h, c)
    np.testing.assert_allclose(output, expected, atol=1e-12)
    assert np.abs(expected - without).max() > 1e-3


def test_parameters_are_one_bias_and_three_diagonal_peepholes() -> None:
    assert made_cell().count_params() == 4 * UNITS * (FEATURES + UNITS + 1) + 3 * UNITS
    assert made_cell(peepholes=False).count_params() == 4 * UNITS * (FEATURES + UNITS + 1)


def test_forget_bias_starts_at_one_and_the_others_at_zero() -> None:
    cell = PeepholeLSTMCell(3)
    cell.build((None, 2))
    np.testing.assert_array_equal(cell.bias, [0] * 3 + [1] * 3 + [0] * 6)
    cell = PeepholeLSTMCell(3, unit_forget_bias=False)
    cell.build((None, 2))
    np.testing.assert_array_equal(cell.bias, np.zeros(12))


def test_released_initialisation_can_be_asked_for() -> None:
    uniform = lambda limit: keras.initializers.RandomUniform(-limit, limit)  # noqa: E731
    cell = PeepholeLSTMCell(
        64,
        kernel_initializer=uniform(0.01),
        recurrent_initializer=uniform(0.01),
        peephole_initializer=uniform(0.1),
        unit_forget_bias=False,
    )
    cell.build((None, 30))
    for weight, limit in (
        (cell.kernel, 0.01),
        (cell.recurrent_kernel, 0.01),
        (cell.peephole_kernel, 0.1),
    ):
        largest = np.abs(np.asarray(weight)).max()
        assert 0.9 * limit < largest <= limit
    assert not np.asarray(cell.bias).any()


# --- keras.layers.LSTM ---


def values_and_gradients(
    layer: keras.layers.Layer, x: np.ndarray, weighting: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    x = tf.constant(x, "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x)
        loss = tf.reduce_sum(outputs[0] * weighting) + tf.reduce_sum(outputs[2])
    gradients = tape.gradient(loss, [x, *layer.trainable_weights])
    return [np.asarray(o) for o in outputs], [np.asarray(g) for g in gradients]


def test_without_peepholes_it_equals_keras_lstm_with_the_same_weights() -> None:
    time = 7
    rng = np.random.default_rng(2)
    x = rng.normal(size=(BATCH, time, FEATURES))
    weighting = rng.normal(size=(BATCH, time, UNITS)).astype("float32")
    settings = {"return_sequences": True, "return_state": True}
    theirs = keras.layers.LSTM(UNITS, **settings)
    theirs.build((BATCH, time, FEATURES))
    randomize(theirs)
    ours = keras.layers.RNN(PeepholeLSTMCell(UNITS, peepholes=False), **settings)
    ours.build((BATCH, time, FEATURES))
    ours.set_weights(theirs.get_weights())
    values, gradients = values_and_gradients(ours, x, weighting)
    their_values, their_gradients = values_and_gradients(theirs, x, weighting)
    assert len(gradients) == 4
    for mine, other in zip(values + gradients, their_values + their_gradients, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5)


# --- Gradients against finite differences ---


@pytest.mark.parametrize("what", ["kernel", "recurrent", "bias", "peepholes", "xs", "h", "c"])
def test_gradient_equals_central_differences_of_the_reference(what: str) -> None:
    batch, time, features, units = 2, 4, 3, 2
    rng = np.random.default_rng(3)
    cell = PeepholeLSTMCell(units, dtype="float64")
    layer = keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    layer.build((batch, time, features))
    randomize(cell, seed=4)
    arrays = {
        "xs": rng.normal(size=(batch, time, features)),
        "h": rng.normal(size=(batch, units)),
        "c": rng.normal(size=(batch, units)),
    }
    weightings = [rng.normal(size=s) for s in ((batch, time, units), (batch, units))]
    reference = cell_weights(cell)

    def reference_loss(value: np.ndarray) -> float:
        weights = reference if what in arrays else replace(reference, **{what: value})
        now = {**arrays, what: value}
        outputs, (_, c) = lstm_unroll(weights, now["xs"], (now["h"], now["c"]))
        return float((outputs * weightings[0]).sum() + (c * weightings[1]).sum())

    names = {
        "kernel": "kernel",
        "recurrent": "recurrent_kernel",
        "bias": "bias",
        "peepholes": "peephole_kernel",
    }
    tensors = {name: tf.constant(array) for name, array in arrays.items()}
    source = tensors[what] if what in tensors else getattr(cell, names[what]).value
    with tf.GradientTape() as tape:
        tape.watch(source)
        outputs, _, c = layer(tensors["xs"], initial_state=[tensors["h"], tensors["c"]])
        loss = tf.reduce_sum(outputs * weightings[0]) + tf.reduce_sum(c * weightings[1])
    gradient = np.asarray(tape.gradient(loss, source))
    at = arrays[what] if what in arrays else getattr(reference, what)
    assert np.abs(gradient).max() > 1e-2
    np.testing.assert_allclose(gradient, central_difference(reference_loss, at), atol=1e-7)


# --- Precision, projections, configuration ---


def test_mixed_bfloat16_keeps_gates_and_state_in_float32_and_stays_near() -> None:
    exact = made_cell("float32")
    cell = made_cell("mixed_bfloat16")
    x, h, c = (ops.cast(part, "float32") for part in made_step())
    output, states = cell(x, [h, c])
    dtypes = {keras.backend.standardize_dtype(t.dtype) for t in (output, *states)}
    assert dtypes == {"float32"}
    assert {w.dtype for w in cell.weights} == {"float32"}
    np.testing.assert_allclose(output, exact(x, [h, c])[0], atol=0.02)
    projected = cell.project(x)
    assert keras.backend.standardize_dtype(projected.dtype) == "float32"
    assert np.abs(np.asarray(projected) - np.asarray(exact.project(x))).max() > 0


def test_no_inputs_is_the_same_as_inputs_of_zero() -> None:
    cell = made_cell()
    _, h, c = made_step()
    fed, _ = cell.step(cell.project(np.zeros((BATCH, FEATURES))), [h, c])
    unfed, _ = cell.step(cell.project(None), [h, c])
    np.testing.assert_allclose(fed, unfed, atol=1e-15)


def test_a_cell_of_no_features_has_no_input_weights() -> None:
    cell = PeepholeLSTMCell(UNITS)
    cell.build((None, 0))
    assert cell.kernel is None
    assert cell.count_params() == 4 * UNITS * (UNITS + 1) + 3 * UNITS


@pytest.mark.parametrize("units", [0, -1, 2.5, None])
def test_units_must_be_a_positive_integer(units: object) -> None:
    with pytest.raises(ValueError, match="positive number of units"):
        PeepholeLSTMCell(units)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PeepholeLSTMCell(5),
        lambda: PeepholeLSTMCell(
            5,
            peepholes=False,
            kernel_initializer=keras.initializers.RandomUniform(-0.01, 0.01, seed=3),
            recurrent_initializer="glorot_normal",
            bias_initializer=keras.initializers.Constant(0.5),
            unit_forget_bias=False,
            name="named",
            dtype="mixed_bfloat16",
        ),
    ],
)
def test_configuration_round_trip(make: Callable[[], PeepholeLSTMCell]) -> None:
    cell = make()
    again = PeepholeLSTMCell.from_config(cell.get_config())
    assert again.get_config() == cell.get_config()
    serialized = keras.saving.serialize_keras_object(cell)
    assert serialized["registered_name"] == "keras_videolstm>PeepholeLSTMCell"
    third = keras.saving.deserialize_keras_object(serialized)
    assert third.get_config() == cell.get_config()
