"""Tests of recipes to start from."""

import dataclasses

import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.training import Recipe
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.percept_recipes import percepts_recipe
from tests.percept_files import PROVENANCE, numbered_store, write_store


def test_a_fifth_of_the_sources_validates_and_none_stands_on_both_sides(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [40] * 11)
    recipe = percepts_recipe({"s.h5": store}, "mine")
    (train,), (validation,) = recipe.data.train, recipe.data.validation
    assert len(validation.groups) == 2
    assert not set(train.groups) & set(validation.groups)
    assert sorted(train.groups + validation.groups) == sorted(store.groups)
    others = percepts_recipe({"s.h5": store}, "mine", seed=2).data.validation[0].groups
    assert others != validation.groups


def test_a_source_in_two_stores_stands_on_one_side(tmp_path):
    stores = {name: numbered_store(tmp_path / name, [40] * 5) for name in ("a.h5", "b.h5")}
    recipe = percepts_recipe(stores, "mine")
    assert [part.store for part in recipe.data.validation] == ["a.h5", "b.h5"]
    assert recipe.data.validation[0].groups == recipe.data.validation[1].groups


def test_named_sources_test_and_validate_and_are_not_learned_from(tmp_path):
    stores = {name: numbered_store(tmp_path / name, [40] * 6) for name in ("a.h5", "b.h5")}
    options = {"test_groups": ["g00-g01"], "validation_groups": ["g04"]}
    data = percepts_recipe(stores, "mine", **options).data
    for part, groups in (
        (data.train, ["g02", "g03", "g05"]),
        (data.validation, ["g04"]),
        (data.test, ["g00", "g01"]),
    ):
        assert [(one.store, one.groups) for one in part] == [("a.h5", groups), ("b.h5", groups)]
    drawn = percepts_recipe(stores, "mine", test_groups=["g00-g03"]).data
    assert sorted(drawn.train[0].groups + drawn.validation[0].groups) == ["g04", "g05"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"test_groups": ["g7"]}, r"occur in s\.h5: g00, g01, g02\. Received: g7"),
        (
            {"test_groups": ["g00"], "validation_groups": ["g00-g01"]},
            "not validation groups. Received: g00 in both",
        ),
        ({"test_groups": ["g00-g01"]}, r"Received: s\.h5, where 2 of 3 test and 1 validate"),
        ({"validation_groups": ["g00-g02"]}, r"Received: s\.h5, where 0 of 3 test and 3 validate"),
    ],
)
def test_sources_that_leave_none_to_learn_from_are_refused(options, expected, tmp_path):
    store = numbered_store(tmp_path / "s.h5", [40] * 3)
    with pytest.raises(InputError, match=expected):
        percepts_recipe({"s.h5": store}, "mine", **options)


def test_sources_whose_names_look_like_ranges_are_learned_from_and_validate_apart(tmp_path):
    lengths = {"1": 40, "2": 41, "3": 42, "4": 43, "1-4": 44}
    videos = [(np.ones((n, 4), "float32"), "", group) for group, n in lengths.items()]
    recipe = percepts_recipe({"s.h5": write_store(tmp_path / "s.h5", videos)}, "mine")
    source = ClipSource(recipe, tmp_path)
    (validating,) = recipe.data.validation[0].groups
    (described,) = source.describe()
    assert described["videos"] == 4
    assert described["frames"] == sum(lengths.values()) - lengths[validating]


def test_a_source_on_both_sides_is_refused(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [40] * 5)
    recipe = percepts_recipe({"s.h5": store}, "mine")
    validation = dataclasses.replace(recipe.data.validation[0], groups=["g00-g04"])
    data = dataclasses.replace(recipe.data, validation=[validation])
    with pytest.raises(InputError, match=r"not learned from. Received: g0\d of .*in both parts"):
        ClipSource(dataclasses.replace(recipe, data=data), tmp_path)


def test_a_clip_of_another_store_is_on_one_side_too(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [40] * 5)
    numbered_store(tmp_path / "crops.h5", [40] * 5)
    recipe = percepts_recipe({"s.h5": store}, "mine")
    validation = dataclasses.replace(
        recipe.data.validation[0], store="crops.h5", groups=recipe.data.train[0].groups[:1]
    )
    data = dataclasses.replace(recipe.data, validation=[validation])
    with pytest.raises(InputError, match=r"not learned from. Received: g0\d of .*crops\.h5"):
        ClipSource(dataclasses.replace(recipe, data=data), tmp_path)


def test_percepts_of_two_kinds_are_not_mixed(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [40] * 5)
    other = [(np.zeros((40, 4), "float32"), "", "h")]
    write_store(tmp_path / "fast.h5", other, {**PROVENANCE, "fps": 30})
    recipe = percepts_recipe({"s.h5": store}, "mine")
    validation = dataclasses.replace(recipe.data.validation[0], store="fast.h5", groups=["h"])
    data = dataclasses.replace(recipe.data, validation=[validation])
    with pytest.raises(InputError, match=r"one kind, fps=15 as in .*Received: .*fast.h5 with fps="):
        ClipSource(dataclasses.replace(recipe, data=data), tmp_path)


def test_it_is_a_recipe_of_the_store_and_as_long_as_its_frames(tmp_path):
    long = numbered_store(tmp_path / "long.h5", [4000] * 6)
    recipe = percepts_recipe({"long.h5": long}, "mine", "future_predictor", units=32, seed=5)
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    assert Recipe.load(tmp_path / "recipe.toml") == recipe
    assert (recipe.name, recipe.seed, recipe.model.variant) == ("mine", 5, "future_predictor")
    assert (recipe.model.frame_shape, recipe.model.units) == ([4], [32, 32])
    # 20,000 frames to learn from, 1.3 windows at each.
    assert recipe.training_sequences == pytest.approx(26_000, rel=0.03)
    short = numbered_store(tmp_path / "short.h5", [40] * 2)
    assert percepts_recipe({"s": short}, "mine").steps == 200


def test_slow_features_are_asked_of_many_clips_alone_and_drift_of_all(tmp_path):
    few = numbered_store(tmp_path / "few.h5", [30] * 10, features=64)
    many = numbered_store(tmp_path / "many.h5", [30] * 250, features=128)
    models = [percepts_recipe({"s": store}, "mine").model for store in (few, many)]
    assert [model.slow_features for model in models] == [0, 48]
    assert [model.drift_features for model in models] == [64, 96]


def test_patches_are_pixels(tmp_path):
    videos = [(np.zeros((30, 3072), "float32"), "", group) for group in "ab"]
    store = write_store(tmp_path / "p.h5", videos, {**PROVENANCE, "extractor": "patches"})
    recipe = percepts_recipe({"p.h5": store}, "mine", "conditional_composite", units=8)
    assert recipe.name == "mine"
    assert recipe.model.frame_shape == [32, 32, 3]
    assert recipe.model.standardize == "channel"
    assert recipe.sampling.rate == 1


def test_what_cannot_be_divided_or_mixed_is_refused(tmp_path):
    videos = [(np.ones((30, 4), "float32"), "", "only")] * 3
    one = write_store(tmp_path / "one.h5", videos)
    with pytest.raises(InputError, match=r"at least two sources.*where 0 of 1 test and 1 validate"):
        percepts_recipe({"one.h5": one}, "mine")
    other = write_store(tmp_path / "other.h5", videos, {**PROVENANCE, "fps": 30})
    with pytest.raises(InputError, match=r"fps=15 as in one\.h5.*other\.h5 with fps=30"):
        percepts_recipe({"one.h5": one, "other.h5": other}, "mine")


def test_videos_too_short_for_a_window_are_told_before_training(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [28] * 5)
    with pytest.raises(
        InputError, match=r"at least 29 frames to learn from.*none among 4, of 28 at most"
    ):
        percepts_recipe({"s.h5": store}, "mine")
