"""`videolstm-tools recipe`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.choices import VARIANTS
from keras_videolstm_tools.checkpoint_name import CheckpointName
from keras_videolstm_tools.given_path import GivenPath
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    refuse_options,
    test_groups_option,
    validation_groups_option,
)


@click.command(name="recipe")
@click.argument("stores", nargs=-1, required=True, type=GivenPath("a percept store"))
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
    "--start",
    type=CheckpointName(),
    help="Checkpoint to go on from; variant and units are its own.  [default: random weights]",
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
@test_groups_option
@validation_groups_option
@click.pass_context
@with_json
def command(context: click.Context, start: str | None, **options: Any) -> Made:
    """Write a recipe and a model card to start from, for stores that `extract` wrote.

    A fifth of the sources, or those of --validation-groups, validates; those of --test-groups
    are kept for `zoo publish` to measure on; the others are learned from, as `composite_youtube`
    was. Both files are yours to change.

    \b
    Example:
      videolstm-tools extract my_videos --out percepts.h5
      videolstm-tools recipe percepts.h5 --out recipe.toml
      videolstm-tools train --recipe recipe.toml --out run
      videolstm-tools zoo publish run --card card.md --root . --out my_zoo/my_model
    """
    if start:
        refuse_options(context, ["variant", "units"], "without --start", f"--start {start}")
    from keras_videolstm_tools.work.recipe import run

    return run(start=start, **options)
