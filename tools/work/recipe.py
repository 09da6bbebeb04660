"""What `videolstm-tools recipe` does."""

import os
from pathlib import Path
from shlex import quote

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.training.percept_recipes import FEWEST_CLIPS, percepts_recipe, started_from
from keras_videolstm.training.recipe import Recipe, StoreRecipe
from keras_videolstm_tools.counted import counted
from keras_videolstm_tools.labelled_source import group_names
from keras_videolstm_tools.results import Made

CARD = "card.md"
TO_SAY = "SAY "
"""How what only its maker knows begins, in a card."""


def run(
    stores: tuple[Path, ...],
    out: Path,
    name: str,
    start: str | None,
    variant: str,
    units: int,
    seed: int,
    test_groups: str,
    validation_groups: str,
) -> Made:
    """Run `recipe`."""
    card = out.parent / CARD
    for path in (out, card):
        if path.exists():
            raise InputError(
                f"Expected no {path.name} in the folder of the recipe, where one is written; "
                f"another recipe takes a folder of its own. Received: {path}, which is there "
                "already"
            )
    # As a recipe names its stores: from its own folder.
    named = {Path(os.path.relpath(path, out.parent)).as_posix(): path for path in stores}
    opened = {text: PerceptStore(path) for text, path in named.items()}
    recipe = percepts_recipe(
        opened,
        name,
        variant,
        units,
        seed,
        test_groups=group_names(test_groups),
        validation_groups=group_names(validation_groups),
    )
    if start:
        recipe = started_from(recipe, start, opened)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, recipe.to_toml())
    write_text(card, _card(recipe, opened))
    result = {
        "recipe": str(out),
        "card": str(card),
        "train": [vars(part) for part in recipe.data.train],
        "validation": [vars(part) for part in recipe.data.validation],
        "test": [vars(part) for part in recipe.data.test],
        "training_sequences": recipe.training_sequences,
    }
    return Made(result, _as_text(recipe, opened, out, card))


def _card(recipe: Recipe, stores: dict[str, PerceptStore]) -> str:
    """Return a model card: what the data says of itself, and what only its maker knows."""
    lines = ["| footage learned from | videos | minutes | licence |", "|---|---|---|---|"]
    for part in recipe.data.train:
        store = stores[part.store]
        videos = store.videos_of_groups(tuple(part.groups))
        fps = store.metadata.get("fps")
        minutes = f"{store.frame_counts[videos].sum() / fps / 60:.1f}" if fps else "?"
        what = f"{Path(part.store).stem}: {TO_SAY}WHAT IT IS"
        lines.append(f"| {what} | {len(videos)} | {minutes} | {TO_SAY}WHICH |")
    table = "\n".join(lines)
    began = ""
    if start := recipe.training.start:
        began = f"\nIt began with the weights of {start}; what that saw, its card says.\n"
    return f"""---
license: {TO_SAY}WHICH
library_name: keras_videolstm
---
# {recipe.name}

{recipe.description}.

```python
import keras_videolstm as kvl

model = kvl.load("my_zoo/{recipe.name}")  # the path of its folder
```

## What it saw

{table}
{began}
{_held_out(recipe)}

## Results

<!-- results -->

## What it cannot do

{TO_SAY}IT.
"""


def _held_out(recipe: Recipe) -> str:
    """Say which sources are not learned from, and what for."""
    validating = counted(_sources(recipe.data.validation), "source")
    said = f"Beside it, {validating} chose the epoch."
    if recipe.data.test:
        said += (
            f" {counted(_sources(recipe.data.test), 'other source')} did neither: the test part."
        )
    return said


def _sources(part: list[StoreRecipe]) -> int:
    return len({group for store in part for group in store.groups})


def _as_text(recipe: Recipe, stores: dict[str, PerceptStore], out: Path, card: Path) -> str:
    learned, validating, testing = map(
        _sources, (recipe.data.train, recipe.data.validation, recipe.data.test)
    )
    began = f", from {recipe.training.start}," if recipe.training.start else ""
    too_few = ""
    if recipe.model.standardize == "root" and not recipe.model.slow_features:
        too_few = (
            f"Without slow features, which most of the gain with few labels comes from: they take "
            f"at least {FEWEST_CLIPS} videos to learn from\n"
        )
    videos = counted(sum(map(len, stores.values())), "video")
    return (
        f"{out}: {recipe.model.variant}{began} on {videos}; "
        f"{counted(learned, 'source')} to learn from, {validating} to validate on"
        f"{f', {testing} to test on' * bool(testing)}\n{too_few}"
        f"{card}: write what only you know: footage, licence, limits\n"
        f"Next: videolstm-tools train --recipe {quote(str(out))} "
        f"--out {quote(str(out.parent / 'run'))}"
    )
