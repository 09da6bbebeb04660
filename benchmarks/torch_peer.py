"""PyTorch: `torch.nn.LSTM`, its fused Adam, and autocast for bfloat16."""

import contextlib
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from keras_videolstm_benchmarks.problem import PIXELS, LayerWeights, Problem


class TorchPeer:
    """The same model as a PyTorch user writes it.

    Args:
        problem: what to compute.
        precision: `"float32"` or `"bfloat16"` (autocast).
    """

    def __init__(self, problem: Problem, precision: str) -> None:
        self.precision = precision
        self._model = _Composite(problem)
        # Adam's epsilon as Keras has it.
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=1e-3, eps=1e-7, fused=True)
        self._clips = torch.from_numpy(problem.frames().reshape(problem.batch, -1, PIXELS))
        self._steps = problem.steps

    def _autocast(self) -> Any:
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast("cpu", dtype=torch.bfloat16)

    def train(self) -> float:
        """Take a training step and return its loss."""
        clips = self._clips.float() / 255
        read, future = clips[:, : self._steps], clips[:, self._steps :]
        self._optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            rebuilt, predicted = self._model(read, future)
        loss = _nats(rebuilt, read) + _nats(predicted, future)
        loss.backward()
        self._optimizer.step()
        return float(loss.detach())

    def infer(self, horizon: int) -> NDArray[Any]:
        """Read, rebuild, and predict `horizon` frames; return the prediction."""
        with torch.inference_mode(), self._autocast():
            read = self._clips[:, : self._steps].float() / 255
            _, predicted = self._model.free_run(read, horizon)
        return predicted.float().reshape(len(predicted), horizon, 64, 64, 1).numpy()


class _Composite(nn.Module):
    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.conditional = problem.conditional
        weights = problem.weights()
        self.encoder = _lstm(weights.encoder)
        self.decoders = nn.ModuleDict()
        self.heads = nn.ModuleDict()
        for key, (layers, kernel, bias) in weights.decoders.items():
            self.decoders[key] = _lstm(layers)
            head = nn.Linear(problem.units, PIXELS)
            with torch.no_grad():
                head.weight.copy_(torch.from_numpy(kernel.T))
                head.bias.copy_(torch.from_numpy(bias))
            self.heads[key] = head

    def forward(self, read: Any, future: Any) -> tuple[Any, Any]:
        _, state = self.encoder(read)
        rebuilt = self._unconditioned("reconstruction", state, read.shape[1]).flip(1)
        if not self.conditional:
            return rebuilt, self._unconditioned("prediction", state, future.shape[1])
        before = torch.cat([torch.zeros_like(future[:, :1]), future[:, :-1]], dim=1)
        hidden, _ = self.decoders["prediction"](before, state)
        return rebuilt, self.heads["prediction"](hidden)

    def free_run(self, read: Any, horizon: int) -> tuple[Any, Any]:
        _, state = self.encoder(read)
        rebuilt = self._unconditioned("reconstruction", state, read.shape[1]).flip(1).sigmoid()
        if not self.conditional:
            return rebuilt, self._unconditioned("prediction", state, horizon).sigmoid()
        frame = torch.zeros_like(read[:, :1])
        frames = []
        for _ in range(horizon):
            hidden, state = self.decoders["prediction"](frame, state)
            frame = self.heads["prediction"](hidden).sigmoid()
            frames.append(frame)
        return rebuilt, torch.cat(frames, dim=1)

    def _unconditioned(self, key: str, state: Any, steps: int) -> Any:
        # `nn.LSTM` needs an input: one feature that is zero.
        nothing = torch.zeros(state[0].shape[1], steps, 1)
        hidden, _ = self.decoders[key](nothing, state)
        return self.heads[key](hidden)


def _lstm(layers: list[LayerWeights]) -> nn.LSTM:
    first = layers[0].kernel
    features = 1 if first is None else len(first)
    lstm = nn.LSTM(features, len(layers[0].recurrent), num_layers=2, batch_first=True)
    with torch.no_grad():
        for number, layer in enumerate(layers):
            # PyTorch's gates stand in Keras' order; its matrices are transposed.
            if layer.kernel is not None:
                getattr(lstm, f"weight_ih_l{number}").copy_(torch.from_numpy(layer.kernel.T))
            getattr(lstm, f"weight_hh_l{number}").copy_(torch.from_numpy(layer.recurrent.T))
            getattr(lstm, f"bias_ih_l{number}").copy_(torch.from_numpy(layer.bias))
            getattr(lstm, f"bias_hh_l{number}").zero_()
    return lstm


def _nats(logits: Any, truth: Any) -> Any:
    """Return the cross entropy summed over pixels, its mean over batch and time."""
    total = functional.binary_cross_entropy_with_logits(logits.float(), truth, reduction="sum")
    return total / (truth.shape[0] * truth.shape[1])
