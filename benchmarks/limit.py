"""What a plain large matrix product reaches on this machine."""

import tensorflow as tf

from keras_videolstm_benchmarks.problem import SIDE


class Limit:
    """A product of two 4096x4096 matrices.

    Args:
        precision: `"float32"` or `"bfloat16"`.
    """

    def __init__(self, precision: str) -> None:
        self.precision = precision
        matrices = [tf.cast(tf.random.normal((SIDE, SIDE)), precision) for _ in range(2)]
        self._product = tf.function(lambda: tf.matmul(*matrices)[0, 0])

    def train(self) -> float:
        """Multiply once."""
        return float(self._product())
