from pathlib import Path

import keras
import numpy as np
import pytest
from matplotlib import cbook, pyplot
from sklearn.datasets import load_sample_image

from keras_videolstm.errors import InputError
from keras_videolstm.percepts import EfficientNetLite0Percepts, efficientnet_percepts
from keras_videolstm.percepts.efficientnet_lite0 import efficientnet_lite0
from keras_videolstm.percepts.efficientnet_percepts import _features_by
from keras_videolstm.percepts.lite_network import LiteNetwork

ZOO = Path(__file__).parents[2] / "zoo" / "efficientnet_lite0"
PARAMETERS = 4_694_024


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return efficientnet_lite0(ZOO / "model.weights.h5")


@pytest.fixture(scope="module")
def labels() -> list[str]:
    return (ZOO / "labels.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def photographs() -> np.ndarray:
    """Return three photographs as uint8 (3, 224, 224, 3): an admiral, a flower, a palace."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        admiral = pyplot.imread(file, format="jpg")
    originals = [admiral, load_sample_image("flower.jpg"), load_sample_image("china.jpg")]
    resize = keras.layers.Resizing(224, 224, crop_to_aspect_ratio=True, antialias=True)
    resized = [np.asarray(resize(original.astype("float32"))) for original in originals]
    return np.stack(resized).round().clip(0, 255).astype("uint8")


@pytest.fixture(scope="module")
def outputs(model: keras.Model, photographs: np.ndarray) -> dict[str, np.ndarray]:
    return model.predict_on_batch(photographs)


def test_parameter_count_is_the_published_one(model: keras.Model) -> None:
    assert model.name == "efficientnet_lite0"
    assert model.count_params() == PARAMETERS


def test_layer_names_are_stable(model: keras.Model) -> None:
    names = {layer.name for layer in model.layers}
    assert {"stem_conv", "block1a_depthwise_bn", "block2a_expand_conv", "block6d_add"} <= names
    assert {"block7a_project_bn", "head_relu6", "features", "logits"} <= names


def test_photographs_are_named_rightly(outputs: dict[str, np.ndarray], labels: list[str]) -> None:
    assert len(labels) == 1000
    top = [labels[index] for index in outputs["logits"].argmax(axis=-1)]
    assert top == ["military uniform", "daisy", "palace"]


def test_features_are_pooled_relu6(outputs: dict[str, np.ndarray]) -> None:
    features = outputs["features"]
    assert features.shape == (3, 1280)
    assert features.min() >= 0 and features.max() <= 6
    assert features.std(axis=0).mean() > 0.01


def test_logits_are_a_dense_layer_on_the_features(
    model: keras.Model, outputs: dict[str, np.ndarray]
) -> None:
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(outputs["features"] @ kernel + bias, outputs["logits"], atol=1e-3)


def test_uint8_and_float32_give_the_same(
    model: keras.Model, photographs: np.ndarray, outputs: dict[str, np.ndarray]
) -> None:
    floats = model.predict_on_batch(photographs.astype("float32"))
    np.testing.assert_allclose(floats["features"], outputs["features"], atol=1e-5)


def test_shuffled_channels_change_the_features(
    model: keras.Model, photographs: np.ndarray, outputs: dict[str, np.ndarray]
) -> None:
    swapped = model.predict_on_batch(photographs[..., ::-1])
    assert np.abs(swapped["features"] - outputs["features"]).max() > 0.1


def test_wrong_shape_names_expected_and_received(model: keras.Model) -> None:
    with pytest.raises(ValueError, match=r"224, 224, 3\).*64, 64, 3\)"):
        model(np.zeros((1, 64, 64, 3), "uint8"))


@pytest.mark.parametrize("name", ["absent.weights.h5", "labels.txt"])
def test_wrong_weights_path_is_an_input_error(name: str) -> None:
    with pytest.raises(InputError, match=name):
        efficientnet_lite0(ZOO / name)


@pytest.mark.parametrize("frames", [1, 4, 5, 11])
def test_percepts_are_the_features_however_many_frames_there_are(
    model: keras.Model, photographs: np.ndarray, frames: int
) -> None:
    shifted = [np.roll(photographs[index % 3], 9 * index, axis=1) for index in range(frames)]
    clip = np.stack(shifted)
    expected = model.predict_on_batch(clip)["features"]
    percepts = EfficientNetLite0Percepts()(clip)
    assert percepts.dtype == np.float32
    np.testing.assert_allclose(percepts, expected, atol=1e-4)


def test_a_gpu_takes_all_frames_at_a_time(
    photographs: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = EfficientNetLite0Percepts()(photographs)
    monkeypatch.setattr(efficientnet_percepts, "_features_by", _features_by.__wrapped__)
    monkeypatch.setattr(LiteNetwork, "is_best", staticmethod(lambda: False))
    taken = []
    whole = keras.Model.predict_on_batch
    monkeypatch.setattr(
        keras.Model,
        "predict_on_batch",
        lambda model, frames: taken.append(len(frames)) or whole(model, frames),
    )
    np.testing.assert_allclose(EfficientNetLite0Percepts()(photographs), expected, atol=1e-4)
    assert taken == [3]


def test_a_second_extractor_costs_nothing() -> None:
    first, second = EfficientNetLite0Percepts(), EfficientNetLite0Percepts()
    assert first._features is second._features


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_percepts_are_float32_whatever_models_are_made_in(
    photographs: np.ndarray, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    expected = EfficientNetLite0Percepts()(photographs)
    monkeypatch.setattr(efficientnet_percepts, "_features_by", _features_by.__wrapped__)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        percepts = EfficientNetLite0Percepts()(photographs)
        assert keras.config.dtype_policy().name == policy
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_array_equal(percepts, expected)
