"""`videolstm-tools recipe`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.choices import VARIANTS
from keras_videolstm_tools.results import Made, with_json


@click.command(name="recipe")
@click.argument("stores", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Recipe to write (.toml); the card is written beside it.",
)
@click.option(
    "--name", default="my_model", show_default=True, help="Of the checkpoint that it makes."
)
@click.option(
    "--variant", type=click.Choice(VARIANTS), default="composite", show_default=True, help="Which."
)
@click.option(
    "--units",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    help="Units of each of the two layers.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    help="Of weights, data and the sources that validate.",
)
@with_json
def command(**options: Any) -> Made:
    """Write a recipe and a model card to start from, for stores that `extract` wrote.

    A fifth of the sources validates, the others are learned from, as `composite_youtube` was. Both
    files are yours to change.

    \b
    Example:
      videolstm-tools extract my_videos --out percepts.h5
      videolstm-tools recipe percepts.h5 --out recipe.toml
      videolstm-tools train --recipe recipe.toml --out run
      videolstm-tools zoo publish run --card card.md --root . --out my_zoo/my_model
    """
    from keras_videolstm_tools.work.recipe import run

    return run(**options)
