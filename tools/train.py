"""`videolstm-tools train`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.choices import DISTRIBUTIONS
from keras_videolstm_tools.given_path import GivenPath
from keras_videolstm_tools.results import json_option
from keras_videolstm_tools.shared_options import mnist_option


@click.command(name="train")
@click.option(
    "--recipe",
    "recipe_path",
    required=True,
    type=GivenPath("a recipe"),
    help="TOML file that says everything about the run.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the run.")
@click.option(
    "--root",
    "data_root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the recipe's stores are relative to.  [default: the recipe's folder]",
)
@mnist_option
@click.option(
    "--resume/--no-resume", default=True, show_default=True, help="Continue the run in --out."
)
@click.option(
    "--distribute",
    type=click.Choice(DISTRIBUTIONS),
    default="none",
    show_default=True,
    help="All GPUs of this machine, or the machines that TF_CONFIG names.",
)
@json_option
def command(**options: Any) -> None:
    """Train a model by a recipe; continue where a killed run stopped.

    With KERAS_BACKEND=jax, moving digits are drawn on the accelerator and many
    steps are one program.

    \b
    Example:
      videolstm-tools train --recipe recipe.toml --out run
    """
    from keras_videolstm_tools.work.train import run

    run(**options)
