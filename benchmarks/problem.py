"""What every contestant computes: one architecture, one set of weights, one batch."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

READ = 10
PIXELS = 64 * 64
# Of the plain product that everything is held against.
SIDE = 4096
_WEIGHT_SEED, _FRAME_SEED = 1, 2


class LayerWeights(NamedTuple):
    """Weights of one LSTM layer without peepholes, gates in Keras' order i, f, a, o."""

    kernel: NDArray[Any] | None
    recurrent: NDArray[Any]
    bias: NDArray[Any]


class Weights(NamedTuple):
    """Weights of a whole model; a decoder has its layers and its head."""

    encoder: list[LayerWeights]
    decoders: dict[str, tuple[list[LayerWeights], NDArray[Any], NDArray[Any]]]


@dataclass(frozen=True)
class Problem:
    """A composite of two-layer LSTMs on 64x64 frames, and a batch.

    Attributes:
        variant: `"composite"` or `"conditional_composite"`.
        units: of each of the two layers.
        batch: sequences a step.
        steps: frames that are read, rebuilt and predicted, each.
    """

    variant: str
    units: int
    batch: int
    steps: int = READ

    @property
    def conditional(self) -> bool:
        """Whether the prediction decoder is fed."""
        return self.variant == "conditional_composite"

    def weights(self) -> Weights:
        """Return the weights, the same on every call."""
        rng = np.random.default_rng(_WEIGHT_SEED)
        decoders = {}
        encoder = self._layers(rng, PIXELS)
        for key, fed in (("reconstruction", False), ("prediction", self.conditional)):
            layers = self._layers(rng, PIXELS if fed else None)
            decoders[key] = (layers, _uniform(rng, self.units, PIXELS), np.zeros(PIXELS, "float32"))
        return Weights(encoder, decoders)

    def _layers(self, rng: np.random.Generator, features: int | None) -> list[LayerWeights]:
        wide = 4 * self.units
        layers = []
        for inputs in (features, self.units):
            kernel = None if inputs is None else _uniform(rng, inputs, wide)
            bias = np.zeros(wide, "float32")
            bias[self.units : 2 * self.units] = 1
            layers.append(LayerWeights(kernel, _uniform(rng, self.units, wide), bias))
        return layers

    def frames(self) -> NDArray[Any]:
        """Return `(batch, 2 * steps, 64, 64, 1)`, uint8: blobs that drift over a dark ground."""
        rng = np.random.default_rng(_FRAME_SEED)
        rows, columns = np.mgrid[:64, :64]
        clips = np.zeros((self.batch, 2 * self.steps, 64, 64), "uint8")
        for clip in clips:
            place, speed = rng.uniform(10, 54, 2), rng.uniform(-3, 3, 2)
            for t, frame in enumerate(clip):
                row, column = np.abs((place + speed * t) % 128 - 64)
                frame[:] = 255 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 60)
        return clips[..., None]

    def training_flops(self) -> float:
        """Return the floating point operations of a step that the gradient needs.

        Products only, a multiplication and an addition counted as two; no gradient with respect
        to frames, which are data.
        """
        forward, to_frames = self._flops()
        return 3 * forward - to_frames

    def _flops(self) -> tuple[float, float]:
        per_row = 2 * self.batch * self.steps
        gates = self.units * 4 * self.units
        from_frames = PIXELS * 4 * self.units * (2 if self.conditional else 1)
        # Encoder: its own recurrence, and two products of the second layer; likewise decoders.
        others = 3 * 3 * gates + 2 * self.units * PIXELS
        return per_row * (others + from_frames), per_row * from_frames

    def inference_flops(self, horizon: int) -> float:
        """Return the floating point operations of reading, rebuilding and predicting."""
        gates, frame = self.units * 4 * self.units, PIXELS * 4 * self.units
        read = self.steps * (frame + 3 * gates)
        rebuilt = self.steps * (3 * gates + self.units * PIXELS)
        predicted = horizon * (3 * gates + self.units * PIXELS + self.conditional * frame)
        return 2.0 * self.batch * (read + rebuilt + predicted)

    def parameters(self) -> int:
        """Return the number of weights."""
        gates, frame = self.units * 4 * self.units, PIXELS * 4 * self.units
        kernels = 9 * gates + frame * (1 + self.conditional) + 2 * self.units * PIXELS
        return kernels + 6 * 4 * self.units + 2 * PIXELS

    def arguments(self) -> dict[str, Any]:
        """Return the attributes, as JSON can hold them."""
        return dict(vars(self))


def _uniform(rng: np.random.Generator, rows: int, columns: int) -> NDArray[Any]:
    bound = 1 / math.sqrt(rows)
    return rng.uniform(-bound, bound, (rows, columns)).astype("float32")
