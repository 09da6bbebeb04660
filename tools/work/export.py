"""`videolstm-tools export`."""

import dataclasses
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from keras_videolstm.blocks import BLOCK_STEPS
from keras_videolstm.checkpoints import load, metadata_of
from keras_videolstm.exporting import FORMATS, PARTS, ExportReport, export
from keras_videolstm_tools.results import Made, with_json

_MEGABYTE = 1e6
_STANDARD_ERROR = 2


@click.command(name="export")
@click.argument("checkpoint")
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
def command(
    checkpoint: str,
    what: str,
    form: str,
    out: Path,
    steps: int | None,
    input_steps: int | None,
    batch_size: int | None,
) -> Made:
    """Write a part of a checkpoint for TensorFlow, TensorFlow Lite or ONNX.

    The file is run, and held against the model; one that gives other numbers is not kept. It reads
    frames as the model does: pixels in [0, 1], or percepts as they come.

    \b
    Example:
      videolstm-tools export classifier --what classifier --format tflite --out actions.tflite
      videolstm-tools export composite_youtube --what encoder --format onnx --out encoder.onnx
    """
    model = load(checkpoint)
    if form == "tflite" and input_steps is None:
        metadata = metadata_of(checkpoint)
        input_steps = metadata.get("input_steps", BLOCK_STEPS)
    with _without_notices():
        report = export(
            model, out, what, form, steps=steps, input_steps=input_steps, batch=batch_size
        )
    return Made(dataclasses.asdict(report), _as_text(report))


@contextmanager
def _without_notices() -> Iterator[None]:
    """Keep what converters write past Python to standard error off the terminal."""
    sys.stderr.flush()
    kept = os.dup(_STANDARD_ERROR)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), _STANDARD_ERROR)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)


def _as_text(report: ExportReport) -> str:
    text = (
        f"{report.path}: {report.what}, {report.size / _MEGABYTE:.1f} MB\n"
        f"  reads {report.input_name} {_named(report.input_shape)}, "
        f"gives {report.output_name} {_named(report.output_shape)}\n"
        f"  largest difference from the model {report.difference:.2g} "
        f"(tolerance {report.tolerance:g})"
    )
    if report.checked_steps not in (None, report.output_shape[1]):
        text += (
            f",\n  in the first {report.checked_steps} steps: beyond them rounding alone makes "
            f"the model's own forecast another"
        )
    if report.select_ops:
        text += f"\n  needs Select TF ops beside TensorFlow Lite: {', '.join(report.select_ops)}"
    return text


def _named(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
