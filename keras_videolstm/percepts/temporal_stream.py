"""A convnet that names actions from optical flow alone: where flow percepts come from."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.percepts.flow_percepts import FLOW_SIDE

# Further than this things are mostly mistaken for others, in pixels of 128.
_FURTHEST = 10.0


@keras.saving.register_keras_serializable(package="keras_videolstm")
class TemporalStream(keras.Model):
    """A temporal-stream convnet (Simonyan and Zisserman, NeurIPS 2014), as a functional model.

    From each flow its mean is taken, which is mostly the camera's own motion. The flows then are
    the channels of one image, which MobileNet (Howard et al., 2017) of half the width reads; a
    fully connected layer of rectified units and a softmax end it. What these units give is a flow
    percept (paper, section 3.1).

    Args:
        class_names: names of the classes that it learns, in the order of the outputs.
        stack: flows that it reads at a time; default 10, as in the paper, which has 1, too.
        features: rectified units; default 512.
        dropout: rate before the softmax; default 0.7.

    Call arguments:
        inputs: flows `(batch, stack, 8192)`, as of `OpticalFlowPercepts`.

    Output shape:
        A dict, float32: `"features"` `(batch, features)`, and `"action"` `(batch, classes)`, the
        probabilities.

    Raises:
        ValueError: on a stack or features below 1.

    Example:
        >>> stream = TemporalStream(["run", "walk"], stack=10)
        >>> stream.percepts(np.zeros((25, 8192), "float32")).shape
        (16, 512)
    """

    def __init__(
        self,
        class_names: Sequence[str],
        stack: int = 10,
        features: int = 512,
        dropout: float = 0.7,
        **kwargs: Any,
    ) -> None:
        if min(stack, features) < 1:
            raise ValueError(
                f"Expected a stack and features of at least 1. Received: {stack}, {features}"
            )
        flows = keras.Input((stack, FLOW_SIDE * FLOW_SIDE * 2), name="flows")
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of its channels
            network = keras.applications.MobileNet(
                (FLOW_SIDE, FLOW_SIDE, 2 * stack),
                alpha=0.5,
                include_top=False,
                weights=None,
                pooling="avg",
                name="mobilenet",
            )
        pooled = network(_as_image(flows, stack))
        units = layers.Dense(features, activation="relu", name="features")(pooled)
        softmax = layers.Dense(len(class_names), activation="softmax", name="action")
        action = softmax(layers.Dropout(dropout, name="dropout")(units))
        super().__init__(flows, {"features": units, "action": action}, **kwargs)
        self.class_names = list(class_names)
        self.stack = stack
        self.features = features
        self.dropout = dropout

    def percepts(self, flows: NDArray[Any]) -> NDArray[Any]:
        """Return the features of each stack of flows that follow one another.

        Args:
            flows: of a clip, `(time, 8192)`.

        Returns:
            `(time - stack + 1, features)`.

        Raises:
            InputError: on another shape, or less flows than a stack.
        """
        if flows.ndim != 2 or flows.shape[1] != self.input_shape[-1] or len(flows) < self.stack:
            raise InputError(
                f"Expected flows (time, {self.input_shape[-1]}), at least {self.stack} of them. "
                f"Received: {flows.shape}"
            )
        stacks = np.lib.stride_tricks.sliding_window_view(flows, self.stack, axis=0)
        stacks = np.ascontiguousarray(np.moveaxis(stacks, -1, 1))
        return np.asarray(self.predict_on_batch(stacks)["features"])

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "class_names": self.class_names,
            "stack": self.stack,
            "features": self.features,
            "dropout": self.dropout,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "TemporalStream":
        """Make the convnet from `get_config`'s result."""
        return cls(**config)


def _as_image(flows: KerasTensor, stack: int) -> KerasTensor:
    """Return flows as the channels of one image, without their means, from -1 to 1."""
    fields = ops.reshape(flows, (-1, stack, FLOW_SIDE, FLOW_SIDE, 2))
    fields = ops.clip(fields - ops.mean(fields, axis=(2, 3), keepdims=True), -_FURTHEST, _FURTHEST)
    image = ops.transpose(fields / _FURTHEST, (0, 2, 3, 1, 4))
    return ops.reshape(image, (-1, FLOW_SIDE, FLOW_SIDE, 2 * stack))
