"""`videolstm-tools make-figures`."""

import csv
from pathlib import Path

import click

from keras_videolstm.data.figures import ACTIONS, generate_figures
from keras_videolstm_tools.progress import ProgressLine
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
def command(
    out: Path,
    figures: int,
    first_figure: int,
    clips: int,
    actions: tuple[str, ...],
    seconds: float,
    seed: int,
) -> Made:
    """Make a data set of moving figures as real video files, for trying things out.

    \b
    Example:
      videolstm-tools make-figures --out figures --figures 8
    """
    generate_figures(
        out,
        figures=figures,
        clips_per_figure=clips,
        actions=actions or ACTIONS,
        seed=seed,
        seconds=seconds,
        first_figure=first_figure,
        progress=ProgressLine("make-figures", "clips"),
    )
    with (out / "clips.csv").open(encoding="utf-8", newline="") as table:
        clips = [{**row, "path": str(out / row["path"])} for row in csv.DictReader(table)]
    result = {"out": str(out), "table": str(out / "clips.csv"), "clips": clips}
    return Made(result, f"{out}: one sub-folder an action, clips.csv")
