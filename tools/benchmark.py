"""`videolstm-tools benchmark`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm_benchmarks.runner import contestants
from keras_videolstm_tools.results import json_option

VARIANTS = ("composite", "conditional_composite")


@click.command(name="benchmark")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of results.")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    type=click.Choice(VARIANTS),
    default=["conditional_composite"],
    show_default=True,
    help="Model; may be given more than once.",
)
@click.option(
    "--units",
    multiple=True,
    type=click.IntRange(1),
    default=[1024],
    show_default=True,
    help="Units of each of the two layers; may be given more than once.",
)
@click.option(
    "--batch-size",
    "batch_sizes",
    multiple=True,
    type=click.IntRange(1),
    default=[100, 16],
    show_default=True,
    help="Sequences at a time; may be given more than once.",
)
@click.option(
    "--steps",
    "horizons",
    multiple=True,
    type=click.IntRange(1),
    default=[10, 100],
    show_default=True,
    help="Frames to forecast in inference; may be given more than once.",
)
@click.option(
    "--contestant",
    "names",
    multiple=True,
    type=click.Choice([*contestants()]),
    help="Against whom, beside `ours auto`; may be given more than once.  [default: all]",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Times that each is measured, in turns.",
)
@click.option(
    "--scaling/--no-scaling",
    default=True,
    show_default=True,
    help="Also measure the cost against sequence length, batch and units.",
)
@json_option
def command(**options: Any) -> None:
    """Measure training and inference beside PyTorch and stock Keras, step by step in turns.

    Every contestant computes the same function from the same weights, which is checked, and has a
    process of its own. A problem that --out holds already is not measured again. PyTorch takes
    part where it is installed.

    \b
    Example:
      videolstm-tools benchmark --units 256 --batch-size 16 --out speed
    """
    from keras_videolstm_tools.work.benchmark import run

    run(**options)
