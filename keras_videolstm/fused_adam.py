"""Adam with one pass over each weight."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="keras_videolstm")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, whose update of a weight is one operation on TensorFlow.

    Keras writes the update as a dozen operations, each of which reads and writes memory as large
    as the weights. The equations, the arguments and the saved state are the same; on other
    backends, and with `amsgrad` or `gradient_accumulation_steps`, it is Keras' own.

    On several devices `global_clipnorm` clips the joint gradient, as one device would; Keras'
    optimisers clip each device's part.

    Args:
        kwargs: as `keras.optimizers.Adam` takes.

    Example:
        >>> model.compile(FusedAdam(1e-3, global_clipnorm=1.0), loss)
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update a variable and its two moments; `gradient` has the variable's shape."""
        if self._goes_by_keras():
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        dtype = variable.dtype
        index = self._get_variable_index(variable)
        momentum, velocity = self._momentums[index].value, self._velocities[index].value
        count = tf.cast(self.iterations.value + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, dtype), count),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), count),
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.cast(self.beta_1, dtype),
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )

    def _goes_by_keras(self) -> bool:
        # Where gradients are accumulated, Keras updates inside a branch of the graph.
        own = self.amsgrad or self.gradient_accumulation_steps
        return bool(own) or keras.backend.backend() != "tensorflow"

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        if keras.backend.backend() != "tensorflow" or not self.global_clipnorm:
            return super()._clip_gradients(grads)
        import tensorflow as tf

        if _replicas() > 1:
            grads = tf.distribute.get_replica_context().all_reduce("SUM", grads)
        # Keras' way writes every square to memory.
        return tf.clip_by_global_norm(grads, self.global_clipnorm)[0]

    def _all_reduce_sum_gradients(self, grads_and_vars: list[tuple[Any, Any]]) -> Any:
        if self.global_clipnorm and _replicas() > 1:
            return grads_and_vars  # they are sums already
        return super()._all_reduce_sum_gradients(grads_and_vars)


def _replicas() -> int:
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync
