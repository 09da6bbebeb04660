"""A SavedModel: a folder that TensorFlow, TensorFlow Serving and their kin load."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.exporting.serving import Serving


class SavedModelFormat:
    """Writes and runs SavedModels; `serve` is the function and the signature `serving_default`.

    Example:
        >>> serving = serving_of(VideoLSTM("composite", (3,), units=[8]), "encoder")
        >>> SavedModelFormat().write(serving, Path("encoder"))
        ()
        >>> SavedModelFormat().runner(Path("encoder"))(np.zeros((2, 5, 3), "float32")).shape
        (2, 8)
    """

    def write(self, serving: Serving, path: Path) -> tuple[str, ...]:
        """Write a folder; it needs nothing beside TensorFlow.

        Raises:
            OSError: if it cannot be written, such as on a full disk.
        """
        module = tf.Module()
        # `keras.export.ExportArchive` would write every weight twice.
        module.weights = [weight.value for layer in serving.layers for weight in layer.weights]
        module.serve = serving.function
        try:
            tf.saved_model.save(module, str(path), signatures=module.serve)
        except (tf.errors.ResourceExhaustedError, tf.errors.PermissionDeniedError) as error:
            reason = error.message or "the disk is full"
            raise OSError(f"the SavedModel {path} cannot be written: {reason}") from error
        return ()

    def runner(self, path: Path) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return what runs the folder."""
        loaded = tf.saved_model.load(str(path))

        def run(frames: NDArray[Any]) -> NDArray[Any]:
            (output,) = loaded.serve(frames).values()
            return output.numpy()

        return run
