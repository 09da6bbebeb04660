"""An ONNX file, for onnxruntime and its kin."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.exporting.refusals import refusals
from keras_videolstm.exporting.serving import Serving

_NAME = "ONNX"
# Old enough for every runtime of the last years.
_OPSET = 17
_FREE_AXES = ("batch", "time")
_ERRORS_ONLY = 3


class ONNXFormat:
    """Writes and runs `.onnx` files; needs the extra `onnx`.

    Raises:
        InputError: if the extra is missing.

    Example:
        >>> model = VideoLSTM("composite", (3,), units=[8], activation="linear")
        >>> ONNXFormat().write(serving_of(model, "encoder"), Path("encoder.onnx"))
        ()
        >>> ONNXFormat().runner(Path("encoder.onnx"))(np.zeros((2, 5, 3), "float32")).shape
        (2, 8)
    """

    def __init__(self) -> None:
        try:
            import onnxruntime
            import tf2onnx
        except ImportError as error:
            raise InputError(
                f"Expected tf2onnx and onnxruntime, which the extra `onnx` brings. "
                f"Received: {error}"
            ) from error
        logging.getLogger("tf2onnx").setLevel(logging.ERROR)
        self._convert = tf2onnx.convert.from_function
        self._runtime = onnxruntime

    def write(self, serving: Serving, path: Path) -> tuple[str, ...]:
        """Write a file; it needs nothing beside ONNX's own operations.

        Raises:
            InputError: if it cannot be converted.
        """
        function = serving.function
        with refusals(_NAME):
            proto, _ = self._convert(function, function.input_signature, opset=_OPSET)
            _name_free_axes(proto.graph)
            content = proto.SerializeToString()
        path.write_bytes(content)
        return ()

    def runner(self, path: Path) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return what runs the file.

        Raises:
            InputError: if it does not run.
        """
        options = self._runtime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        with refusals(_NAME):
            session = self._runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        (source,) = session.get_inputs()

        def run(frames: NDArray[Any]) -> NDArray[Any]:
            with refusals(_NAME):
                return session.run(None, {source.name: frames})[0]

        return run


def _name_free_axes(graph: Any) -> None:
    """Call the axes of any length `batch` and `time`; tf2onnx numbers them."""
    for value in (*graph.input, *graph.output):
        for name, axis in zip(_FREE_AXES, value.type.tensor_type.shape.dim, strict=False):
            if not axis.HasField("dim_value"):
                axis.dim_param = name
