"""A representation to frames."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_videolstm.layers.encoder import State
from keras_videolstm.layers.lstm_cell import PeepholeLSTMCell
from keras_videolstm.layers.unroll import run_over_time, unroll


@keras.saving.register_keras_serializable(package="keras_videolstm")
class ConditionalDecoder(keras.layers.Layer):
    """A stack of LSTMs that writes frames from a representation (paper, sections 2.2 to 2.4).

    It starts from the encoder's state, layer by layer, and takes its first step without a frame.
    One set of weights runs three ways:

    - unconditioned (`conditional=False`): no frame is ever fed;
    - teacher forcing: step t sees the true frame t-1; all input projections are one product;
    - feedback: step t sees its own frame t-1, and no gradient flows through it.

    Args:
        units: number of units of each layer, lowest first, as the encoder's.
        frame_shape: shape of a frame, such as `(1280,)` or `(64, 64, 1)`.
        steps: frames to write where a call does not say; default 1.
        conditional: whether frames are fed; default `False`.
        reverse_time: write the last frame first, and give the frames back in forward order: the
            paper's reconstruction; default `False`.
        activation: of the output: `"sigmoid"` (pixels in [0, 1]) or `"linear"`.
        dropout: rate between layers, never through time; default 0.
        peepholes: as in `PeepholeLSTMCell`; default `True`.
        cell_arguments: further arguments of `PeepholeLSTMCell` (initialisers); default none.

    Call arguments:
        state: `[(h, c), ...]` of the encoder, a pair a layer, each `(batch, units)`.
        truth: true frames `(batch, time, *frame_shape)`; needed for teacher forcing, else only
            their number counts.
        steps: number of frames to write; default: as many as `truth`, else `self.steps`.
        feedback: `True` for feedback, `False` for teacher forcing; default: the latter in
            training only.
        training: whether dropout acts.

    Output shape:
        Frames `(batch, steps, *frame_shape)`, float32.

    Raises:
        ValueError: if `frame_shape` or `activation` is wrong, or if teacher forcing lacks `truth`.

    Example:
        >>> decoder = ConditionalDecoder([8], frame_shape=(3,), conditional=True)
        >>> state = [(keras.ops.zeros((2, 8)), keras.ops.zeros((2, 8)))]
        >>> decoder(state, steps=100).shape
        TensorShape([2, 100, 3])
    """

    def __init__(
        self,
        units: int | Sequence[int],
        frame_shape: Sequence[int],
        steps: int = 1,
        conditional: bool = False,
        reverse_time: bool = False,
        activation: str = "sigmoid",
        dropout: float = 0.0,
        peepholes: bool = True,
        cell_arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.units = [units] if isinstance(units, int) else list(units)
        self.frame_shape = tuple(frame_shape)
        if not self.frame_shape or any(n is None or n < 1 for n in self.frame_shape):
            raise ValueError(
                f"Expected a frame shape such as (1280,) or (64, 64, 1). "
                f"Received: frame_shape={frame_shape}"
            )
        if activation not in ("sigmoid", "linear"):
            raise ValueError(
                f"Expected activation 'sigmoid' or 'linear'. Received: activation={activation!r}"
            )
        self.steps = steps
        self.conditional = conditional
        self.reverse_time = reverse_time
        self.activation = activation
        self.dropout = dropout
        self.peepholes = peepholes
        self.cell_arguments = dict(cell_arguments or {})
        self.feature_dim = math.prod(self.frame_shape)
        self.cells = [
            PeepholeLSTMCell(n, peepholes, dtype=self.dtype_policy, **self.cell_arguments)
            for n in self.units
        ]
        self.dropouts = [
            keras.layers.Dropout(dropout, dtype=self.dtype_policy) for _ in self.units[1:]
        ]
        self.head = keras.layers.Dense(self.feature_dim, dtype=self.cells[0].state_dtype)

    def build(self, *shapes: Any, **named_shapes: Any) -> None:
        """Make the weights; their shapes follow from the arguments alone."""
        features = self.feature_dim if self.conditional else 0
        for cell in self.cells:
            cell.build((None, features))
            features = cell.units
        self.head.build((None, features))
        self.built = True

    def call(
        self,
        state: State,
        truth: Any = None,
        steps: Any = None,
        feedback: bool | None = None,
        training: bool | None = None,
    ) -> Any:
        """Write frames; see the class."""
        if steps is None:
            steps = self.steps if truth is None else ops.shape(truth)[1]
        feedback = not training if feedback is None else feedback
        if not self.conditional:
            logits = self._run_unconditioned(state, steps, training)
        elif feedback:
            logits = self._run_on_own_frames(state, steps)
        else:
            logits = self._run_on_true_frames(state, truth, training)
        if self.reverse_time:
            logits = ops.flip(logits, axis=1)
        batch = ops.shape(state[0][0])[0]
        logits = ops.reshape(logits, (batch, steps, *self.frame_shape))
        return self._activated(logits)

    def _activated(self, logits: Any) -> Any:
        return ops.sigmoid(logits) if self.activation == "sigmoid" else logits

    def _run_unconditioned(self, state: State, steps: Any, training: bool | None) -> Any:
        return self._run_layers(None, state, steps, training)

    def _run_on_true_frames(self, state: State, truth: Any, training: bool | None) -> Any:
        if truth is None:
            raise ValueError("Expected the true frames for teacher forcing. Received: truth=None")
        batch, steps = ops.shape(truth)[:2]
        truth = ops.cast(ops.reshape(truth, (batch, steps, self.feature_dim)), self.head.dtype)
        if self.reverse_time:
            truth = ops.flip(truth, axis=1)
        no_frame = ops.zeros((batch, 1, self.feature_dim), truth.dtype)
        previous = ops.concatenate([no_frame, truth[:, :-1]], axis=1)
        return self._run_layers(previous, state, steps, training)

    def _run_layers(self, inputs: Any, state: State, steps: Any, training: bool | None) -> Any:
        sequence = inputs
        for layer, cell in enumerate(self.cells):
            if layer:
                sequence = self.dropouts[layer - 1](sequence, training=training)
            sequence, _ = unroll(cell, sequence, state[layer], steps=steps)
        return self.head(sequence)

    def _run_on_own_frames(self, state: State, steps: Any) -> Any:
        dtype = self.head.dtype
        flat = [ops.cast(part, dtype) for pair in state for part in pair]
        no_frame = ops.zeros((ops.shape(flat[0])[0], self.feature_dim), dtype)

        def step(carry: list[Any], at: dict[str, Any]) -> list[Any]:
            _, output, *flat = carry
            new_flat = []
            for layer, cell in enumerate(self.cells):
                pair = flat[2 * layer : 2 * layer + 2]
                output, new_pair = cell.step(cell.project(output), pair)
                new_flat.extend(new_pair)
            logits = self.head(output)
            return [logits, ops.stop_gradient(self._activated(logits)), *new_flat]

        return run_over_time(step, [no_frame, no_frame, *flat], {}, steps)[0]

    def compute_output_spec(
        self, state: State, truth: Any = None, steps: Any = None, **kwargs: Any
    ) -> Any:
        """Return symbolic frames, without running the loop."""
        if steps is None:
            steps = self.steps if truth is None else truth.shape[1]
        shape = (state[0][0].shape[0], steps, *self.frame_shape)
        return keras.KerasTensor(shape, dtype=self.head.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "frame_shape": list(self.frame_shape),
            "steps": self.steps,
            "conditional": self.conditional,
            "reverse_time": self.reverse_time,
            "activation": self.activation,
            "dropout": self.dropout,
            "peepholes": self.peepholes,
            "cell_arguments": self.cell_arguments,
        }
