import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_videolstm.models import VideoLSTM
from tests.references import randomize

PADDING = -1.0


def made(**options: Any) -> VideoLSTM:
    settings = {"units": [6, 5], "activation": "linear", "standardize": True}
    model = VideoLSTM("composite", (3,), **{**settings, **options})
    randomize(model, scale=0.4)
    if model.standardizer is not None:
        model.set_statistics(np.array([0.5, -1, 2]), np.array([0.3, 2, 0.1]))
    return model


def slow_model(**options: Any) -> VideoLSTM:
    model = made(**options)
    rng = np.random.default_rng(2)
    model.slow.set_directions(*(rng.normal(size=weight.shape) for weight in model.slow.weights))
    return model


def drifting_model() -> VideoLSTM:
    model = slow_model(slow_features=2, trace_rates=[1.0, 0.1], drift_features=3)
    model.drift.set_directions(np.random.default_rng(3).normal(size=(3, 3)))
    return model


def clips(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).random((2, 4, *(shape or (3,))), "float32")


def around(layer: keras.Model) -> keras.Model:
    """Return a compiled model that has the layer inside."""
    frames = keras.Input((None, 3))
    model = keras.Model(frames, keras.layers.Dense(2)(layer(frames)))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def moving() -> VideoLSTM:
    convolution = {"patch_size": 2, "max_displacement": 1}
    model = VideoLSTM("conditional_composite", (4, 4, 1), units=[3], convolution=convolution)
    randomize(model, scale=0.4)
    return model


@pytest.mark.parametrize(
    "make",
    [
        made,
        lambda: made(standardize="root", cell_arguments={"kernel_initializer": "glorot_normal"}),
        lambda: made(standardize=False, dropout=0.5, dtype="mixed_bfloat16"),
        lambda: slow_model(slow_features=2, units=[6]),
        drifting_model,
        moving,
    ],
)
def test_the_layer_gives_what_encode_gives(make):
    model = make()
    frames = clips(*model.frame_shape)
    for every_step in (False, True):
        expected = model.encode(frames, every_step=every_step)
        found = model.as_layer(every_step)(frames)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found.shape == expected.shape


def test_training_the_layer_leaves_the_model_as_it_is():
    model = made()
    layer, before = model.as_layer(), [w.copy() for w in model.get_weights()]
    outer = around(layer)
    assert len(layer.trainable_weights) == len(model.encoder.weights)
    outer.fit(clips(), np.ones((2, 2)), verbose=0)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    changed = [
        not np.array_equal(mine, its)
        for mine, its in zip(layer.get_layer("encoder").weights, model.encoder.weights, strict=True)
    ]
    assert any(changed)


def test_a_frozen_layer_learns_nothing_and_statistics_never_do():
    model = made()
    layer = model.as_layer()
    outer = around(layer)
    outer.fit(clips(), np.ones((2, 2)), verbose=0)
    np.testing.assert_array_equal(layer.get_layer("standardizer").mean, model.standardizer.mean)
    frozen = model.as_layer()
    frozen.trainable = False
    outer = around(frozen)
    assert len(outer.trainable_weights) == 2
    outer.fit(clips(), np.ones((2, 2)), verbose=0)
    np.testing.assert_allclose(frozen(clips()), model.encode(clips()), atol=1e-5)


def test_a_layer_of_a_frozen_model_is_frozen():
    model = made()
    model.encoder.trainable = False
    assert model.as_layer().trainable_weights == []


@pytest.mark.filterwarnings("ignore:Layer .* mask")
def test_a_mask_is_heeded():
    model, frames = made(), keras.Input((None, 3))
    padded = np.concatenate([clips(), np.full((2, 3, 3), PADDING, "float32")], axis=1)
    last = model.as_layer()(keras.layers.Masking(PADDING)(frames))
    found = keras.Model(frames, last).predict(padded, verbose=0)
    np.testing.assert_allclose(found, model.encode(clips()), atol=1e-5)
    every = model.as_layer(every_step=True)(keras.layers.Masking(PADDING)(frames))
    mean = keras.layers.GlobalAveragePooling1D()(every)
    found = keras.Model(frames, mean).predict(padded, verbose=0)
    np.testing.assert_allclose(
        found, model.encode(clips(), every_step=True).mean(axis=1), atol=1e-5
    )


def test_two_layers_fit_into_one_model():
    model, frames = made(), keras.Input((None, 3))
    layers = [model.as_layer(), model.as_layer(name="second")]
    assert [layer.name for layer in layers] == [f"{model.name}_encoder", "second"]
    outer = keras.Model(frames, layers[0](frames) + layers[1](frames))
    np.testing.assert_allclose(outer(clips()), 2 * model.encode(clips()), atol=1e-5)


LOADERS = {
    "keras": "import keras_videolstm.layers\nload = keras.saving.load_model",
    "kvl": "import keras_videolstm\nload = keras_videolstm.load",
}


@pytest.mark.slow
@pytest.mark.parametrize("loader", LOADERS)
def test_the_model_around_it_survives_in_a_new_process(loader, tmp_path: Path):
    outer = around(made().as_layer())
    outer.fit(clips(), np.ones((2, 2)), verbose=0)
    outer.save(tmp_path / "outer.keras")
    np.save(tmp_path / "clips.npy", clips())
    code = f"""
import keras
import numpy as np
{LOADERS[loader]}
outer = load("outer.keras")
clips = np.load("clips.npy", allow_pickle=False)
np.save("found.npy", outer.predict(clips, verbose=0))
outer.fit(clips, np.ones((2, 2)), verbose=0)
np.save("trained.npy", outer.predict(clips, verbose=0))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr
    expected = outer.predict(clips(), verbose=0)
    outer.fit(clips(), np.ones((2, 2)), verbose=0)
    for name, values in (("found", expected), ("trained", outer.predict(clips(), verbose=0))):
        found = np.load(tmp_path / f"{name}.npy", allow_pickle=False)
        np.testing.assert_allclose(found, values, atol=1e-5)


def test_a_frozen_layer_is_frozen_when_it_is_loaded(tmp_path: Path):
    layer = made().as_layer()
    layer.trainable = False
    around(layer).save(tmp_path / "outer.keras")
    again = keras.saving.load_model(tmp_path / "outer.keras")
    assert len(again.trainable_weights) == 2
