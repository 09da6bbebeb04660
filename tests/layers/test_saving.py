from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_videolstm.layers import (
    ConditionalDecoder,
    Convolution,
    FrameStandardizer,
    FrameTraces,
    PeepholeLSTMCell,
    VideoEncoder,
)
from keras_videolstm.layers.motion_head import MotionHead
from tests.references import randomize

INITIALIZERS = {
    "kernel_initializer": {
        "class_name": "RandomUniform",
        "config": {"minval": -0.01, "maxval": 0.01, "seed": 3},
    },
    "unit_forget_bias": False,
}
MAKERS: list[Callable[[], keras.layers.Layer]] = [
    lambda: VideoEncoder(5),
    lambda: VideoEncoder(
        [5, 4],
        dropout=0.3,
        peepholes=False,
        stateful=True,
        cell_arguments=INITIALIZERS,
        dtype="mixed_bfloat16",
        name="named",
    ),
    lambda: VideoEncoder(
        [5], cell_arguments={"peephole_initializer": keras.initializers.Constant(0.2)}
    ),
    lambda: VideoEncoder([5, 4], convolution={"patch_size": 2, "strides": [1, 2]}),
    lambda: ConditionalDecoder([5], (3,)),
    lambda: ConditionalDecoder(
        [5, 4], (8, 8, 1), conditional=True, convolution=Convolution(2, 5, (1, 2))
    ),
    lambda: ConditionalDecoder(
        [5, 4],
        (4, 4, 1),
        steps=7,
        conditional=True,
        reverse_time=True,
        activation="linear",
        dropout=0.2,
        peepholes=False,
        cell_arguments=INITIALIZERS,
        dtype="mixed_bfloat16",
        name="named",
    ),
    lambda: VideoEncoder([5], convolution=Convolution(4, max_displacement=2), stateful=True),
    lambda: ConditionalDecoder(
        [5], (8, 8, 1), conditional=True, convolution={"max_displacement": 3, "motion_tracks": True}
    ),
    lambda: ConditionalDecoder([5], (3,), activation="linear", traces=2),
    lambda: FrameTraces([1.0, 0.25]),
    lambda: MotionHead((8, 8, 1), {"max_displacement": 3}, motions=1, centred=False),
    lambda: FrameStandardizer((4, 4, 1), kind="channel", name="named"),
]


@pytest.mark.parametrize("make", MAKERS)
def test_configuration_round_trip(make: Callable[[], keras.layers.Layer]) -> None:
    layer = make()
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    serialized = keras.saving.serialize_keras_object(layer)
    assert serialized["registered_name"] == f"keras_videolstm>{type(layer).__name__}"
    third = keras.saving.deserialize_keras_object(serialized)
    assert keras.saving.serialize_keras_object(third) == serialized


@pytest.mark.parametrize("make", MAKERS[:-1])
def test_every_argument_is_in_the_configuration(make: Callable[[], keras.layers.Layer]) -> None:
    layer = make()
    names = set(type(layer).__init__.__annotations__) - {"return", "kwargs"}
    assert names <= set(layer.get_config())


def test_cell_arguments_reach_every_cell() -> None:
    for layer in (
        VideoEncoder([4, 4], cell_arguments=INITIALIZERS),
        ConditionalDecoder([4, 4], (3,), conditional=True, cell_arguments=INITIALIZERS),
    ):
        for cell in layer.cells:
            assert cell.kernel_initializer.maxval == 0.01
            assert not cell.unit_forget_bias


def test_one_initializer_object_does_not_give_two_layers_the_same_weights() -> None:
    arguments = {"kernel_initializer": keras.initializers.RandomUniform(-1, 1)}
    encoder = VideoEncoder([4, 4], cell_arguments=arguments)
    encoder.build((1, None, 4))
    lower, upper = (np.asarray(cell.kernel) for cell in encoder.cells)
    assert np.abs(lower - upper).max() > 0.1


def saved_and_loaded(model: keras.Model, folder: Path) -> keras.Model:
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def assert_same_model(one: keras.Model, other: keras.Model, inputs: Any) -> None:
    assert len(one.weights) == len(other.weights) > 0
    for left, right in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(left, right)
    results = (keras.tree.flatten(model(inputs)) for model in (one, other))
    for left, right in zip(*results, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_model_of_all_layers_survives_save_and_load(tmp_path: Path) -> None:
    frames = keras.Input((None, 2, 2, 1), name="frames")
    standardizer = FrameStandardizer((2, 2, 1))
    encoder = VideoEncoder([5, 4], dropout=0.1)
    decoder = ConditionalDecoder([5, 4], (2, 2, 1), conditional=True, reverse_time=True)
    seen = standardizer(frames)
    sequence, state = encoder(seen)
    model = keras.Model(frames, [sequence, decoder(state, truth=seen)])
    randomize(model)
    standardizer.set_statistics(np.full((2, 2, 1), 0.5), np.full((2, 2, 1), 0.25))
    clips = np.random.default_rng(0).random((2, 3, 2, 2, 1)).astype("float32")
    assert_same_model(model, saved_and_loaded(model, tmp_path), clips)


def test_a_stateful_encoder_survives_save_and_load_and_starts_afresh(tmp_path: Path) -> None:
    frames = keras.Input((None, 3), batch_size=2)
    model = keras.Model(frames, VideoEncoder(4, stateful=True)(frames)[0])
    randomize(model)
    clips = np.ones((2, 3, 3), "float32")
    fresh = np.asarray(model(clips))
    again = saved_and_loaded(model, tmp_path)
    np.testing.assert_allclose(again(clips), fresh, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_the_cell_in_keras_rnn_survives_save_and_load(tmp_path: Path, dtype: str) -> None:
    frames = keras.Input((None, 3))
    layer = keras.layers.RNN([PeepholeLSTMCell(4, dtype=dtype), PeepholeLSTMCell(5, dtype=dtype)])
    model = keras.Model(frames, layer(frames))
    randomize(model)
    assert_same_model(model, saved_and_loaded(model, tmp_path), np.ones((2, 3, 3), "float32"))


def test_a_frozen_layer_is_frozen_inside():
    encoder = VideoEncoder([4, 3], trainable=False)
    encoder.build((None, None, 5))
    decoder = ConditionalDecoder([4, 3], (5,), trainable=False)
    decoder.build()
    for layer in (encoder, decoder):
        assert layer.weights and not any(weight.trainable for weight in layer.weights)
        layer.trainable = True
        assert layer.trainable_weights == layer.weights


def test_frozen_cells_stay_frozen():
    encoder = VideoEncoder([4, 3])
    encoder.cells[0].trainable = False
    again = VideoEncoder.from_config(encoder.get_config())
    for layer in (encoder, again):
        layer.build((None, None, 5))
        assert layer.trainable_weights == layer.cells[1].weights
