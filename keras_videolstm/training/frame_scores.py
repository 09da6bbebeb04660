"""How near predicted frames are to the true ones, along the horizon."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.objectives import BernoulliNatsPerFrame

_NATS = BernoulliNatsPerFrame()
SMALLEST_SIDE = 11
"""Of a frame, in pixels: that of the window of SSIM."""
# Of SSIM as published, for a range of 1.
_DEVIATION = 1.5
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2


@dataclass(frozen=True)
class FrameScores:
    """Scores of predicted frames in [0, 1], each a mean over sequences for every time step.

    Attributes:
        nats: Bernoulli cross entropy, summed over a frame's pixels (paper, section 3.2), `(time,)`.
        mse: squared error, summed over a frame's pixels, as the papers on moving MNIST since 2017
            report "MSE per frame", `(time,)`.
        ssim: structural similarity (Wang et al., 2004; 11x11 Gaussian window), `(time,)`.
        psnr: peak signal-to-noise ratio in decibels, the mean of each frame's, `(time,)`.

    Example:
        >>> scores = FrameScores(*np.ones((4, 10)))
        >>> scores.means()["nats"]
        1.0
    """

    nats: NDArray[Any]
    mse: NDArray[Any]
    ssim: NDArray[Any]
    psnr: NDArray[Any]

    def means(self) -> dict[str, float]:
        """Return the mean of each score over the time steps."""
        return {name: float(values.mean()) for name, values in vars(self).items()}

    def by_frame(self) -> dict[str, list[float]]:
        """Return each score for every time step, as plain lists."""
        return {name: values.tolist() for name, values in vars(self).items()}

    @staticmethod
    def for_json(scores: Any) -> Any:
        """Return means or lists without what JSON has no word for: the truth's PSNR is infinite.

        Example:
            >>> FrameScores.for_json({"nats": 86.3, "psnr": [math.inf]})
            {'nats': 86.3, 'psnr': [None]}
        """
        if isinstance(scores, dict):
            return {name: FrameScores.for_json(values) for name, values in scores.items()}
        if isinstance(scores, list):
            return [FrameScores.for_json(value) for value in scores]
        return scores if math.isfinite(scores) else None


class FrameScorer:
    """Adds up the scores of batches.

    Example:
        >>> scorer = FrameScorer()
        >>> scorer.add(score_frames(tf.zeros((1, 10, 64, 64, 1)), tf.zeros((1, 10, 64, 64, 1))))
        >>> scorer.result().mse.shape
        (10,)
    """

    def __init__(self) -> None:
        self._total: NDArray[Any] | float = 0.0
        self._count = 0

    def add(self, scores: tf.Tensor) -> None:
        """Add the scores `(4, batch, time)` of `score_frames`."""
        self._total = self._total + scores.numpy().astype("float64").sum(axis=1)
        self._count += scores.shape[1]

    def result(self) -> FrameScores:
        """Return the means over all sequences so far."""
        return FrameScores(*(self._total / self._count))


def score_frames(truth: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Return nats, squared error, SSIM and PSNR of each frame, `(4, batch, time)`.

    Args:
        truth: frames `(batch, time, height, width, channels)` in [0, 1], at least 11 pixels a side.
        predicted: of the same shape; straight from a model, so that nats come from its logits.

    Example:
        >>> frames = tf.random.uniform((2, 10, 64, 64, 1))
        >>> score_frames(frames, frames).shape
        TensorShape([4, 2, 10])
    """
    over_pixels = [2, 3, 4]
    squares = tf.reduce_sum(tf.math.squared_difference(truth, predicted), axis=over_pixels)
    nats = _NATS.call(truth, predicted)
    psnr = tf.image.psnr(truth, predicted, 1.0)
    return tf.stack([nats, squares, _ssim(truth, predicted), psnr])


def _ssim(truth: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
    """Return what `tf.image.ssim` does, in a fraction of the time.

    The Gaussian window is a product of two, so it is taken down and then across, each time as a
    product of matrices; there it is a convolution with all 121 weights.
    """
    down, across = _windows(truth.shape[2]), _windows(truth.shape[3])

    def averaged(maps: tf.Tensor) -> tf.Tensor:
        return tf.einsum("btywc,xw->btyxc", tf.einsum("yh,bthwc->btywc", down, maps), across)

    means, spread = (averaged(truth), averaged(seen)), averaged(truth**2 + seen**2)
    product = 2 * means[0] * means[1]
    squares = means[0] ** 2 + means[1] ** 2
    luminance = (product + _LUMINANCE) / (squares + _LUMINANCE)
    contrast = (2 * averaged(truth * seen) - product + _CONTRAST) / (spread - squares + _CONTRAST)
    return tf.reduce_mean(luminance * contrast, axis=[2, 3, 4])


def _windows(side: int) -> NDArray[Any]:
    """Return `(side - 10, side)`: a row for each place of the window, with its weights."""
    weights = np.exp(-0.5 * (np.arange(SMALLEST_SIDE) - SMALLEST_SIDE // 2) ** 2 / _DEVIATION**2)
    places = side - SMALLEST_SIDE + 1
    rows = [np.pad(weights / weights.sum(), (n, places - 1 - n)) for n in range(places)]
    return np.stack(rows).astype("float32")
