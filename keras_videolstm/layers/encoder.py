"""Frames to a representation."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_videolstm.layers.cell_stack import build_cells, freeze_like, make_cells
from keras_videolstm.layers.convolution import Convolution
from keras_videolstm.layers.frame_inputs import FrameInputs
from keras_videolstm.layers.frame_layout import FrameLayout
from keras_videolstm.layers.frozen_parts import freeze_among, frozen_among, numbered
from keras_videolstm.layers.unroll import unroll

# (h, c) of each layer; where they are told what moves, also (frame,), the last one read, or
# (frame, tracks).
State = list[tuple[Any, ...]]


class _Carried:
    """Variables of a stateful encoder, kept where Keras does not count them as weights."""

    def __init__(self) -> None:
        self.variables: list[tuple[keras.Variable, ...]] = []


@keras.saving.register_keras_serializable(package="keras_videolstm")
class VideoEncoder(keras.layers.Layer):
    """A stack of LSTMs that reads frames into a representation (paper, section 2.2).

    Args:
        units: number of units of each layer, lowest first; an integer means one layer.
        dropout: rate between layers, never through time; default 0.
        peepholes: as in `PeepholeLSTMCell`; default `True`.
        stateful: carry the state from one call to the next, so that a long video may come in
            chunks; needs a fixed batch size; default `False`.
        cell_arguments: further arguments of `PeepholeLSTMCell` (initialisers); default none.
        convolution: a `Convolution`, or its fields as a dict, to run over feature maps; default
            `None`, fully connected.

    Call arguments:
        frames: `(batch, time, features)` or `(batch, time, height, width, channels)`, which fully
            connected layers flatten.
        initial_state: `[(h, c), ...]`, a pair a layer, each `(batch, units)`, or with a
            convolution `(batch, height, width, units)`, and with a `max_displacement` one more
            entry `(frame,)`, the frame before, or `(frame, tracks)`; default zeros, or in a
            stateful encoder the carried state.
        mask: `(batch, time)` booleans; at a `False` step nothing changes.
        training: whether dropout acts.

    Output shape:
        The top layer's h at each step `(batch, time, units[-1])`, with a convolution
        `(batch, time, height, width, units[-1])`, and the final state, as `initial_state`.

    Raises:
        ValueError: if there is no layer, `stateful` without a fixed batch size, or for frames of
            another shape than those of the first call, or an `initial_state` of another length.

    Example:
        >>> encoder = VideoEncoder([16, 8])
        >>> sequence, state = encoder(keras.random.normal((2, 5, 3)))
        >>> sequence.shape, [h.shape for h, c in state]
        (TensorShape([2, 5, 8]), [TensorShape([2, 16]), TensorShape([2, 8])])
    """

    def __init__(
        self,
        units: int | Sequence[int],
        dropout: float = 0.0,
        peepholes: bool = True,
        stateful: bool = False,
        cell_arguments: dict[str, Any] | None = None,
        convolution: Convolution | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        self.units = [units] if isinstance(units, int) else list(units)
        if not self.units:
            raise ValueError(f"Expected at least one layer. Received: units={units}")
        self.dropout = dropout
        self.peepholes = peepholes
        self.stateful = stateful
        self.cell_arguments = dict(cell_arguments or {})
        self.convolution = Convolution.of(convolution)
        self.supports_masking = True
        self._layout: FrameLayout | None = None
        self.cells = make_cells(
            self.units, peepholes, self.convolution, self.dtype_policy, self.cell_arguments
        )
        self.dropouts = [
            keras.layers.Dropout(dropout, dtype=self.dtype_policy) for _ in self.units[1:]
        ]
        self._carried = _Carried()

    def build(self, frames_shape: tuple[int | None, ...]) -> None:
        """Make the weights for frames `(batch, time, ...)`."""
        self._layout = FrameLayout(frames_shape[2:], self.convolution, len(self.units))
        self._inputs = FrameInputs(self._layout)
        build_cells(self.cells, self._inputs.shape)
        freeze_like(self, self.cells)
        if self.stateful:
            self._make_carried(frames_shape[0])
        self.built = True

    @property
    def variables(self) -> list[keras.Variable]:
        """All that a call may change: the weights, and the carried state, which is none of them.

        What a compiled call changes, Keras keeps on JAX only if it is named here.
        """
        return [*super().variables, *(v for parts in self._carried.variables for v in parts)]

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """The layers inside that have weights, by name."""
        return numbered("cells", self.cells)

    @property
    def state_shapes(self) -> list[tuple[tuple[int, ...], ...]]:
        """Shapes of the state for one clip; the encoder must be built."""
        return self._state_shapes(self._layout)

    def _state_shapes(self, layout: FrameLayout) -> list[tuple[tuple[int, ...], ...]]:
        pairs = [(layout.state_shape(layer, n),) * 2 for layer, n in enumerate(self.units)]
        carried = FrameInputs(layout).carried_shapes
        return [*pairs, carried] if carried else pairs

    @property
    def _state_dtype(self) -> str:
        return self.cells[0].state_dtype

    def _make_carried(self, batch_size: int | None) -> None:
        if batch_size is None:
            raise ValueError(
                "Expected a fixed batch size in a stateful encoder (batch_size= of keras.Input). "
                "Received: batch_size=None"
            )
        self._carried.variables = [
            tuple(
                keras.Variable(
                    ops.zeros((batch_size, *shape)), dtype=self._state_dtype, trainable=False
                )
                for shape in shapes
            )
            for shapes in self.state_shapes
        ]

    def reset_state(self) -> None:
        """Set the carried state of a stateful encoder to zero."""
        for variables in self._carried.variables:
            for variable in variables:
                variable.assign(ops.zeros_like(variable))

    def call(
        self,
        frames: Any,
        initial_state: State | None = None,
        mask: Any = None,
        training: bool | None = None,
        frames_mask: Any = None,
    ) -> tuple[Any, State]:
        """Read frames; see the class. `frames_mask` is the mask that frames bring along.

        By the one name Keras hands that over where there is a state, by the other where there is
        none.
        """
        mask = frames_mask if mask is None else mask
        if initial_state is not None:
            self._layout.check_state(initial_state)
        elif self.stateful:
            initial_state = [tuple(v.value for v in parts) for parts in self._carried.variables]
        sequence, carried = self._read(frames, initial_state, mask)
        state: State = []
        for layer, cell in enumerate(self.cells):
            if layer:
                sequence = self.dropouts[layer - 1](sequence, training=training)
            start = initial_state[layer] if initial_state is not None else None
            sequence, final = unroll(cell, sequence, start, mask=mask)
            state.append(tuple(final))
        if carried:
            state.append(carried)
        if self.stateful:
            self._carry(state)
        return sequence, state

    def _read(
        self, frames: Any, initial_state: State | None, mask: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return the lowest layer's inputs, and what is carried on beside the layers' states."""
        arranged = self._layout.arrange(frames)
        if not self._layout.moves:
            return arranged, ()
        arranged = ops.cast(arranged, self._state_dtype)
        if initial_state is None:
            batch = ops.shape(arranged)[0]
            shapes = self._inputs.carried_shapes
            carried = tuple(ops.zeros((batch, *shape), self._state_dtype) for shape in shapes)
        else:
            carried = tuple(ops.cast(part, self._state_dtype) for part in initial_state[-1])
        return self._inputs.over_time(arranged, carried, mask)

    def _carry(self, state: State) -> None:
        for variables, values in zip(self._carried.variables, state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Hand the frames' mask on to the sequence; the state has none."""
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        if mask is None:
            return None
        return (mask, [(None,) * len(shapes) for shapes in self.state_shapes])

    def compute_output_spec(self, frames: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Return symbolic outputs, without running the loop."""
        batch, time = frames.shape[:2]
        dtype = self._state_dtype
        layout = FrameLayout(frames.shape[2:], self.convolution, len(self.units))
        top = layout.state_shape(len(self.units) - 1, self.units[-1])
        sequence = keras.KerasTensor((batch, time, *top), dtype=dtype)
        state = [
            tuple(keras.KerasTensor((batch, *shape), dtype=dtype) for shape in shapes)
            for shapes in self._state_shapes(layout)
        ]
        return sequence, state

    def get_config(self) -> dict[str, Any]:
        """Return all arguments, and which cells of a layer that learns are frozen."""
        frozen = frozen_among(self.parts) if self.trainable else []
        return {
            **super().get_config(),
            "units": self.units,
            "dropout": self.dropout,
            "peepholes": self.peepholes,
            "stateful": self.stateful,
            "cell_arguments": self.cell_arguments,
            "convolution": self.convolution and self.convolution.to_config(),
            **({"frozen": frozen} if frozen else {}),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "VideoEncoder":
        """Make the layer from `get_config`'s result."""
        config = dict(config)
        frozen = config.pop("frozen", ())
        layer = super().from_config(config)
        freeze_among(layer.parts, frozen)
        return layer
