"""Write a part of a model for another runtime, and hold the file's numbers against the model's."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

from keras_videolstm.choices import FORMATS
from keras_videolstm.errors import InputError
from keras_videolstm.exporting.comparison import compare
from keras_videolstm.exporting.export_report import ExportReport
from keras_videolstm.exporting.onnx_file import ONNXFormat
from keras_videolstm.exporting.saved_model import SavedModelFormat
from keras_videolstm.exporting.serving import INPUT, Clips, serving_of
from keras_videolstm.exporting.tflite import TFLiteFormat

_WRITERS = dict(zip(FORMATS, (SavedModelFormat, TFLiteFormat, ONNXFormat), strict=True))
# Of the largest value; other runtimes differ by rounding alone.
TOLERANCE = 1e-3


def export(
    model: keras.Model,
    path: str | os.PathLike[str],
    what: str,
    format: str,
    *,
    steps: int | None = None,
    input_steps: int | None = None,
    batch: int | None = None,
) -> ExportReport:
    """Write a part of a model as a file for another runtime, and check the file.

    The file reads `frames`, float32 `(batch, time, *frame_shape)`, pixels in [0, 1]; frames are
    standardised, and forecasts are turned back, inside. It is run, its numbers are held against
    the model's, and it appears under its name only if they are the same.

    Args:
        model: a `VideoLSTM` or an `ActionClassifier`.
        path: the new file; with `"savedmodel"` a new folder.
        what: `"encoder"` gives `features` `(batch, units[-1])`, of a convolution
            `(batch, height, width, maps)`, as `encode`; `"forecaster"` gives `prediction`
            `(batch, steps, *frame_shape)`, as `forecast`; `"classifier"` gives
            `action` `(batch, classes)`, as `classify_blocks` for each block.
        format: `"savedmodel"`, `"tflite"` or `"onnx"`.
        steps: frames to forecast; default: as trained.
        input_steps: frames of each clip; default: any number, but `"tflite"` needs one.
        batch: number of clips; default: any, with `"tflite"` one.

    Returns:
        What was written, and the largest difference from the model.

    Raises:
        InputError: if the model has no such part, the format cannot take it, `path` exists, or a
            number is not the model's.

    Example:
        >>> model = VideoLSTM("composite", (3,), units=[8], activation="linear")
        >>> report = export(model, "forecaster", "forecaster", "savedmodel", steps=5)
        >>> forecaster = tf.saved_model.load("forecaster")
        >>> forecaster.serve(np.zeros((2, 9, 3), "float32"))["prediction"].shape
        TensorShape([2, 5, 3])
    """
    path = Path(path)
    clips = _checked_clips(model, path, format, batch, input_steps)
    # TensorFlow Lite runs what a motion head does in a loop alone.
    serving = serving_of(model, what, clips, steps, loop=format == "tflite")
    writer = _WRITERS[format]()
    with _moved_when_good(path) as aside:
        select_ops = writer.write(serving, aside)
        compared = compare(serving, writer.runner(aside), TOLERANCE)
        if not compared.difference <= TOLERANCE:
            raise InputError(
                f"Expected the exported numbers within {TOLERANCE:g} of the model's. "
                f"Received: a difference of {compared.difference:.2g}"
            )
        size = sum(file.stat().st_size for file in (aside, *aside.rglob("*")) if file.is_file())
    return ExportReport(
        path=str(path),
        what=what,
        format=format,
        size=size,
        difference=compared.difference,
        tolerance=TOLERANCE,
        checked_steps=compared.checked_steps,
        input_name=INPUT,
        input_shape=serving.input_shape,
        output_name=serving.output,
        output_shape=serving.output_shape,
        select_ops=select_ops,
    )


def _checked_clips(
    model: keras.Model, path: Path, format: str, batch: int | None, input_steps: int | None
) -> Clips:
    """Check what costs nothing to check; return how many clips of how many frames are read."""
    if format not in FORMATS:
        raise InputError(f"Expected one of {', '.join(FORMATS)}. Received: {format!r}")
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Expected Keras on TensorFlow to export. Received: {keras.backend.backend()!r}"
        )
    for name, number in (("batch", batch), ("input_steps", input_steps)):
        if number is not None and (type(number) is not int or number < 1):
            raise InputError(f"Expected a positive number. Received: {name}={number!r}")
    if path.exists() or path.is_symlink():
        raise InputError(f"Expected a new path to write. Received: {path}, which exists")
    if format != "savedmodel" and _precision(model) != "float32":
        raise InputError(
            f"Expected a float32 model with {format}; savedmodel takes any. "
            f"Received: {_precision(model)}"
        )
    if format == "tflite":
        if input_steps is None:
            raise InputError(
                "Expected a number of frames with tflite, whose files read clips of one length. "
                "Received: input_steps=None"
            )
        batch = batch or 1
    return batch, input_steps


def _precision(model: keras.Model) -> str:
    encoder = getattr(model, "encoder", None)
    return "float32" if encoder is None else encoder.dtype_policy.name


@contextmanager
def _moved_when_good(path: Path) -> Iterator[Path]:
    """Yield a path aside for a file or folder that is moved to `path` if the block succeeds."""
    known = next(parent for parent in path.absolute().parents if parent.exists())
    with tempfile.TemporaryDirectory(dir=known, prefix=".") as folder:
        aside = Path(folder) / path.name
        yield aside
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.rename(path)
