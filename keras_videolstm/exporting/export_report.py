"""What an export wrote, and how it was checked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExportReport:
    """An exported file, and how far its numbers are from the model's.

    Attributes:
        path: the file or folder.
        what: part of the model.
        format: of the file.
        size: in bytes.
        difference: the largest, relative to the largest value of the model's own output.
        tolerance: what the difference may be.
        checked_steps: of a forecast, how many steps were compared, from the first: beyond them
            rounding alone makes the model's own forecast another. `None` of other parts.
        input_name, input_shape: what the file reads; `None` in a shape is any number.
        output_name, output_shape: what it gives.
        select_ops: TensorFlow's own operations that a `.tflite` file needs beside TensorFlow
            Lite's ("Select TF ops"); mostly none.

    Example:
        >>> report = export(load("composite_youtube"), "encoder.onnx", "encoder", "onnx")
        >>> report.output_shape, report.difference < report.tolerance
        ((None, 256), True)
    """

    path: str
    what: str
    format: str
    size: int
    difference: float
    tolerance: float
    checked_steps: int | None
    input_name: str
    input_shape: tuple[int | None, ...]
    output_name: str
    output_shape: tuple[int | None, ...]
    select_ops: tuple[str, ...] = ()
