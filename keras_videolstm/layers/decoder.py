"""A representation to frames."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_videolstm.layers.cell_stack import build_cells, freeze_like, make_cells
from keras_videolstm.layers.convolution import Convolution
from keras_videolstm.layers.encoder import State
from keras_videolstm.layers.frame_head import FrameHead
from keras_videolstm.layers.frame_inputs import FrameInputs, frames_before
from keras_videolstm.layers.frame_layout import FrameLayout
from keras_videolstm.layers.frame_traces import FrameTraces
from keras_videolstm.layers.frozen_parts import freeze_among, frozen_among, numbered, present
from keras_videolstm.layers.joint_step import JointStep
from keras_videolstm.layers.motion_head import MotionHead
from keras_videolstm.layers.over_time import (
    batch_first,
    check_some_steps,
    run_over_time,
    step_by_step,
)
from keras_videolstm.layers.unroll import unroll


class _Sampling:
    """The rate of scheduled sampling, kept where Keras does not count it as a weight."""

    def __init__(self) -> None:
        self.rate: keras.Variable | None = None


@keras.saving.register_keras_serializable(package="keras_videolstm")
class ConditionalDecoder(keras.layers.Layer):
    """A stack of LSTMs that writes frames from a representation (paper, sections 2.2 to 2.4).

    It starts from the encoder's state, layer by layer, and takes its first step without a frame.
    (Where frames are fed and the convolution has a `max_displacement`, a step moves the frame
    before as well, the first step the last one that the encoder read, but in reverse.)
    One set of weights runs three ways:

    - unconditioned (`conditional=False`): no frame is ever fed;
    - teacher forcing: step t sees the true frame t-1; all input projections are one product;
    - feedback: step t sees its own frame t-1, and no gradient flows through it.

    Scheduled sampling (Bengio et al., 2015) lies between the last two: in training each step of
    each sequence sees its own frame with the probability of `set_sampling_rate`, else the true one.

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
        convolution: a `Convolution`, or its fields as a dict, to run over feature maps; the
            frame is then read off every layer. Default `None`: fully connected, read off the top.
        traces: number of `FrameTraces` behind the encoder's state: each frame is their sum,
            weighted by what the top layer says at that step, and what is read off. Default 0.

    Call arguments:
        state: the encoder's, `[(h, c), ...]`, a pair a layer, each `(batch, units)`, or with a
            convolution `(batch, height, width, units)`, and with a `max_displacement` one more
            entry `(frame,)` or `(frame, tracks)`, or with `traces` what `FrameTraces` gives.
        truth: true frames `(batch, time, *frame_shape)`; needed for teacher forcing, else only
            their number counts.
        steps: number of frames to write; default: as many as `truth`, else `self.steps`.
        feedback: `True` for feedback, `False` for teacher forcing; default: the latter in
            training only.
        training: whether dropout acts.

    Output shape:
        Frames `(batch, steps, *frame_shape)`, float32.

    Raises:
        ValueError: if `frame_shape`, `activation`, `convolution`, the number of entries of `state`
            or the shape of `truth` is wrong, if teacher forcing lacks `truth`, or for traces of
            anything but vectors of linear features.

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
        convolution: Convolution | dict[str, Any] | None = None,
        traces: int = 0,
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
        self.convolution = Convolution.of(convolution)
        self.traces = traces
        if traces and (activation != "linear" or len(self.frame_shape) > 1):
            raise ValueError(
                f"Expected traces of vectors of linear features. Received: traces={traces}, "
                f"frame_shape={self.frame_shape}, activation={activation!r}"
            )
        self._layout = FrameLayout(self.frame_shape, self.convolution, len(self.units))
        self._inputs = FrameInputs(self._layout)
        self.feature_dim = self._layout.shape[-1]
        self.cells = make_cells(
            self.units, peepholes, self.convolution, self.dtype_policy, self.cell_arguments
        )
        self.dropouts = [
            keras.layers.Dropout(dropout, dtype=self.dtype_policy) for _ in self.units[1:]
        ]
        self.head = self._make_head(len(self.units) - 1, name="dense")
        lower = range(len(self.units) - 1) if self.convolution else ()
        self.lower_heads = [self._make_head(layer, use_bias=False) for layer in lower]
        self.motion_head = self._make_motion_head() if conditional and self._layout.moves else None
        self.trace_head = self._make_trace_head() if traces else None
        self._sampling = _Sampling()
        if conditional:
            self._sampling_seed = keras.random.SeedGenerator()

    def _make_head(self, layer: int, **arguments: Any) -> FrameHead:
        scale = self.convolution.scale(layer) if self.convolution else 1
        return FrameHead(
            scale * scale * self.feature_dim,
            gradient_dtype=self.compute_dtype,
            dtype=self.cells[0].state_dtype,
            **arguments,
        )

    def _make_motion_head(self) -> MotionHead:
        return MotionHead(
            self.frame_shape,
            self.convolution,
            centred=self.activation == "sigmoid",
            gradient_dtype=self.compute_dtype,
            dtype=self.cells[0].state_dtype,
        )

    def _make_trace_head(self) -> keras.layers.Dense:
        # Before anything is learned, a frame is the mean of the traces.
        return keras.layers.Dense(
            self.traces,
            kernel_initializer="zeros",
            bias_initializer=keras.initializers.Constant(1 / self.traces),
            dtype=self.cells[0].state_dtype,
            name="traces",
        )

    def build(self, *shapes: Any, **named_shapes: Any) -> None:
        """Make the weights; their shapes follow from the arguments alone."""
        *places, features = self._inputs.shape
        build_cells(self.cells, (*places, features if self.conditional else 0))
        for head, units in zip(self.lower_heads, self.units, strict=False):
            head.build((None, units))
        self.head.build((None, self.units[-1]))
        if self.motion_head is not None:
            self.motion_head.build(self.units)
        if self.trace_head is not None:
            self.trace_head.build((None, self.units[-1]))
        freeze_like(self, self.parts.values())
        self.built = True

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """The layers inside that have weights, by name."""
        return {
            **numbered("cells", self.cells),
            **numbered("lower_heads", self.lower_heads),
            **present(head=self.head, motion_head=self.motion_head, trace_head=self.trace_head),
        }

    def set_sampling_rate(self, rate: float) -> None:
        """Set the probability that a step in training sees its own frame; 0 is teacher forcing.

        The first call, before the first training step, makes the variable that later ones change
        without a new graph (on TensorFlow; elsewhere a compiled step keeps the rate that it was
        made with). It belongs to a training run and not to the weights.

        Raises:
            ValueError: if the decoder is unconditioned, or the rate is not in [0, 1].

        Example:
            >>> ConditionalDecoder([8], (3,), conditional=True).set_sampling_rate(0.25)
        """
        if not self.conditional or not 0 <= rate <= 1:
            raise ValueError(
                f"Expected a rate from 0 to 1, of a conditional decoder. "
                f"Received: rate={rate}, conditional={self.conditional}"
            )
        if self._sampling.rate is None:
            self._sampling.rate = keras.Variable(
                rate, dtype="float32", trainable=False, autocast=False
            )
        self._sampling.rate.assign(rate)

    @property
    def sampling_rate(self) -> keras.Variable | None:
        """What `set_sampling_rate` sets; `None` where it was never called."""
        return self._sampling.rate

    def call(
        self,
        state: State,
        truth: Any = None,
        steps: Any = None,
        feedback: bool | None = None,
        training: bool | None = None,
    ) -> Any:
        """Write frames; see the class."""
        self._check_state(state)
        if steps is None:
            steps = self.steps if truth is None else ops.shape(truth)[1]
        check_some_steps(steps)
        if not self.conditional:
            outputs = self._run_layers(None, state, steps, training)
            logits = self._read_off(outputs, traces=self._means(state))
        else:
            logits = self._run_conditional(state, truth, steps, feedback, training)
        if self.reverse_time:
            logits = ops.flip(logits, axis=1)
        return self._activated(self._layout.restore(logits))

    def _check_state(self, state: State) -> None:
        """Raise a `ValueError` for a state that is not one of such layers, traces behind it."""
        if not self.traces:
            self._layout.check_state(state)
            return
        expected, last = (self.traces, *self.frame_shape), state[-1][0].shape[1:]
        if last != expected:
            raise ValueError(
                f"Expected traces {expected} behind the layers' state. Received: {tuple(last)}"
            )
        self._layout.check_state(state[:-1])

    def _run_conditional(
        self, state: State, truth: Any, steps: Any, feedback: bool | None, training: bool | None
    ) -> Any:
        feedback = not training if feedback is None else feedback
        if feedback and not training:
            return self._run_on_own_frames(state, steps)[0]
        if feedback:
            known = self._run_on_own_frames(state, steps)[1]
        elif truth is None:
            raise ValueError("Expected the true frames for teacher forcing. Received: truth=None")
        else:
            known = self._known_frames(truth, state)
            if training and self._sampling.rate is not None:
                known = self._run_on_own_frames(state, steps, known)[1]
        # No gradient flows through a frame that is fed, so the frames of a first run are as good
        # as true ones: all steps of the second share one product for each weight and gradient.
        known = ops.stop_gradient(known)
        outputs = self._run_layers(known, state, steps, training)
        return self._read_off(outputs, known, self._means(state))

    def _activated(self, logits: Any) -> Any:
        return ops.sigmoid(logits) if self.activation == "sigmoid" else logits

    def _known_frames(self, truth: Any, state: State) -> Any:
        """Return the true frame before each step, as the layout arranges it."""
        truth = self._layout.arrange(ops.cast(truth, self.head.dtype))
        if self.reverse_time:
            truth = ops.flip(truth, axis=1)
        return frames_before(truth, self._last_frame(state))[0]

    def _last_frame(self, state: State) -> Any:
        """Return the frame before the first step: zeros, unless it can be moved."""
        if self._layout.moves:
            return self._carried(state)[0]
        return ops.zeros((ops.shape(state[0][0])[0], *self._layout.shape), self.head.dtype)

    def _carried(self, state: State) -> list[Any]:
        """Return what the inputs carry from before the first step."""
        shapes = self._inputs.carried_shapes
        # In reverse the last frame would be the very one that is to be written.
        if self.reverse_time:
            batch = ops.shape(state[0][0])[0]
            return [ops.zeros((batch, *shape), self.head.dtype) for shape in shapes]
        return [ops.cast(part, self.head.dtype) for part in state[-1][: len(shapes)]]

    def _fed(self, known: Any, state: State) -> Any:
        """Return the lowest layer's inputs; at the first step there is no frame."""
        if not self._layout.moves:
            return known
        carried = self._carried(state)
        fed = ops.broadcast_to(ops.arange(ops.shape(known)[1]) > 0, ops.shape(known)[:2])
        inputs, _ = self._inputs.over_time(known, carried, mask=fed)
        first = self._inputs.without_frame(carried)
        return ops.concatenate([first[:, None], inputs[:, 1:]], axis=1)

    def activity(self, state: State, steps: Any) -> list[Any]:
        """Return what each layer puts out while the decoder runs on its own frames.

        Args:
            state: as in a call.
            steps: number of steps.

        Returns:
            A layer's h at each step, `(batch, steps, units)`, lowest layer first.

        Example:
            >>> decoder = ConditionalDecoder([8], frame_shape=(3,))
            >>> decoder.build()
            >>> decoder.activity([(ops.zeros((2, 8)), ops.zeros((2, 8)))], steps=100)[0].shape
            TensorShape([2, 100, 8])
        """
        check_some_steps(steps)
        known = self._run_on_own_frames(state, steps)[1] if self.conditional else None
        return self._run_layers(known, state, steps, training=False)

    def _run_layers(self, known: Any, state: State, steps: Any, training: bool | None) -> list[Any]:
        """Return each layer's output at each step, with the frame known before it or `None`."""
        sequence, outputs = None if known is None else self._fed(known, state), []
        for layer, cell in enumerate(self.cells):
            if layer:
                sequence = self.dropouts[layer - 1](sequence, training=training)
            sequence, _ = unroll(cell, sequence, state[layer], steps=steps)
            outputs.append(sequence)
        return outputs

    def _means(self, state: State) -> Any:
        """Return the traces `(batch, traces, features)`, or `None` if there are none."""
        if self.trace_head is None:
            return None
        return FrameTraces.means([ops.cast(part, self.head.dtype) for part in state[-1]])

    def _read_off(self, outputs: list[Any], known: Any = None, traces: Any = None) -> Any:
        """Return logits `(..., *layout)` from each layer's output, the frame before and traces."""
        if self.convolution is None:
            logits = self.head(outputs[-1])
            return logits if traces is None else logits + self._of_traces(outputs[-1], traces)
        heads = zip([*self.lower_heads, self.head], outputs, strict=True)
        parts = [
            self._layout.spread(head(output), self.convolution.scale(layer))
            for layer, (head, output) in enumerate(heads)
        ]
        if self.motion_head is not None:
            parts.append(self.motion_head([_merged(o) for o in outputs], _merged(known)))
        leading = ops.shape(outputs[0])[:-3]
        return ops.reshape(sum(parts), (*leading, *self._layout.shape))

    def _of_traces(self, output: Any, traces: Any) -> Any:
        """Return what the top layer's output, of all steps or of one, takes of each trace."""
        shares = self.trace_head(output)
        if len(shares.shape) > 2:
            return ops.matmul(shares, traces)
        return ops.matmul(shares[:, None], traces)[:, 0]

    def _run_on_own_frames(
        self, state: State, steps: Any, truly_known: Any = None
    ) -> tuple[Any, Any]:
        """Return logits, and the frame known before each step, both as the layout arranges them.

        With `truly_known`, scheduled sampling chooses between those and the decoder's own.
        """
        dtype = self.head.dtype
        pairs = [[ops.cast(part, dtype) for part in pair] for pair in state[: len(self.cells)]]
        batch = ops.shape(pairs[0][0])[0]
        shape = self._layout.shape
        last_frame = self._last_frame(state)
        carried = self._carried(state) if self._layout.moves else []
        traces = self._means(state)
        steppers = [JointStep(cell.equations()) for cell in self.cells]
        per_step = {}
        if self._layout.moves:
            fed = ops.reshape(ops.arange(steps) > 0, (1, -1, *(1,) * len(shape)))
            per_step["fed"] = step_by_step(fed, steps)
        if truly_known is not None:
            draws = keras.random.uniform(
                (batch, steps, *(1,) * len(shape)), seed=self._sampling_seed
            )
            per_step["truth"] = step_by_step(truly_known, steps)
            per_step["own"] = step_by_step(draws < self._sampling.rate, steps)

        def step(carry: list[Any], at: dict[str, Any]) -> list[Any]:
            own, before, flat = carry[2], carry[3 : 3 + len(carried)], carry[3 + len(carried) :]
            known = ops.where(at["own"], own, at["truth"]) if "own" in at else own
            output, after = self._inputs.at_step(known, before)
            if "fed" in at:
                output = ops.where(at["fed"], output, self._inputs.without_frame(before))
                after = [ops.where(at["fed"], *both) for both in zip(after, before, strict=True)]
            outputs, new_flat = [], []
            for layer, take_step in enumerate(steppers):
                output, new_pair = take_step(output, flat[2 * layer : 2 * layer + 2])
                outputs.append(output)
                new_flat.extend(new_pair)
            logits = self._read_off(outputs, known, traces)
            return [logits, known, ops.stop_gradient(self._activated(logits)), *after, *new_flat]

        carry = [last_frame] * 3 + carried + [part for pair in pairs for part in pair]
        (logits, known), _ = run_over_time(step, carry, per_step, steps, collect=2)
        return batch_first(logits), batch_first(known)

    def compute_output_spec(
        self, state: State, truth: Any = None, steps: Any = None, **kwargs: Any
    ) -> Any:
        """Return symbolic frames, without running the loop."""
        if steps is None:
            steps = self.steps if truth is None else truth.shape[1]
        check_some_steps(steps)
        shape = (state[0][0].shape[0], steps, *self.frame_shape)
        return keras.KerasTensor(shape, dtype=self.head.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments, and which parts of a layer that learns are frozen."""
        frozen = frozen_among(self.parts) if self.trainable else []
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
            "convolution": self.convolution and self.convolution.to_config(),
            "traces": self.traces,
            **({"frozen": frozen} if frozen else {}),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ConditionalDecoder":
        """Make the layer from `get_config`'s result."""
        config = dict(config)
        frozen = config.pop("frozen", ())
        layer = super().from_config(config)
        freeze_among(layer.parts, frozen)
        return layer


def _merged(maps: Any) -> Any:
    """Return maps `(..., height, width, channels)` with one leading axis; `None` stays `None`."""
    return None if maps is None else ops.reshape(maps, (-1, *maps.shape[-3:]))
