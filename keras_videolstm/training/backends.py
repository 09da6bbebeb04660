"""What runs with Keras on TensorFlow alone."""

import keras

from keras_videolstm.errors import InputError


def refuse_other_backends() -> None:
    """Refuse to measure where Keras runs on another backend.

    Raises:
        InputError: if it does.

    Example:
        >>> refuse_other_backends()
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"Expected Keras on TensorFlow to measure a model (KERAS_BACKEND=tensorflow). "
            f"Received: {keras.backend.backend()!r}"
        )
