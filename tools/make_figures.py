"""`videolstm-tools make-figures`."""

from pathlib import Path
from typing import Any

import click

# As in `data.figures`, which needs a video encoder.
from keras_videolstm.data._figure_motion import ACTIONS
from keras_videolstm_tools.results import Made, with_json


@click.command(name="make-figures")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write.",
)
@click.option("--figures", type=click.IntRange(1), default=8, show_default=True, help="People.")
@click.option(
    "--first-figure",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Number of the first.",
)
@click.option(
    "--clips", type=click.IntRange(1), default=2, show_default=True, help="Clips an action each."
)
@click.option(
    "--action",
    "actions",
    multiple=True,
    type=click.Choice(ACTIONS),
    help="What they do; may be given more than once.  [default: all]",
)
@click.option("--seconds", type=float, default=2.5, show_default=True, help="Length of a clip.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of places and poses.")
@with_json
def command(**options: Any) -> Made:
    """Make a data set of moving figures as real video files, for trying things out.

    \b
    Example:
      videolstm-tools make-figures --out figures --figures 8
    """
    from keras_videolstm_tools.work.make_figures import run

    return run(**options)
