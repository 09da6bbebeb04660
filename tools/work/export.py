"""What `videolstm-tools export` does."""

import dataclasses
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keras_videolstm.blocks import BLOCK_STEPS
from keras_videolstm.checkpoints import load, metadata_of
from keras_videolstm.exporting import ExportReport, export
from keras_videolstm_tools.results import Made

_MEGABYTE = 1e6
_STANDARD_ERROR = 2


def run(
    checkpoint: str,
    what: str,
    form: str,
    out: Path,
    steps: int | None,
    input_steps: int | None,
    batch_size: int | None,
) -> Made:
    """Run `export`."""
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
