"""This library, through its own training step and its own model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm_benchmarks.problem import LayerWeights, Problem


class Ours:
    """The library's `VideoLSTM`.

    Args:
        problem: what to compute.
        precision: `"auto"`, `"float32"` or `"mixed_bfloat16"`.
    """

    def __init__(self, problem: Problem, precision: str) -> None:
        import tensorflow as tf

        from keras_videolstm.fused_adam import FusedAdam
        from keras_videolstm.models import VideoLSTM
        from keras_videolstm.training.compiled_model import losses
        from keras_videolstm.training.precision import pick_precision

        self.precision = pick_precision(precision, problem.units, problem.batch).policy
        self._steps = problem.steps
        self._model = VideoLSTM(
            problem.variant,
            (64, 64, 1),
            units=[problem.units] * 2,
            prediction_steps=problem.steps,
            peepholes=False,
            dtype=self.precision,
        )
        weights = problem.weights()
        _set_layers(self._model.encoder.cells, weights.encoder)
        for key, (layers, kernel, bias) in weights.decoders.items():
            decoder = self._model.decoders[key]
            _set_layers(decoder.cells, layers)
            decoder.head.set_weights([kernel, bias])
        self._model.compile(FusedAdam(1e-3), losses(self._model))
        frames = problem.frames()
        self._read, future = frames[:, : problem.steps], frames[:, problem.steps :]
        inputs = {"frames": self._read}
        if problem.conditional:
            inputs["future"] = future
        targets = {"reconstruction": self._read, "prediction": future}
        data = tf.data.Dataset.from_tensors((inputs, targets)).repeat().prefetch(2)
        self._batches = iter(data)
        self._model.make_train_function()
        self._infer = {}

    def train(self) -> float:
        """Take a training step and return its loss."""
        self._model.reset_metrics()
        return float(self._model.train_function(self._batches)["loss"])

    def infer(self, horizon: int) -> NDArray[Any]:
        """Read, rebuild, and predict `horizon` frames; return the prediction."""
        return np.asarray(self._function(horizon)(self._read)["prediction"])

    def _function(self, horizon: int) -> Any:
        import tensorflow as tf

        if horizon not in self._infer:
            encode = self._model._companions.models["encode"]
            decoders = self._model.decoders

            def run(frames: tf.Tensor) -> dict[str, tf.Tensor]:
                _, state = encode(tf.cast(frames, tf.float32) / 255)
                return {
                    "reconstruction": decoders["reconstruction"](state, steps=self._steps),
                    "prediction": decoders["prediction"](state, steps=horizon),
                }

            self._infer[horizon] = tf.function(run)
        return self._infer[horizon]


def _set_layers(cells: list[Any], layers: list[LayerWeights]) -> None:
    for cell, weights in zip(cells, layers, strict=True):
        cell.set_weights([array for array in weights if array is not None])
