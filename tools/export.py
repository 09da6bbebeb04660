"""`videolstm-tools export`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.choices import FORMATS, PARTS
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import checkpoint_argument


@click.command(name="export")
@checkpoint_argument
@click.option("--what", required=True, type=click.Choice(PARTS), help="Part of the model.")
@click.option("--format", "form", required=True, type=click.Choice(FORMATS), help="Of the file.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="New file; with savedmodel a new folder.",
)
@click.option("--steps", type=click.IntRange(1), help="Frames to forecast.  [default: as trained]")
@click.option(
    "--input-steps",
    type=click.IntRange(1),
    help="Frames of each clip.  [default: any number; with tflite as trained]",
)
@click.option(
    "--batch-size", type=click.IntRange(1), help="Clips at a time.  [default: any; with tflite 1]"
)
@with_json
def command(**options: Any) -> Made:
    """Write a part of a checkpoint for TensorFlow, TensorFlow Lite or ONNX.

    The file is run, and held against the model; one that gives other numbers is not kept. It reads
    frames as the model does: pixels in [0, 1], or percepts as they come.

    \b
    Example:
      videolstm-tools export classifier --what classifier --format tflite --out actions.tflite
      videolstm-tools export composite_youtube --what encoder --format onnx --out encoder.onnx
    """
    from keras_videolstm_tools.work.export import run

    return run(**options)
