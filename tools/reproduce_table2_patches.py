"""Commands: the paper's Table 2, right column: image patches."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from keras_videolstm.choices import ROWS
from keras_videolstm.zoo_folder import list_checkpoints
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    from_zoo_option,
    refuse_options,
    repeats_option,
    runs_option,
)

_OF_TRAINING = ("train", "validation", "test", "units", "training_sequences", "repeats")


def _stores(part: str, what: str) -> Any:
    return click.option(
        f"--{part}",
        multiple=True,
        metavar="STORE",
        help=f"Store of patches that {what}, of which groups may be named: ucf.h5:g16-g25; may be "
        "given more than once.",
    )


@click.command(name="table2_patches")
@from_zoo_option
@click.option(
    "--row",
    "rows",
    multiple=True,
    type=click.Choice(ROWS),
    default=ROWS,
    help="A row; may be given more than once.  [default: all, or all that are published]",
)
@_stores("train", "is learned from")
@_stores("validation", "chooses the best epoch")
@_stores("test", "is scored on, once")
@click.option(
    "--root",
    "data_root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder that the stores are relative to.  [default: this one]",
)
@click.option(
    "--units",
    type=click.IntRange(1),
    default=432,
    show_default=True,
    help="Units of each of the two layers; the paper has 2048, then 4096.",
)
@click.option(
    "--training-sequences",
    type=click.IntRange(1),
    default=120_000,
    show_default=True,
    help="Sequences that each row learns from.",
)
@repeats_option(default=1)
@runs_option
@click.pass_context
@with_json
def table2_patches_command(context: click.Context, from_zoo: bool, **options: Any) -> Made:
    """Table 2, image patches: squared error of each model, free-running, beside the paper's.

    All rows are trained by the same recipe on the same number of sequences. Half the squared error
    is summed over a frame's pixels, each standardised by its channel in the training part, which
    is what the paper's numbers seem to be; below stands what predicts without learning.

    \b
    Example:
      videolstm-tools extract videos --percepts patches --fps 15 --crops 4 --out patches.h5
      videolstm-tools reproduce table2_patches --train patches.h5:g16-g25 \\
          --validation patches.h5:g13-g15 --test patches.h5:g08-g12 --out table2_patches
    """
    if from_zoo:
        refuse_options(context, _OF_TRAINING, "where rows are trained", "--from-zoo")
        if context.get_parameter_source("rows") is ParameterSource.DEFAULT:
            options["rows"] = tuple(row for row in ROWS if f"{row}_patches" in list_checkpoints())
    elif not all(options[part] for part in ("train", "validation", "test")):
        raise click.UsageError("Expected --train, --validation and --test, or --from-zoo.")
    from keras_videolstm_tools.work.reproduce_table2_patches import table2_patches

    return table2_patches(from_zoo=from_zoo, **options)
