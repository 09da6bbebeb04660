"""A network run by TensorFlow Lite, whose kernels are made for CPUs."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.percepts.usable_cores import usable_cores

_STDERR = 2


class LiteNetwork:
    """A Keras model of one input and one output, of which each CPU core runs one example at a time.

    So what a layer says of an image stays in a core's cache, and all cores are busy, however many
    there are. Of a convolutional network that is over twice as fast as the model itself; what comes
    out is the same but for rounding, and does not depend on what else is in the batch.

    Args:
        model: a model on Keras' TensorFlow backend; its weights are copied.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> LiteNetwork(model)(np.zeros((5, 2))).shape
        (5, 3)
    """

    def __init__(self, model: keras.Model) -> None:
        self._input_shape, self._output_shape = model.input_shape[1:], model.output_shape[1:]
        self._of_thread = threading.local()
        with _no_notices():
            self._content = _converted(model)
            self._interpreter()
        self._cores = ThreadPoolExecutor(usable_cores())

    def __call__(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Map a batch `(batch, *input_shape)` of any numbers to `(batch, *output_shape)` float32.

        Raises:
            InputError: if the batch has another shape.
        """
        if batch.shape[1:] != self._input_shape:
            expected = ("batch", *self._input_shape)
            raise InputError(
                f"Expected examples ({', '.join(map(str, expected))}). Received: {batch.shape}"
            )
        outputs = list(self._cores.map(self._run, batch))
        return np.array(outputs, "float32").reshape(len(batch), *self._output_shape)

    @staticmethod
    def is_best() -> bool:
        """Return whether it is there and of use: Keras is on TensorFlow, and there is no GPU."""
        return (
            keras.backend.backend() == "tensorflow"
            and not tf.config.list_physical_devices("GPU")
            and hasattr(tf, "lite")
        )

    def _run(self, example: NDArray[Any]) -> NDArray[Any]:
        interpreter = self._interpreter()
        (read,), (written,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.set_tensor(read["index"], example[None].astype("float32"))
        interpreter.invoke()
        return interpreter.get_tensor(written["index"])

    def _interpreter(self) -> Any:
        """Return the thread's own: an interpreter has room for one example at a time."""
        if not hasattr(self._of_thread, "interpreter"):
            interpreter = tf.lite.Interpreter(model_content=self._content, num_threads=1)
            interpreter.allocate_tensors()
            self._of_thread.interpreter = interpreter
        return self._of_thread.interpreter


def _converted(model: keras.Model) -> bytes:
    """Return the model in Lite's format, for one example."""
    # As constants: variables of depthwise convolutions end the converter, and Python with it.
    states = model.trainable_variables, model.non_trainable_variables
    constants = [[tf.constant(variable.numpy()) for variable in part] for part in states]

    def call(example: tf.Tensor) -> tf.Tensor:
        return model.stateless_call(*constants, example, training=False)[0]

    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    function = tf.function(call).get_concrete_function(signature)
    # Without variables: the converter would save a whole model first, which takes seconds.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    return bytes(converter.convert())


@contextmanager
def _no_notices() -> Iterator[None]:
    """Keep off the terminal what Lite's C++ says of its work; errors are raised all the same."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # closed, as a daemon's is
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(nothing)
        os.close(kept)
