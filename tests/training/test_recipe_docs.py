"""The page that lists the keys of a recipe says all of them, as they are."""

import dataclasses
import json
import re
import tomllib
from pathlib import Path

import pytest

from keras_videolstm.training import Recipe, recipe

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
TABLES = {
    "At the top": Recipe,
    "`[model]`": recipe.ModelRecipe,
    "`[model.convolution]`": recipe.ConvolutionRecipe,
    "`[data]`": recipe.DataRecipe,
    "`[[data.train]]`, `[[data.validation]]`, `[[data.test]]`": recipe.StoreRecipe,
    "`[training]`": recipe.TrainingRecipe,
    "`[optimizer]`": recipe.OptimizerRecipe,
    "`[sampling]`": recipe.SamplingRecipe,
}


def default_of(field: dataclasses.Field) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{json.dumps(field.default)}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{json.dumps(field.default_factory())}`"
    return "needed"


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_has_every_key_and_its_default(heading):
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    said = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", section, re.MULTILINE))
    inner = {heading.split(".")[-1] for heading in re.findall(r"\[+([\w.]+)\]+", PAGE)}
    expected = {
        field.name: default_of(field)
        for field in dataclasses.fields(TABLES[heading])
        if field.name not in inner
    }
    assert said == expected


def test_the_example_is_a_recipe(tmp_path):
    example = PAGE.split("```toml\n")[1].split("```")[0]
    (tmp_path / "recipe.toml").write_text(example)
    assert Recipe.load(tmp_path / "recipe.toml").model.units == [256, 256]
    assert set(tomllib.loads(example)) == {"name", "seed", "model", "data", "training"}
