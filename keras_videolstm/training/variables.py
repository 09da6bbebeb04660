"""The variables that training needs beside the weights."""

from typing import Any

import keras
import tensorflow as tf


def make_variables(model: keras.Model, batches: tf.data.Dataset[Any]) -> None:
    """Make the variables of loss and optimiser before the first step.

    TensorFlow traces a step that makes variables twice, and replicas must not make any.

    Args:
        model: compiled.
        batches: `(inputs, targets)`; the loss of one sequence is computed.

    Example:
        >>> model.compile("adam", "mse")
        >>> make_variables(model, batches)
        >>> model.optimizer.built
        True
    """
    x, y = tf.nest.map_structure(lambda tensor: tensor[:1], next(iter(batches)))
    model.compute_loss(x, y, model(x, training=False), training=False)
    model.optimizer.build(model.trainable_variables)
    model.reset_metrics()
