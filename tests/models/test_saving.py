from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_videolstm.models import VARIANTS, ActionClassifier, VideoLSTM
from keras_videolstm.objectives import HalfSquaredErrorPerFrame, StepCrossentropy
from tests.references import randomize

MAKERS: list[Callable[[], keras.Model]] = [
    *(
        (lambda variant=variant: VideoLSTM(variant, (3,), units=[5], prediction_steps=2))
        for variant in VARIANTS
    ),
    lambda: VideoLSTM(
        "conditional_composite",
        (4, 4, 1),
        units=[5, 4],
        prediction_steps=3,
        activation="linear",
        standardize=True,
        dropout=0.2,
        peepholes=False,
        cell_arguments={"kernel_initializer": "glorot_normal", "unit_forget_bias": False},
        dtype="mixed_bfloat16",
        name="named",
    ),
    lambda: ActionClassifier(3, ["a", "b"], units=[]),
    lambda: ActionClassifier(
        3, ["a", "b"], units=[5, 4], dropout=0.2, peepholes=False, dtype="mixed_bfloat16", name="x"
    ),
]


@pytest.mark.parametrize("make", MAKERS)
def test_configuration_and_weights_round_trip(
    make: Callable[[], keras.Model], tmp_path: Path
) -> None:
    model = make()
    randomize(model)
    config = model.get_config()
    names = set(type(model).__init__.__annotations__) - {"return", "kwargs"}
    assert names <= set(config)
    assert type(model).from_config(config).get_config() == config
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model)
    assert again.get_config() == config
    assert_same_weights(model, again)
    model.save_weights(tmp_path / "model.weights.h5")
    third = type(model).from_config(config)
    third.load_weights(tmp_path / "model.weights.h5")
    assert_same_weights(model, third)


def assert_same_weights(one: Any, other: Any) -> None:
    variables = [w for w in (one.weights, other.weights)]
    assert len(variables[0]) == len(variables[1]) > 0
    for left, right in zip(*variables, strict=True):
        assert left.path.split("/")[-1] == right.path.split("/")[-1]
        np.testing.assert_array_equal(left, right)


def assert_training_goes_on_alike(
    model: keras.Model, inputs: Any, targets: Any, folder: Path
) -> keras.Model:
    """Save, load, and hold values, losses, optimiser and a further step against each other."""
    model.fit(inputs, targets, epochs=2, verbose=0)
    model.save(folder / "model.keras")
    again = keras.saving.load_model(folder / "model.keras")
    assert_same_weights(model, again)
    assert again.optimizer.get_config() == model.optimizer.get_config()
    assert int(again.optimizer.iterations) == 2
    for left, right in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(left, right)
    results = [m.evaluate(inputs, targets, verbose=0, return_dict=True) for m in (model, again)]
    assert len(results[0]) > 1
    assert results[1] == pytest.approx(results[0], rel=1e-5)
    for each in (model, again):
        each.fit(inputs, targets, epochs=1, verbose=0)
    for left, right in zip(model.weights, again.weights, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6)
    return again


def test_a_compiled_video_lstm_goes_on_training_where_it_was(tmp_path: Path) -> None:
    model = VideoLSTM(
        "conditional_composite",
        (3,),
        units=[5],
        prediction_steps=1,
        activation="linear",
        standardize=True,
    )
    model.set_statistics(np.full(3, 0.5), np.full(3, 0.2))
    model.compile(keras.optimizers.Adam(0.01), HalfSquaredErrorPerFrame())
    frames = np.random.default_rng(0).random((4, 3, 3)).astype("float32")
    inputs = {"frames": frames[:, :2], "future": frames[:, 2:]}
    targets = {"reconstruction": frames[:, :2], "prediction": frames[:, 2:]}
    again = assert_training_goes_on_alike(model, inputs, targets, tmp_path)
    assert isinstance(again.loss, HalfSquaredErrorPerFrame)
    np.testing.assert_allclose(
        again.forecast(frames[:, :2], 3), model.forecast(frames[:, :2], 3), atol=1e-5
    )


@pytest.mark.slow
def test_a_compiled_classifier_goes_on_training_where_it_was(tmp_path: Path) -> None:
    classifier = ActionClassifier(3, ["a", "b"], units=[5])
    classifier.compile(
        keras.optimizers.Adam(0.01),
        {"steps": StepCrossentropy(), "action": None},
        metrics={"action": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]},
    )
    clips = np.random.default_rng(0).random((4, 2, 3)).astype("float32")
    labels = np.array([0, 1, 0, 1])
    again = assert_training_goes_on_alike(
        classifier, clips, {"steps": labels, "action": labels}, tmp_path
    )
    assert again.class_names == ["a", "b"]
    np.testing.assert_allclose(again.classify(clips[0]), classifier.classify(clips[0]), atol=1e-5)


def test_weight_files_hold_weights_and_no_counters_of_a_training_run(tmp_path: Path) -> None:
    import h5py

    model = VideoLSTM("conditional_autoencoder", (3,), units=[5])
    model.save_weights(tmp_path / "model.weights.h5")
    stored: list[int] = []
    with h5py.File(tmp_path / "model.weights.h5") as file:
        file.visititems(
            lambda _, item: stored.append(item.size) if isinstance(item, h5py.Dataset) else None
        )
    assert len(stored) == len(model.weights)
    assert sum(stored) == model.count_params()


def test_saving_and_loading_keeps_a_frozen_encoder_frozen(tmp_path: Path) -> None:
    classifier = ActionClassifier(3, ["a", "b"], units=[5])
    classifier.trainable = False
    classifier.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.trainable_weights == []


def test_what_is_frozen_inside_stays_so_and_the_optimiser_with_it(tmp_path: Path) -> None:
    model = VideoLSTM("composite", (3,), units=[5, 4], prediction_steps=2)
    model.encoder.trainable = False
    model.decoders["prediction"].cells[1].trainable = False
    model.compile("adam", "mse")
    clips = np.random.default_rng(0).random((2, 4, 3)).astype("float32")
    targets = {"reconstruction": clips, "prediction": clips[:, :2]}
    model.fit({"frames": clips}, targets, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_config()["frozen"] == ["encoder", "prediction/cells_1"]
    assert len(again.trainable_weights) == len(model.trainable_weights) < len(model.weights)
    assert len(again.optimizer.variables) == len(model.optimizer.variables)
    for left, right in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_classifier_of_other_classes_keeps_what_is_frozen() -> None:
    classifier = ActionClassifier(3, ["a", "b"], units=[5, 4])
    classifier.encoder.cells[0].trainable = False
    classifier.head.trainable = False
    other = classifier.with_classes(["x", "y", "z"])
    assert not other.encoder.cells[0].trainable
    assert other.encoder.trainable and other.encoder.cells[1].trainable and other.head.trainable


def test_a_model_without_anything_frozen_has_the_configuration_of_older_files() -> None:
    assert "frozen" not in VideoLSTM("composite", (3,), units=[5]).get_config()
    assert "frozen" not in ActionClassifier(3, ["a", "b"], units=[5]).get_config()
