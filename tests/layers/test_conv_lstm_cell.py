from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.layers import ConvPeepholeLSTMCell, unroll
from tests.references import logistic, randomize

BATCH, TIME, HEIGHT, WIDTH, CHANNELS, UNITS = 2, 4, 6, 8, 3, 5


def made_cell(**options: Any) -> ConvPeepholeLSTMCell:
    cell = ConvPeepholeLSTMCell(UNITS, **{"dtype": "float64", **options})
    cell.build((None, HEIGHT, WIDTH, CHANNELS))
    randomize(cell)
    return cell


def made_maps(channels: int, *leading: int, stride: int = 1, seed: int = 1) -> np.ndarray:
    shape = (*leading, HEIGHT // stride, WIDTH // stride, channels)
    return np.random.default_rng(seed).normal(size=shape)


def convolve(maps: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve `(batch, height, width, channels)` place by place, zeros around."""
    side = kernel.shape[0]
    wide = np.pad(maps, ((0, 0), (side // 2,) * 2, (side // 2,) * 2, (0, 0)))
    out = np.zeros((*maps.shape[:3], kernel.shape[-1]))
    for y in range(maps.shape[1]):
        for x in range(maps.shape[2]):
            window = wide[:, y : y + side, x : x + side]
            out[:, y, x] = np.einsum("bijc,ijco->bo", window, kernel)
    return out


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_a_step_is_that_of_the_equations(kernel_size: int) -> None:
    cell = made_cell(kernel_size=kernel_size)
    x, h, c = (made_maps(n, BATCH, seed=s) for s, n in enumerate((CHANNELS, UNITS, UNITS)))
    z = convolve(x, cell.kernel.numpy()) + convolve(h, cell.recurrent_kernel.numpy())
    z_i, z_f, z_a, z_o = np.split(z + cell.bias.numpy(), 4, axis=-1)
    w_i, w_f, w_o = cell.peephole_kernel.numpy()
    new_c = logistic(z_f + w_f * c) * c + logistic(z_i + w_i * c) * np.tanh(z_a)
    new_h = logistic(z_o + w_o * new_c) * np.tanh(new_c)
    output, (found_h, found_c) = cell(tf.constant(x), [tf.constant(h), tf.constant(c)])
    np.testing.assert_allclose(output, new_h, atol=1e-12)
    np.testing.assert_array_equal(output, found_h)
    np.testing.assert_allclose(found_c, new_c, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2])
def test_without_peepholes_it_is_keras_conv_lstm(stride: int) -> None:
    # Keras' own strides its inputs and not its state, as here; its zeros around an input of even
    # size lie elsewhere than those of `same` on the whole, so that both use TensorFlow's.
    cell = made_cell(peepholes=False, stride=stride, dtype="float32")
    layer = keras.layers.ConvLSTM2D(
        UNITS, 3, strides=stride, padding="same", return_sequences=True, return_state=True
    )
    maps = made_maps(CHANNELS, BATCH, TIME).astype("float32")
    layer.build(maps.shape)
    layer.cell.set_weights(cell.get_weights())
    expected = layer(maps)
    outputs, state = unroll(cell, tf.constant(maps))
    for found, wanted in zip([outputs, *state], expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-6)


def values_and_gradients(run: Any, cell: ConvPeepholeLSTMCell, masked: bool) -> list[np.ndarray]:
    maps = tf.constant(made_maps(CHANNELS, BATCH, TIME))
    start = [tf.constant(made_maps(UNITS, BATCH, stride=cell.stride, seed=s)) for s in (2, 3)]
    mask = tf.constant([[True, True, False, True], [False, True, True, False]])
    weighting = made_maps(UNITS, BATCH, TIME, stride=cell.stride, seed=4)
    sources = [maps, *start, *(w.value for w in cell.trainable_weights)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs, (h, c) = run(maps, start, mask if masked else None)
        loss = tf.reduce_sum(outputs * weighting) + tf.reduce_sum(h + 2 * c)
    return [np.asarray(t) for t in (outputs, h, c, *tape.gradient(loss, sources))]


def step_after_step(cell: ConvPeepholeLSTMCell) -> Any:
    """The cell's own call in a plain loop, with TensorFlow's gradient."""

    def run(maps: Any, state: Any, mask: Any) -> Any:
        output, outputs = tf.zeros_like(state[0]), []
        for t in range(TIME):
            new_output, new_state = cell(maps[:, t], state)
            if mask is not None:
                keep = mask[:, t, None, None, None]
                new_output = tf.where(keep, new_output, output)
                new_state = [tf.where(keep, a, b) for a, b in zip(new_state, state, strict=True)]
            output, state = new_output, new_state
            outputs.append(output)
        return tf.stack(outputs, axis=1), state

    return run


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"kernel_size": 5}, {"peepholes": False}])
def test_unroll_is_the_step_in_a_loop(options: dict[str, Any], masked: bool) -> None:
    cell = made_cell(**options)
    found = values_and_gradients(
        lambda maps, state, mask: unroll(cell, maps, state, mask=mask), cell, masked
    )
    for a, b in zip(found, values_and_gradients(step_after_step(cell), cell, masked), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_in_low_precision_the_state_is_float32() -> None:
    cell = made_cell(dtype="mixed_bfloat16")
    outputs, state = unroll(cell, tf.constant(made_maps(CHANNELS, BATCH, TIME), "float32"))
    full = made_cell(dtype="float32")
    expected, _ = unroll(full, tf.constant(made_maps(CHANNELS, BATCH, TIME), "float32"))
    assert outputs.dtype == state[1].dtype == tf.float32
    np.testing.assert_allclose(outputs, expected, atol=0.05)


def test_a_cell_without_input_has_no_input_weights() -> None:
    cell = ConvPeepholeLSTMCell(UNITS)
    cell.build((None, HEIGHT, WIDTH, 0))
    outputs, _ = unroll(cell, steps=TIME, batch_size=BATCH)
    assert cell.kernel is None
    assert outputs.shape == (BATCH, TIME, HEIGHT, WIDTH, UNITS)


def test_configuration_round_trip() -> None:
    cell = made_cell(kernel_size=5, stride=2, peepholes=False)
    again = ConvPeepholeLSTMCell.from_config(cell.get_config())
    assert again.get_config() == cell.get_config()


@pytest.mark.parametrize("options", [{"kernel_size": 0}, {"stride": 0}])
def test_an_impossible_size_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="Expected positive numbers"):
        ConvPeepholeLSTMCell(UNITS, **options)


def test_maps_of_unknown_size_are_refused() -> None:
    with pytest.raises(ValueError, match="of a known size"):
        ConvPeepholeLSTMCell(2).build((None, None, None, 1))
    with pytest.raises(ValueError, match="Expected a built cell"):
        ConvPeepholeLSTMCell(2).get_initial_state(1)
