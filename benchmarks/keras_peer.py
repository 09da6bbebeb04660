"""Stock Keras: `keras.layers.LSTM`, `keras.optimizers.Adam`, `fit`'s own training step."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from keras_videolstm_benchmarks.problem import PIXELS, LayerWeights, Problem


class KerasPeer:
    """The same model as a Keras user writes it.

    Args:
        problem: what to compute.
        precision: `"float32"` or `"mixed_bfloat16"`.
        xla: whether training and inference are compiled by XLA.
        unroll: the layers' own argument: steps written out instead of a loop.
    """

    def __init__(self, problem: Problem, precision: str, xla: bool, unroll: bool) -> None:
        self.precision = precision
        self._problem = problem
        self._xla = xla
        keras.config.set_dtype_policy(precision)
        weights = problem.weights()
        self._encoder = _lstms("encoder", weights.encoder, unroll)
        self._decoders = {
            key: _lstms(key, parts[0], unroll) for key, parts in weights.decoders.items()
        }
        self._heads = {
            key: keras.layers.Dense(PIXELS, dtype="float32", name=key) for key in weights.decoders
        }
        model = self._training_model()
        _set_layers(self._encoder, weights.encoder)
        for key, (layers, kernel, bias) in weights.decoders.items():
            _set_layers(self._decoders[key], layers)
            self._heads[key].set_weights([kernel, bias])
        model.compile(
            keras.optimizers.Adam(1e-3), dict.fromkeys(weights.decoders, _nats), jit_compile=xla
        )
        frames = problem.frames().reshape(problem.batch, -1, PIXELS)
        self._read, future = frames[:, : problem.steps], frames[:, problem.steps :]
        data = tf.data.Dataset.from_tensors(
            (
                {"read": self._read, "future": future},
                {"reconstruction": self._read, "prediction": future},
            )
        )
        scaled = data.repeat().map(lambda x, y: tf.nest.map_structure(_pixels, (x, y)))
        self._batches = iter(scaled.prefetch(2))
        model.make_train_function()
        self._model = model
        self._infer: dict[int, Any] = {}

    def _training_model(self) -> keras.Model:
        # A known batch and length: stock layers make the most of them.
        shape, batch = (self._problem.steps, PIXELS), self._problem.batch
        read = keras.Input(shape, batch_size=batch, name="read")
        future = keras.Input(shape, batch_size=batch, name="future")
        state = self._encode(read)
        rebuilt = self._hidden("reconstruction", self._nothing(shape[0]), state)[0]
        rebuilt = self._heads["reconstruction"](ops.flip(rebuilt, axis=1))
        fed = self._nothing(shape[0])
        if self._problem.conditional:
            fed = ops.concatenate([ops.zeros_like(future[:, :1]), future[:, :-1]], axis=1)
        predicted = self._heads["prediction"](self._hidden("prediction", fed, state)[0])
        return keras.Model(
            {"read": read, "future": future},
            {"reconstruction": rebuilt, "prediction": predicted},
        )

    def _nothing(self, steps: int) -> Any:
        # A layer needs an input: one feature that is zero.
        return ops.zeros((self._problem.batch, steps, 1))

    def _encode(self, frames: Any) -> list[Any]:
        return _run(self._encoder, frames, [None, None])[1]

    def _hidden(self, key: str, fed: Any, state: list[Any]) -> tuple[Any, list[Any]]:
        return _run(self._decoders[key], fed, state)

    def train(self) -> float:
        """Take a training step and return its loss."""
        self._model.reset_metrics()
        return float(self._model.train_function(self._batches)["loss"])

    def infer(self, horizon: int) -> NDArray[Any]:
        """Read, rebuild, and predict `horizon` frames; return the prediction."""
        if horizon not in self._infer:
            self._infer[horizon] = tf.function(
                lambda frames: self._free_run(frames, horizon), jit_compile=self._xla
            )
        frames = np.asarray(self._infer[horizon](self._read)[1])
        return frames.reshape(len(frames), horizon, 64, 64, 1)

    def _free_run(self, frames: Any, horizon: int) -> tuple[Any, Any]:
        state = self._encode(_pixels(frames))
        nothing = self._nothing(self._problem.steps)
        rebuilt = self._hidden("reconstruction", nothing, state)[0]
        rebuilt = ops.sigmoid(self._heads["reconstruction"](ops.flip(rebuilt, axis=1)))
        head = self._heads["prediction"]
        if not self._problem.conditional:
            hidden = self._hidden("prediction", self._nothing(horizon), state)[0]
            return rebuilt, ops.sigmoid(head(hidden))
        frame = ops.zeros((self._problem.batch, 1, PIXELS))
        written = []
        for _ in range(horizon):
            hidden, state = self._hidden("prediction", frame, state)
            frame = ops.sigmoid(head(hidden))
            written.append(frame)
        return rebuilt, ops.concatenate(written, axis=1)


def _lstms(name: str, layers: list[LayerWeights], unroll: bool) -> list[keras.layers.LSTM]:
    return [
        keras.layers.LSTM(
            len(layer.recurrent),
            return_sequences=True,
            return_state=True,
            unroll=unroll,
            name=f"{name}_lstm_{number}",
        )
        for number, layer in enumerate(layers)
    ]


def _run(layers: list[Any], sequence: Any, state: list[Any]) -> tuple[Any, list[Any]]:
    finals = []
    for layer, start in zip(layers, state, strict=True):
        sequence, *final = layer(sequence, initial_state=start)
        finals.append(final)
    return sequence, finals


def _set_layers(layers: list[Any], weights: list[LayerWeights]) -> None:
    for layer, (kernel, recurrent, bias) in zip(layers, weights, strict=True):
        kernel = np.zeros((1, recurrent.shape[1]), "float32") if kernel is None else kernel
        layer.set_weights([kernel, recurrent, bias])


def _pixels(frames: Any) -> Any:
    return tf.cast(frames, tf.float32) / 255


def _nats(truth: Any, logits: Any) -> Any:
    return ops.sum(ops.binary_crossentropy(truth, logits, from_logits=True), axis=-1)
