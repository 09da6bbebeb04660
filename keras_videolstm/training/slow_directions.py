"""Directions in which clips differ from each other more than within themselves."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

Array = NDArray[np.float64]
_RIDGE = 1.0
_FEWEST_FRAMES, _FEWEST_CLIPS = 2, 2


class _Scatter:
    """Covariance within clips and between their means, clip by clip."""

    def __init__(self) -> None:
        self._within: Array | float = 0.0
        self._frames = 0
        self._means: list[Array] = []

    def add(self, clip: Array) -> None:
        """Add a clip `(time, features)`."""
        mean = clip.mean(axis=0)
        # The product is the work; single precision halves it, and its sums stay double.
        centred = (clip - mean).astype("float32")
        self._within = self._within + (centred.T @ centred).astype("float64")
        self._frames += len(clip)
        self._means.append(mean)

    @property
    def mean(self) -> Array:
        """Mean of the clips' means."""
        return np.mean(self._means, axis=0)

    def directions(self, size: int) -> Array:
        """Return the first directions, one a column, of a root mean square of 1 over all."""
        within = self._within / self._frames
        if not np.trace(within) > 0:
            raise InputError(
                "Expected clips whose frames change, and not always by the same amount. "
                "Received: clips that stand still or change evenly"
            )
        between = np.cov(np.transpose(self._means))
        ridge = _RIDGE * np.trace(within) / len(within) * np.eye(len(within))
        root = np.linalg.inv(np.linalg.cholesky(within + ridge))
        _, vectors = np.linalg.eigh(root @ between @ root.T)
        found = root.T @ vectors[:, : -size - 1 : -1]
        variances = np.einsum("fd,fg,gd->d", found, within + between, found)
        return found / np.sqrt(variances.mean())


def slow_directions(clips: Iterable[NDArray[np.floating]], size: int) -> tuple[Array, Array, Array]:
    """Measure what `SlowFeatures.set_directions` takes.

    Of frames `x`, and likewise of how much they change, `|x - x before|`: with `B` the covariance
    of the clips' means, `W` that of frames around their clip's mean and `s²` the mean variance
    within, the solutions `v` of the largest `k` in `B v = k (W + s² I) v`.

    Args:
        clips: frames `(time, features)` of each, as the layer will read them.
        size: number of directions of each kind.

    Returns:
        Directions `(features, size)`, the mean change `(features,)`, and directions of changes
        `(features, size)`; of each kind's features the mean square over all frames is 1.

    Raises:
        InputError: if there are too few clips of at least two frames, or nothing in them changes.

    Example:
        >>> clips = np.random.default_rng(1).normal(size=(9, 30, 4))
        >>> [values.shape for values in slow_directions(clips, 2)]
        [(4, 2), (4,), (4, 2)]
    """
    stills, changes, count = _Scatter(), _Scatter(), 0
    for clip in clips:
        if len(clip) < _FEWEST_FRAMES:
            continue
        frames = np.asarray(clip, "float64")
        stills.add(frames)
        changes.add(np.abs(np.diff(frames, axis=0)))
        count += 1
    if count < _FEWEST_CLIPS:
        raise InputError(
            f"Expected at least {_FEWEST_CLIPS} clips of {_FEWEST_FRAMES} frames or more, to tell "
            f"what differs between clips. Received: {count}"
        )
    return stills.directions(size), changes.mean, changes.directions(size)
