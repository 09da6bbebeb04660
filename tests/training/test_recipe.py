"""Tests of recipes: the round trip through TOML, and a sentence for every mistake."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from keras_videolstm.errors import InputError
from keras_videolstm.training import Recipe

TABLE: dict[str, Any] = {
    "name": "toy",
    "seed": 1,
    "model": {
        "variant": "composite",
        "frame_shape": [4],
        "units": [8, 6],
        "input_steps": 3,
        "prediction_steps": 2,
        "activation": "linear",
    },
    "data": {
        "kind": "percepts",
        "train": [{"store": "a.h5", "groups": ["g01-g03"]}],
        "validation": [{"store": "b.h5"}],
    },
    "optimizer": {"learning_rate": 1},
    "training": {"batch_size": 4, "steps_per_epoch": 5, "epochs": 2},
}


def written(path: Path, changes: dict[str, Any]) -> Path:
    """Write the recipe with values changed by dotted key; `None` takes the key out."""
    table = copy.deepcopy(TABLE)
    for dotted, value in changes.items():
        *tables, key = dotted.split(".")
        place = table
        for name in tables:
            place = place[name]
        if value is None:
            del place[key]
        else:
            place[key] = value
    path.write_text(tomli_w.dumps(table), encoding="utf-8")
    return path


def test_a_recipe_survives_the_round_trip_with_the_defaults_that_matter_written_out(tmp_path):
    recipe = Recipe.load(written(tmp_path / "r.toml", {}))
    assert recipe.model.units == [8, 6]
    assert recipe.data.train[0].groups == ["g01-g03"]
    assert recipe.data.validation[0].groups == []
    assert recipe.optimizer.name == "adam"
    assert recipe.optimizer.learning_rate == 1.0
    assert isinstance(recipe.optimizer.learning_rate, float)
    text = recipe.to_toml()
    assert 'precision = "auto"' in text
    assert not [key for key in ("speed", "digits", "sampling", "start") if key in text]
    (tmp_path / "again.toml").write_text(text, encoding="utf-8")
    again = Recipe.load(tmp_path / "again.toml")
    assert again == recipe
    assert again.to_toml() == text


def test_a_speed_may_be_a_number_or_a_range(tmp_path):
    mnist = {"model.frame_shape": [64, 64, 1], "model.activation": "sigmoid"}
    for speed in (0.2, [0.1, 0.3]):
        changes = {**mnist, "data": {"kind": "moving_mnist", "speed": speed}}
        recipe = Recipe.load(written(tmp_path / "r.toml", changes))
        assert recipe.data.speed == speed
        assert tomllib.loads(recipe.to_toml())["data"]["speed"] == speed


def test_a_key_that_says_nothing_is_written_if_it_was_set(tmp_path):
    recipe = Recipe.load(written(tmp_path / "r.toml", {"data.digits_per_frame": 3}))
    (tmp_path / "again.toml").write_text(recipe.to_toml(), encoding="utf-8")
    assert Recipe.load(tmp_path / "again.toml") == recipe


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"model.unit": [8]}, r"only the keys variant, .*\[model\]. Received: unit"),
    "unknown table": ({"modle": {}}, "only the keys name, .*the recipe. Received: modle"),
    "missing key": ({"model.units": None}, r"key 'units' in table \[model\]. Received: none"),
    "missing table": ({"training": None}, "key 'training' in the recipe"),
    "table is a text": ({"model": "composite"}, "model to be a table. Received: 'composite'"),
    "list is a number": ({"model.units": 8}, "model.units to be a list. Received: 8"),
    "text in a list": ({"model.units": ["8"]}, "model.units to be of type int. Received: '8'"),
    "text for a number": ({"seed": "1"}, "seed to be of type int"),
    "truth for a number": ({"seed": True}, "seed to be of type int. Received: True"),
    "fraction for a count": ({"training.epochs": 1.5}, "training.epochs to be of type int"),
    "number for a truth": ({"model.peepholes": 1}, "model.peepholes to be of type bool"),
    "store is a text": ({"data.train": ["a.h5"]}, "data.train to be a table. Received: 'a.h5'"),
    "speed is a word": ({"data.speed": "fast"}, "data.speed to be of type float"),
    "unknown variant": ({"model.variant": "gan"}, "model.variant to be .*composite.*'gan'"),
    "unknown kind": ({"data.kind": "images"}, "data.kind to be 'percepts' or 'moving_mnist'"),
    "no stores": ({"data.train": []}, "at least one store each"),
    "unknown schedule": ({"optimizer.schedule": "step"}, "optimizer.schedule to be .*cosine"),
    "cycles of a constant": ({"optimizer.cycles": 2}, "optimizer.cycles to be 1, or of a cosine"),
    "no cycle": ({"optimizer.cycles": 0}, "optimizer.cycles to be a positive number"),
    "unknown statistics": (
        {"model.standardize": "pixel"},
        "model.standardize to be true, false or",
    ),
    "number of statistics": ({"model.standardize": 1}, "model.standardize to be of type bool"),
    "fewer than no slow features": (
        {"model.slow_features": -1},
        "model.slow_features to be a number of at least 0",
    ),
    "more slow features than features": (
        {"model.slow_features": 5},
        "model.slow_features to be 0, or at most as many",
    ),
    "rate of a trace above 1": (
        {"model.trace_rates": [0.5, 1.5]},
        "model.trace_rates to be a list of numbers from 0 to 1",
    ),
    "traces of pixels": (
        {"model.trace_rates": [1.0], "model.activation": "sigmoid"},
        "model.trace_rates to be empty, but for vectors of linear features",
    ),
    "drift without traces": (
        {"model.drift_features": 2},
        "model.drift_features to be 0, or at most as many .* beside trace_rates below 1",
    ),
    "unknown precision": ({"training.precision": "int8"}, "training.precision to be"),
    "newer format": ({"format": 2}, "format to be 1. Received: 2"),
    "no steps": ({"model.input_steps": 0}, "model.input_steps to be a positive number"),
    "no future": ({"model.prediction_steps": -1}, "model.prediction_steps to be a positive"),
    "no batch": ({"training.batch_size": 0}, "training.batch_size to be a positive number"),
    "no epochs": ({"training.epochs": 0}, "training.epochs to be a positive number"),
    "no windows": ({"data.validation_windows": 0}, "validation_windows to be a positive"),
    "no digits": ({"data.digits_per_frame": 0}, "digits_per_frame to be a positive number"),
    "rate not a number": ({"optimizer.learning_rate": float("nan")}, "learning_rate to be a pos"),
    "rate without end": ({"optimizer.learning_rate": float("inf")}, "learning_rate to be a pos"),
    "negative warm-up": ({"optimizer.warmup_steps": -5}, "warmup_steps to be a number of at"),
    "negative decay": ({"optimizer.weight_decay": -0.1}, "weight_decay to be a number of at"),
    "negative clipping": ({"optimizer.clipnorm": -1.0}, "clipnorm to be a number of at least 0"),
    "no layer": ({"model.units": []}, r"model.units to be a list of positive numbers"),
    "empty layer": ({"model.units": [8, 0]}, r"model.units to be a list of positive numbers"),
    "empty frame": ({"model.frame_shape": [0]}, "model.frame_shape to be a list of positive"),
    "dropout of all": ({"model.dropout": 1.0}, "model.dropout to be a rate"),
    "unknown activation": ({"model.activation": "tanh"}, "model.activation to be .*sigmoid"),
    "negative seed": ({"seed": -1}, "seed to be a number from 0"),
    "no name": ({"name": ""}, "name to be a plain name"),
    "name is a path": ({"name": "../x"}, "name to be a plain name"),
    "moving MNIST's frames": ({"data": {"kind": "moving_mnist"}}, r"\[64, 64, 1\]. Received: \[4"),
    "moving MNIST without a sigmoid": (
        {"data": {"kind": "moving_mnist"}, "model.frame_shape": [64, 64, 1]},
        "model.activation to be 'sigmoid'. Received: 'linear'",
    ),
    "maps of no image": ({"model.convolution": {}}, r"\[model.convolution\] to fit .*\(4,\)"),
    "no patch": ({"model.convolution": {"patch_size": 0}}, r"\[model.convolution\] to fit .*posit"),
    "motion beyond a patch": (
        {"model.convolution": {"patch_size": 2, "max_displacement": 3}},
        r"\[model.convolution\] to fit the frames. Expected max_displacement from 0 to patch_size",
    ),
    "moving MNIST standardized": (
        {
            "data": {"kind": "moving_mnist"},
            "model.frame_shape": [64, 64, 1],
            "model.activation": "sigmoid",
            "model.standardize": True,
        },
        "model.standardize to be False",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_every_mistake_is_named_with_its_key_and_file(kind, tmp_path):
    changes, words = MISTAKES[kind]
    with pytest.raises(InputError, match=words) as refusal:
        Recipe.load(written(tmp_path / "r.toml", changes))
    assert str(refusal.value).startswith(f"{tmp_path / 'r.toml'}: Expected ")


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"{}", b"\x00"])
def test_a_file_that_is_no_toml_is_refused(content, tmp_path):
    (tmp_path / "r.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"Expected a recipe in TOML.*r\.toml"):
        Recipe.load(tmp_path / "r.toml")


def test_a_recipe_that_is_not_there_or_empty_is_refused(tmp_path):
    with pytest.raises(InputError, match="which is not there"):
        Recipe.load(tmp_path / "r.toml")
    with pytest.raises(InputError, match="Expected a recipe in TOML"):
        Recipe.load(tmp_path)
    (tmp_path / "r.toml").touch()
    with pytest.raises(InputError, match="Expected the key 'data'"):
        Recipe.load(tmp_path / "r.toml")
