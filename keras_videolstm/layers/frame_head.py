"""From a decoder's top layer to a frame."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="keras_videolstm")
class FrameHead(keras.layers.Dense):
    """A dense layer that gives float32, whose gradient may run in low precision.

    What leaves the model is as exact as ever. The gradient's two products, twice the work, take
    values that low precision has touched already, and on TensorFlow they run in it too.

    Args:
        units: features of a frame.
        gradient_dtype: dtype of the gradient's products; default `"float32"`.

    Call arguments:
        inputs: `(batch, time, features)` or `(batch, features)`.

    Output shape:
        `(..., units)`.

    Example:
        >>> FrameHead(4, gradient_dtype="bfloat16")(keras.ops.ones((1, 2, 3))).shape
        TensorShape([1, 2, 4])
    """

    def __init__(self, units: int, gradient_dtype: str = "float32", **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.gradient_dtype = gradient_dtype

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Make frames; see the class."""
        if self.gradient_dtype == self.compute_dtype or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training)
        outputs = _product_in_tensorflow(inputs, self.kernel, self.gradient_dtype)
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {**super().get_config(), "gradient_dtype": self.gradient_dtype}


def _product_in_tensorflow(inputs: Any, kernel: Any, gradient_dtype: str) -> Any:
    import tensorflow as tf

    kernel = tf.convert_to_tensor(kernel)

    @tf.custom_gradient
    def product(rows: tf.Tensor, kernel: tf.Tensor) -> Any:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            low_rows, low_kernel, low_upstream = (
                tf.cast(tensor, gradient_dtype) for tensor in (rows, kernel, upstream)
            )
            to_rows = tf.matmul(low_upstream, low_kernel, transpose_b=True)
            to_kernel = tf.matmul(low_rows, low_upstream, transpose_a=True)
            return tf.cast(to_rows, rows.dtype), tf.cast(to_kernel, kernel.dtype)

        return tf.matmul(rows, kernel), gradient

    known = (*inputs.shape[:-1], kernel.shape[1])
    shape = tf.concat([tf.shape(inputs)[:-1], [kernel.shape[1]]], axis=0)
    rows = tf.reshape(inputs, (-1, kernel.shape[0]))
    return tf.ensure_shape(tf.reshape(product(rows, kernel), shape), known)
