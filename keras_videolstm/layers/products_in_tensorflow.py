"""The products of an LSTM's forward and backward pass on TensorFlow: dense ones, convolutions."""

from abc import ABC, abstractmethod
from typing import Any

import tensorflow as tf

from keras_videolstm.layers.conv_lstm_equations import ConvLSTMEquations
from keras_videolstm.layers.lstm_equations import LSTMEquations
from keras_videolstm.layers.over_time import swap


class Products(ABC):
    """What the recurrence multiplies with its recurrent kernel, forwards and backwards.

    Args:
        kernel: recurrent kernel, in the dtype of products.
    """

    def __init__(self, kernel: tf.Tensor) -> None:
        self.kernel = kernel

    @abstractmethod
    def gates(self, hidden: tf.Tensor, bias: tf.Tensor, projected: tf.Tensor | None) -> tf.Tensor:
        """Return the unsquashed gates `(batch, ..., 4 * units)` of h `(batch, ..., units)`.

        Args:
            hidden: in the dtype of products.
            bias: in the dtype of the state.
            projected: the inputs' part, in the dtype of products, or `None`.
        """

    @abstractmethod
    def transposed(self, to_gates: tf.Tensor) -> tf.Tensor:
        """Return the gradient of h from that of the gates."""

    @abstractmethod
    def kernel_gradient(self, hidden: tf.Tensor, to_gates: tf.Tensor) -> tf.Tensor:
        """Return the kernel's gradient, summed over all times `(time, batch, ...)`."""


class DenseProducts(Products):
    """Matrix products, of fully connected layers."""

    def __init__(self, kernel: tf.Tensor) -> None:
        super().__init__(kernel)
        # On a CPU a product of few float32 rows with a kernel that is transposed on the way takes
        # two to four times as long; one of bfloat16 rows is the quicker for it.
        self._transpose_late = kernel.dtype.size < tf.float32.size
        if not self._transpose_late:
            # The detour by three axes keeps TensorFlow from merging the two again.
            self._wide = tf.transpose(kernel[None], (0, 2, 1))[0]

    def gates(self, hidden: tf.Tensor, bias: tf.Tensor, projected: tf.Tensor | None) -> tf.Tensor:
        """See `Products`."""
        gates = tf.cast(tf.matmul(hidden, self.kernel), bias.dtype) + bias
        return gates if projected is None else gates + tf.cast(projected, bias.dtype)

    def transposed(self, to_gates: tf.Tensor) -> tf.Tensor:
        """See `Products`."""
        if self._transpose_late:
            return tf.matmul(to_gates, self.kernel, transpose_b=True)
        return tf.matmul(to_gates, self._wide)

    def kernel_gradient(self, hidden: tf.Tensor, to_gates: tf.Tensor) -> tf.Tensor:
        """See `Products`."""
        rows, upstream = (tf.reshape(t, (-1, t.shape[-1])) for t in (hidden, to_gates))
        return tf.matmul(rows, upstream, transpose_a=True)


class ConvProducts(Products):
    """Convolutions with stride 1, zeros around the maps."""

    def gates(self, hidden: tf.Tensor, bias: tf.Tensor, projected: tf.Tensor | None) -> tf.Tensor:
        """See `Products`; the sum, too, is rounded to the dtype of products."""
        # In this form TensorFlow makes one operation of it on a CPU, which takes no longer than
        # the convolution alone.
        convolved = tf.nn.conv2d(hidden, self.kernel, 1, "SAME")
        gates = tf.nn.bias_add(convolved, tf.cast(bias, hidden.dtype))
        return tf.cast(gates if projected is None else gates + projected, bias.dtype)

    def transposed(self, to_gates: tf.Tensor) -> tf.Tensor:
        """See `Products`."""
        shape = tf.concat([tf.shape(to_gates)[:-1], [self.kernel.shape[2]]], axis=0)
        return tf.nn.conv2d_transpose(to_gates, self.kernel, shape, 1, "SAME")

    def kernel_gradient(self, hidden: tf.Tensor, to_gates: tf.Tensor) -> tf.Tensor:
        """See `Products`."""
        maps, upstream = (_merged(t) for t in (hidden, to_gates))
        return tf.raw_ops.Conv2DBackpropFilter(
            input=maps,
            filter_sizes=self.kernel.shape,
            out_backprop=upstream,
            strides=[1, 1, 1, 1],
            padding="SAME",
        )


def products_of(equations: LSTMEquations) -> type[Products]:
    """Return the kind of products that equations have."""
    return ConvProducts if isinstance(equations, ConvLSTMEquations) else DenseProducts


def projected(inputs: tf.Tensor, equations: LSTMEquations) -> tf.Tensor:
    """Return the input part of all gates `(time, batch, ..., 4 * units)`, one product.

    Args:
        inputs: `(batch, time, ..., features)`.
        equations: of the cell; the bias is left out.
    """
    kernel = equations.kernel
    # The inputs are the smallest tensor that can be transposed, and steps that lie one after
    # another need no copies later.
    inputs = swap(tf.cast(inputs, kernel.dtype))
    merged = _merged(inputs)
    if isinstance(equations, ConvLSTMEquations):
        gates = tf.nn.conv2d(merged, kernel, equations.stride, "SAME")
    else:
        gates = tf.matmul(merged, kernel)
    shape = tf.concat([tf.shape(inputs)[:2], tf.shape(gates)[1:]], axis=0)
    return tf.ensure_shape(tf.reshape(gates, shape), (*inputs.shape[:2], *gates.shape[1:]))


def _merged(tensor: tf.Tensor) -> tf.Tensor:
    """Return a tensor `(time, batch, ...)` as `(time * batch, ...)`."""
    shape: Any = tf.concat([[-1], tf.shape(tensor)[2:]], axis=0)
    return tf.ensure_shape(tf.reshape(tensor, shape), (None, *tensor.shape[2:]))
