"""Directions in which frames drift most from those before them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

Array = NDArray[np.float64]


def drift_directions(clips: Iterable[NDArray[np.floating]], size: int, rate: float) -> Array:
    """Measure what `DriftFeatures.set_directions` takes.

    The principal components of `x_t - m_t`, with `m_t` the running mean of the frames up to `x_t`
    that forgets at the rate, over all frames of all clips.

    Args:
        clips: frames `(time, features)` of each, as the layer will read them.
        size: number of directions.
        rate: as of `DriftFeatures`.

    Returns:
        Directions `(features, size)`, that of the largest variance first; the mean square of
        their features over all frames is 1.

    Raises:
        InputError: if nothing in the clips moves.

    Example:
        >>> clips = np.random.default_rng(1).normal(size=(9, 30, 4))
        >>> drift_directions(clips, 2, rate=0.02).shape
        (4, 2)
    """
    scatter: Array | float = 0.0
    count = 0
    for clip in clips:
        # The product is the work; single precision halves it, and its sums stay double.
        drift = _drifts(np.asarray(clip, "float64"), rate).astype("float32")
        scatter = scatter + (drift.T @ drift).astype("float64")
        count += len(drift)
    if not count or not np.trace(scatter) > 0:
        raise InputError("Expected clips in which something moves. Received: none")
    variances, vectors = np.linalg.eigh(scatter / count)
    kept = variances[: -size - 1 : -1]
    return vectors[:, : -size - 1 : -1] / np.sqrt(kept.mean())


def _drifts(frames: Array, rate: float) -> Array:
    """Return how far each of the frames `(time, features)` lies from the running mean up to it."""
    time = np.arange(len(frames))
    ages = time[:, None] - time
    shares = np.where(ages >= 0, (1.0 - rate) ** np.maximum(ages, 0), 0.0)
    return frames - shares @ frames / shares.sum(axis=1, keepdims=True)
