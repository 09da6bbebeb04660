"""A TensorFlow Lite (LiteRT) file, for telephones and small machines."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.exporting.refusals import refusals
from keras_videolstm.exporting.saved_model import SavedModelFormat
from keras_videolstm.exporting.serving import INPUT, Serving

_NAME = "TensorFlow Lite"


class TFLiteFormat:
    """Writes and runs `.tflite` files, of one number of clips and of frames; one signature.

    Example:
        >>> model = VideoLSTM("composite", (3,), units=[8], activation="linear")
        >>> serving = serving_of(model, "encoder", clips=(1, 5))
        >>> TFLiteFormat().write(serving, Path("encoder.tflite"))
        ()
        >>> TFLiteFormat().runner(Path("encoder.tflite"))(np.zeros((1, 5, 3), "float32")).shape
        (1, 8)
    """

    def write(self, serving: Serving, path: Path) -> tuple[str, ...]:
        """Write a file; return the operations of TensorFlow that it needs beside Lite's own.

        Raises:
            InputError: if it cannot be converted.
        """
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            SavedModelFormat().write(serving, Path(folder))
            with refusals(_NAME):
                converter = tf.lite.TFLiteConverter.from_saved_model(folder)
                # Lite's own operations take five axes at most, and a motion head has eight.
                converter.target_spec.supported_ops = [
                    tf.lite.OpsSet.TFLITE_BUILTINS,
                    tf.lite.OpsSet.SELECT_TF_OPS,
                ]
                content = converter.convert()
        path.write_bytes(content)
        names = set(re.findall(rb"\bFlex([A-Z][A-Za-z0-9]{2,})\0", content))
        return tuple(sorted(name.decode() for name in names))

    def runner(self, path: Path) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return what runs the file.

        Raises:
            InputError: if it does not run.
        """
        with refusals(_NAME):
            signature = tf.lite.Interpreter(model_path=str(path)).get_signature_runner()

        def run(frames: NDArray[Any]) -> NDArray[Any]:
            with refusals(_NAME):
                (output,) = signature(**{INPUT: frames}).values()
            return np.array(output)

        return run
