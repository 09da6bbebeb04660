"""The paper's equations in float64 NumPy, one frame at a time, and helpers that tests share.

Nothing here calls the library: layers are only asked for their weights.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

State = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class LSTMWeights:
    """Weights of one LSTM layer, gates in the order i, f, a, o."""

    recurrent: np.ndarray
    bias: np.ndarray
    kernel: np.ndarray | None = None
    peepholes: np.ndarray | None = None


@dataclass(frozen=True)
class DecoderWeights:
    """Weights of a decoder: its LSTM layers, and the linear output; shares of traces, if any."""

    layers: Sequence[LSTMWeights]
    head_kernel: np.ndarray
    head_bias: np.ndarray
    trace_kernel: np.ndarray | None = None
    trace_bias: np.ndarray | None = None


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm_step(
    weights: LSTMWeights, x: np.ndarray | None, h: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Take one step of Graves (2013); return the new h and c."""
    z = h @ weights.recurrent + weights.bias
    if x is not None and weights.kernel is not None:
        z = z + x @ weights.kernel
    z_i, z_f, z_a, z_o = np.split(z, 4, axis=-1)
    w_i, w_f, w_o = (0, 0, 0) if weights.peepholes is None else weights.peepholes
    i = logistic(z_i + w_i * c)
    f = logistic(z_f + w_f * c)
    c = f * c + i * np.tanh(z_a)
    o = logistic(z_o + w_o * c)
    return o * np.tanh(c), c


def lstm_unroll(
    weights: LSTMWeights,
    xs: np.ndarray | None,
    start: tuple[np.ndarray, np.ndarray],
    steps: int | None = None,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Run over `(batch, time, features)`; where the mask is False nothing changes."""
    h, c = start
    output = np.zeros_like(h)
    outputs = []
    for t in range(xs.shape[1] if xs is not None else steps or 0):
        new_h, new_c = lstm_step(weights, None if xs is None else xs[:, t], h, c)
        keep = np.ones((len(h), 1), bool) if mask is None else mask[:, t, None]
        output = np.where(keep, new_h, output)
        h, c = np.where(keep, new_h, h), np.where(keep, new_c, c)
        outputs.append(output)
    return np.stack(outputs, axis=1), (h, c)


def zero_state(layers: Sequence[LSTMWeights], batch: int) -> State:
    return [(np.zeros((batch, len(w.recurrent))),) * 2 for w in layers]


def encode(
    layers: Sequence[LSTMWeights],
    frames: np.ndarray,
    start: State | None = None,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, State]:
    """Read frames of any shape with a stack of LSTMs."""
    sequence = frames.reshape(*frames.shape[:2], -1)
    start = zero_state(layers, len(frames)) if start is None else start
    finals = []
    for weights, pair in zip(layers, start, strict=True):
        sequence, final = lstm_unroll(weights, sequence, pair, mask=mask)
        finals.append(final)
    return sequence, finals


def decode(
    weights: DecoderWeights,
    state: State,
    steps: int,
    previous: Callable[[int, list[np.ndarray]], np.ndarray | None],
    activation: Callable[[np.ndarray], np.ndarray] = logistic,
) -> np.ndarray:
    """Write frames `(batch, steps, features)` in the order of decoding.

    `previous(t, written)` gives the frame that step t sees, or None for none. Behind the layers'
    state stands `(sums, weights)` of traces, if the decoder has any.
    """
    state = list(state)
    written: list[np.ndarray] = []
    for t in range(steps):
        x = previous(t, written)
        for layer, layer_weights in enumerate(weights.layers):
            h, c = lstm_step(layer_weights, x, *state[layer])
            state[layer] = (h, c)
            x = h
        frame = x @ weights.head_kernel + weights.head_bias
        if weights.trace_kernel is not None:
            sums, counts = state[-1]
            shares = x @ weights.trace_kernel + weights.trace_bias
            frame = frame + np.einsum("bm,bmf->bf", shares, sums / counts[..., None])
        written.append(activation(frame))
    return np.stack(written, axis=1)


def decode_unconditioned(
    weights: DecoderWeights, state: State, steps: int, activation: Callable = logistic
) -> np.ndarray:
    return decode(weights, state, steps, lambda t, written: None, activation)


def decode_forced(
    weights: DecoderWeights, state: State, truth: np.ndarray, activation: Callable = logistic
) -> np.ndarray:
    """`truth` `(batch, steps, features)` stands in the order of decoding."""
    return decode(
        weights,
        state,
        truth.shape[1],
        lambda t, written: truth[:, t - 1] if t else None,
        activation,
    )


def decode_feedback(
    weights: DecoderWeights, state: State, steps: int, activation: Callable = logistic
) -> np.ndarray:
    return decode(weights, state, steps, lambda t, written: written[-1] if t else None, activation)


def identity(x: np.ndarray) -> np.ndarray:
    return x


def central_difference(
    function: Callable[[np.ndarray], float], at: np.ndarray, width: float = 1e-6
) -> np.ndarray:
    """Return the gradient of a scalar function, one entry after another."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        above, below = at.copy(), at.copy()
        above[index] += width
        below[index] -= width
        gradient[index] = (function(above) - function(below)) / (2 * width)
    return gradient


# --- From layers ---


def _array(weight: Any) -> np.ndarray | None:
    return None if weight is None else np.asarray(weight).astype("float64")


def cell_weights(cell: Any) -> LSTMWeights:
    """Read the weights of a `PeepholeLSTMCell`."""
    return LSTMWeights(
        kernel=_array(cell.kernel),
        recurrent=_array(cell.recurrent_kernel),
        bias=_array(cell.bias),
        peepholes=_array(cell.peephole_kernel),
    )


def encoder_weights(encoder: Any) -> list[LSTMWeights]:
    """Read the weights of a `VideoEncoder`."""
    return [cell_weights(cell) for cell in encoder.cells]


def decoder_weights(decoder: Any) -> DecoderWeights:
    """Read the weights of a `ConditionalDecoder`."""
    return DecoderWeights(
        layers=[cell_weights(cell) for cell in decoder.cells],
        head_kernel=_array(decoder.head.kernel),
        head_bias=_array(decoder.head.bias),
        **(
            {
                "trace_kernel": _array(decoder.trace_head.kernel),
                "trace_bias": _array(decoder.trace_head.bias),
            }
            if decoder.traces
            else {}
        ),
    )


def randomize(layer: Any, seed: int = 0, scale: float = 0.5) -> None:
    """Set every trainable weight, peepholes and biases too, to normal random numbers."""
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        weight.assign(scale * rng.normal(size=tuple(weight.shape)))
