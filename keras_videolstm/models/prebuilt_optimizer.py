"""A model that is quicker to begin to train."""

from typing import Any

import keras


class PrebuiltOptimizer(keras.Model):
    """Makes the optimiser's state when it is compiled, not in the graph of the first step.

    TensorFlow traces a step that makes variables twice, and each of them through a condition: here
    more than half of the time before the first step. What is trainable counts when the model is
    compiled, as everywhere in Keras.

    Example:
        >>> model = VideoLSTM("composite", (3,), units=[8], activation="linear")
        >>> model.compile("adam", "mse")
        >>> model.optimizer.built
        True
    """

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Configure training; arguments as in `keras.Model.compile`."""
        super().compile(*args, **kwargs)
        self.optimizer.build(self.trainable_variables)
