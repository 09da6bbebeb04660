"""Tests of `videolstm-tools recipe`."""

import dataclasses
import json
import re

import numpy as np
import pytest

from keras_videolstm.checkpoints import load, load_metadata
from keras_videolstm.training import Recipe
from keras_videolstm_tools.work.pretraining_sources import pretraining_sources
from tests.command_line import done, leftovers, refused
from tests.percept_files import PROVENANCE, numbered_store, write_store


@pytest.mark.slow
def test_a_recipe_is_written_trained_published_and_gone_on_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    numbered_store(tmp_path / "data" / "s.h5", [40] * 5)
    shown = done("recipe", "data/s.h5", "--out", "mine/recipe.toml", "--units", 4, "--name", "tiny")
    assert "4 sources to learn from, 1 to validate on" in shown
    assert "Next: videolstm-tools train --recipe mine/recipe.toml --out mine/run" in shown
    recipe = tmp_path / "mine" / "recipe.toml"
    text = recipe.read_text()
    short = text.replace("steps_per_epoch = 20", "steps_per_epoch = 1").replace(
        "epochs = 10", "epochs = 1"
    )
    assert Recipe.load(recipe).data.train[0].store == "../data/s.h5"
    recipe.write_text(short)
    done("train", "--recipe", recipe, "--out", "run")
    publish = ("zoo", "publish", "run", "--card", "mine/card.md", "--root", "mine")
    card = tmp_path / "mine" / "card.md"
    assert "| s: SAY WHAT IT IS | 4 | 0.2 | SAY WHICH |" in card.read_text()
    to_say = [n for n, line in enumerate(card.read_text().splitlines(), 1) if "SAY " in line]
    told = refused(*publish, "--out", "zoo/tiny")
    assert f"card.md with 4 times SAY, in lines {', '.join(map(str, to_say))}" in told
    card.write_text(card.read_text().replace("SAY ", "NOTHING, "))
    published = done(*publish, "--out", "zoo/tiny")
    assert "the last frame held" in published
    assert "videolstm-tools finetune zoo/tiny my_videos" in published
    card = (tmp_path / "zoo" / "tiny" / "README.md").read_text()
    assert "| prediction |" in card
    assert load(tmp_path / "zoo" / "tiny").variant == "composite"
    assert load_metadata(tmp_path / "zoo" / "tiny")["percepts"]["fps"] == 15
    assert not leftovers(tmp_path / "mine")
    start = ("--start", "zoo/tiny")
    done("recipe", "data/s.h5", *start, "--out", "more/recipe.toml", "--name", "better")
    more = Recipe.load(tmp_path / "more" / "recipe.toml")
    assert (more.model, more.training.start) == (Recipe.load(recipe).model, "zoo/tiny")
    assert more.description == "tiny, trained on: toy percepts of 4 videos"
    one_step = {"steps_per_epoch": 1, "epochs": 1}
    more = dataclasses.replace(more, training=dataclasses.replace(more.training, **one_step))
    (tmp_path / "more" / "recipe.toml").write_text(more.to_toml())
    trained = done("train", "--recipe", "more/recipe.toml", "--out", "more/run")
    assert re.search(r"^zoo/tiny, before it learns: val_loss: \d", trained, re.MULTILINE)
    assert "before it" not in done("train", "--recipe", "more/recipe.toml", "--out", "more/run")
    assert Recipe.load(tmp_path / "more" / "run" / "recipe.toml").training.start_sha256
    card = tmp_path / "more" / "card.md"
    assert "began with the weights of zoo/tiny" in card.read_text()
    card.write_text(card.read_text().replace("SAY ", "NOTHING, "))
    publish = ("zoo", "publish", "more/run", "--card", "more/card.md", "--root", "more")
    # The first model is not written over.
    assert "zoo/tiny, which holds another checkpoint" in refused(*publish, "--out", "zoo/tiny")
    done(*publish)
    assert load_metadata("my_zoo/better")["start"]["checkpoint"] == "zoo/tiny"
    parts = (*more.data.train, *more.data.validation)
    learned = {group for part in parts for group in part.groups}
    assert set(pretraining_sources("my_zoo/better")) == learned
    other = {**PROVENANCE, "extractor": "patches"}
    write_store(tmp_path / "p.h5", [(np.ones((40, 4)), "", f"g{i}") for i in range(3)], other)
    told = refused("recipe", "p.h5", *start, "--out", "other/recipe.toml")
    assert "Expected percepts that zoo/tiny reads: extractor='toy', fps=15" in told
    assert "Received: p.h5 with extractor='patches'" in told
    both = refused("recipe", "data/s.h5", *start, "--units", 8, "--out", "o/r.toml", code=2)
    assert "Expected --units without --start" in both


def test_json_says_what_was_written_and_how_it_was_divided(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [40] * 5).path
    result = json.loads(done("recipe", store, "--out", tmp_path / "r.toml", "--json"))
    assert result["recipe"] == str(tmp_path / "r.toml")
    assert len(result["train"][0]["groups"]) == 4
    assert result["validation"][0]["store"] == "s.h5"
    assert result["training_sequences"] == 10 * 20 * 64


def test_named_sources_are_left_out_to_test_on(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [40] * 6).path
    arguments = ("--test-groups", "g00-g01", "--validation-groups", "g05")
    shown = done("recipe", store, "--out", tmp_path / "r.toml", *arguments)
    assert "3 sources to learn from, 1 to validate on, 2 to test on" in shown
    assert Recipe.load(tmp_path / "r.toml").data.test[0].groups == ["g00", "g01"]
    card = (tmp_path / "card.md").read_text()
    assert "1 source chose the epoch. 2 other sources did neither: the test part." in card


@pytest.mark.parametrize("there", ["recipe.toml", "card.md"])
def test_nothing_is_written_over(there, tmp_path):
    store = numbered_store(tmp_path / "s.h5", [40] * 5).path
    (tmp_path / there).write_text("mine")
    told = refused("recipe", store, "--out", tmp_path / "recipe.toml")
    assert f"{there}, which is there already" in told
    assert (tmp_path / there).read_text() == "mine"
    assert not (tmp_path / ({"recipe.toml", "card.md"} - {there}).pop()).exists()


def test_bad_stores_are_refused(tmp_path):
    assert "missing.h5" in refused("recipe", tmp_path / "missing.h5", "--out", tmp_path / "r.toml")
    store = numbered_store(tmp_path / "s.h5", [40]).path
    assert "two sources" in refused("recipe", store, "--out", tmp_path / "r.toml")
    assert not (tmp_path / "card.md").exists()
