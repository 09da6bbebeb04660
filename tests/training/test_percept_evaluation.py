"""Tests of measuring what models write of percepts."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.compiled_model import losses
from keras_videolstm.training.percept_evaluation import evaluate_percepts, guess_losses
from keras_videolstm.training.recipe import Recipe, StoreRecipe
from tests.tiny_runs import tiny_recipe

READ, PREDICTED = 4, 3


def standardized_model(variant: str) -> VideoLSTM:
    model = VideoLSTM(
        variant, (5,), [6, 4], PREDICTED, activation="linear", standardize=True, dropout=0.3
    )
    model.set_statistics(np.arange(5.0), np.linspace(0.5, 2, 5))
    return model


def windows(count: int = 7) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.normal(1, 2, (count, READ + PREDICTED, 5)).astype("float32")


def batches(clips: np.ndarray) -> list[tf.Tensor]:
    """A last batch that is shorter than the others."""
    return [tf.constant(clips[:4]), tf.constant(clips[4:])]


@pytest.mark.parametrize("variant", ["conditional_composite", "autoencoder"])
def test_scores_are_the_losses_that_keras_reports(variant):
    model, clips = standardized_model(variant), windows()
    done: list[int] = []
    scores = evaluate_percepts(model, batches(clips), READ, progress=done.append)
    assert done == [4, len(clips)]
    parts = {"reconstruction": clips[:, :READ], "prediction": clips[:, READ:]}
    model.compile(loss=losses(model))
    inputs = {"frames": parts["reconstruction"]}
    if variant.startswith("conditional"):
        inputs["future"] = parts["prediction"]
    targets = {key: parts[key] for key in model.decoders}
    reported = model.evaluate(inputs, targets, batch_size=7, verbose=0, return_dict=True)
    reported.pop("loss")
    assert {f"{name}_loss" for name in scores if " " not in name} == set(reported)
    for name, value in reported.items():
        np.testing.assert_allclose(scores[name.removesuffix("_loss")].mean(), value, rtol=1e-5)


def test_what_learns_nothing_is_measured_in_the_same_units():
    model, clips = standardized_model("future_predictor"), windows()
    scores = evaluate_percepts(model, batches(clips), READ)
    seen = (clips.astype("float64") - np.arange(5.0)) / np.linspace(0.5, 2, 5)
    read, future = seen[:, :READ], seen[:, READ:]
    guesses = {
        "the last frame held": read[:, -1:],
        "the mean of the frames read": read.mean(axis=1, keepdims=True),
        "the training mean": 0.0,
    }
    for name, guess in guesses.items():
        expected = 0.5 * np.square(future - guess).sum(axis=-1).mean(axis=0)
        np.testing.assert_allclose(scores[f"prediction by {name}"], expected, rtol=1e-5)
    assert len(scores) == 1 + len(guesses)
    alone = guess_losses(model, batches(clips), READ)
    assert list(alone) == list(guesses)
    for name, loss in alone.items():
        assert loss == pytest.approx(scores[f"prediction by {name}"].mean(), rel=1e-6)
    assert guess_losses(standardized_model("autoencoder"), batches(clips), READ) == {}


def test_patches_of_uint8_are_scaled_to_pixels():
    model = VideoLSTM("autoencoder", (2, 2, 3), [4], activation="linear", standardize="channel")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 12)).astype("uint8")
    scores = evaluate_percepts(model, [tf.constant(pixels)], READ)
    again = evaluate_percepts(model, [tf.constant(pixels.astype("float32") / 255)], READ)
    np.testing.assert_allclose(scores["reconstruction"], again["reconstruction"], rtol=1e-6)


def test_a_recipe_may_name_what_a_model_is_scored_on(tmp_path: Path):
    recipe = tiny_recipe(tmp_path)
    on_validation = next(iter(ClipSource(recipe, tmp_path).scored_windows())).numpy()
    recipe.data.train = [StoreRecipe("clips.h5", ["g00-g01"])]
    recipe.data.test = [StoreRecipe("clips.h5", ["g02"])]
    source = ClipSource(Recipe.load(write(tmp_path, recipe)), tmp_path)
    on_test = next(iter(source.scored_windows())).numpy()
    assert on_test.shape == on_validation.shape
    store = PerceptStore(tmp_path / "clips.h5")
    for found, group in ((on_test, "g02"), (on_validation, "g03")):
        (video,) = store.videos_of_groups((group,))
        rows = {row.tobytes() for row in store.read(video)}
        assert all(row.tobytes() in rows for row in found.reshape(-1, 4))
    validated = next(iter(source.validation()))[0]["frames"].numpy()
    np.testing.assert_array_equal(validated, on_validation[:, : recipe.model.input_steps])


def write(folder: Path, recipe: Recipe) -> Path:
    path = folder / "with_test.toml"
    path.write_text(recipe.to_toml(), encoding="utf-8")
    return path


@pytest.mark.parametrize("given", [[], [np.zeros((2, READ, 5), "float32")]])
def test_nothing_to_measure_is_said(given):
    with pytest.raises(InputError, match=r"Expected (at least one window|windows of more than)"):
        evaluate_percepts(standardized_model("composite"), given, READ)
