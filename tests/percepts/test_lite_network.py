import os
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import layers

from keras_videolstm.percepts.lite_network import LiteNetwork


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 10, 3))
    x = layers.Conv2D(8, 3, 2, padding="same")(image)
    x = layers.DepthwiseConv2D(3, padding="same")(layers.ReLU(6)(x))
    x = layers.BatchNormalization()(x)
    return keras.Model(image, layers.GlobalAveragePooling2D()(x))


@pytest.fixture(scope="module")
def network(model: keras.Model) -> LiteNetwork:
    return LiteNetwork(model)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(9, 12, 10, 3)).astype("float32")


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_it_is_the_model(
    model: keras.Model, network: LiteNetwork, images: np.ndarray, count: int
) -> None:
    outputs = network(images[:count])
    assert outputs.shape == (count, 8) and outputs.dtype == np.float32
    expected = np.asarray(model(images))[:count]
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_whole_numbers_and_other_floats_are_taken(
    model: keras.Model, network: LiteNetwork, images: np.ndarray
) -> None:
    whole = np.clip(100 * images, 0, 255).astype("uint8")
    expected = np.asarray(model(whole.astype("float32")))
    np.testing.assert_allclose(network(whole), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(network(whole.astype("float64")), network(whole))


def test_an_example_comes_out_the_same_in_every_batch(
    network: LiteNetwork, images: np.ndarray
) -> None:
    alone = np.concatenate([network(image[None]) for image in images])
    np.testing.assert_array_equal(network(images), alone)


def test_callers_at_once_do_not_get_each_others_examples(
    network: LiteNetwork, images: np.ndarray
) -> None:
    expected = network(images)
    with ThreadPoolExecutor(4) as callers:
        for outputs in callers.map(lambda shift: network(np.roll(images, shift, axis=0)), range(9)):
            shift = np.argmin(np.abs(expected - outputs[0]).sum(axis=1))
            np.testing.assert_array_equal(np.roll(outputs, shift, axis=0), expected)


def test_another_shape_is_refused(network: LiteNetwork) -> None:
    with pytest.raises(ValueError, match=r"Expected.*\(batch, 12, 10, 3\).*\(2, 12, 12, 3\)"):
        network(np.zeros((2, 12, 12, 3)))


def test_the_terminal_hears_nothing_but_what_is_said_afterwards(
    model: keras.Model, capfd: pytest.CaptureFixture[str]
) -> None:
    LiteNetwork(model)
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"


def test_standard_error_is_back_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AttributeError):
        LiteNetwork(keras.Sequential())
    with pytest.raises(Exception, match=r"ConverterError|PyFunc"):
        LiteNetwork(keras.Sequential([keras.Input((3,)), layers.Lambda(_outside)]))
    os.write(2, b"still there")
    assert capfd.readouterr().err.endswith("still there")


def _outside(x: object) -> object:
    import tensorflow as tf

    result = tf.numpy_function(np.sin, [x], tf.float32)
    result.set_shape(x.shape)
    return result
