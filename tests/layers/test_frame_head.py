from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.layers.frame_head import FrameHead


def values_and_gradients(head: keras.layers.Layer, inputs: np.ndarray) -> list[np.ndarray]:
    inputs = tf.constant(inputs)
    upstream = np.random.default_rng(2).normal(size=(2, 3, 4)).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = head(inputs)
        total = tf.reduce_sum(outputs * upstream)
    sources = [inputs, *(weight.value for weight in head.trainable_weights)]
    return [np.asarray(t) for t in (outputs, *tape.gradient(total, sources))]


@pytest.mark.parametrize(
    "options", [{}, {"activation": "tanh"}, {"use_bias": False}], ids=["plain", "tanh", "no bias"]
)
def test_values_are_exact_and_gradients_round_as_bfloat16_does(options: dict[str, Any]) -> None:
    inputs = np.random.default_rng(1).normal(size=(2, 3, 5)).astype("float32")
    low, exact = (
        FrameHead(4, gradient_dtype="bfloat16", **options),
        keras.layers.Dense(4, **options),
    )
    for layer in (low, exact):
        layer.build((None, None, 5))
    exact.set_weights(low.get_weights())
    (value, *gradients), (expected, *theirs) = (
        values_and_gradients(layer, inputs) for layer in (low, exact)
    )
    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-6)
    for mine, other in zip(gradients, theirs, strict=True):
        assert np.abs(mine - other).max() < 0.03 * np.abs(other).max()
    assert np.abs(gradients[0] - theirs[0]).max() > 0


def test_configuration_round_trip() -> None:
    head = FrameHead(4, gradient_dtype="bfloat16", name="head")
    again = FrameHead.from_config(head.get_config())
    assert again.get_config() == head.get_config()
    assert again(np.zeros((1, 2, 3), "float32")).shape == (1, 2, 4)
    assert again(keras.KerasTensor((None, None, 3))).shape == (None, None, 4)
