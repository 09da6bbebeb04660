"""Frames of a clip in a row, above what is drawn over time."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_frames

STILL_INCHES = 0.95


def check_stills(frames: NDArray[Any], steps: int) -> NDArray[Any]:
    """Return frames of the first of so many steps as pictures.

    Raises:
        InputError: for frames of a wrong shape or scale, NaN, or more of them than steps.

    Example:
        >>> check_stills(np.zeros((5, 48, 64)), steps=8).shape
        (5, 48, 64, 3)
    """
    pictures = check_frames("frames", frames)
    if len(pictures) > steps:
        raise InputError(f"Expected at most {steps} `frames`. Received: {len(pictures)}")
    return pictures


def draw_stills(
    axes: Axes,
    pictures: NDArray[Any],
    times: NDArray[Any],
    covered: tuple[float, float],
    span: tuple[float, float],
) -> None:
    """Show as many frames as fit, each near its own time.

    Args:
        axes: as they lie in the finished figure.
        pictures: `(frames, height, width, channels)`.
        times: `(frames,)`, increasing.
        covered: from when to when there are frames.
        span: from when to when the axes reach.

    Example:
        >>> film = np.zeros((5, 48, 64, 3), "uint8")
        >>> draw_stills(axes, film, np.arange(5.0), covered=(0, 4), span=(0, 8))
    """
    (first, last), (start, stop) = covered, span
    width, height = axes.get_position().size * axes.figure.get_size_inches()
    still = height * pictures.shape[2] / pictures.shape[1] / width * (stop - start)
    slots = int(np.clip((last - first) / still, 1, len(pictures)))
    for centre in first + (np.arange(slots) + 0.5) * (last - first) / slots:
        nearest = np.abs(times - centre).argmin()
        extent = (centre - 0.485 * still, centre + 0.485 * still, 0, 1)
        axes.imshow(pictures[nearest], extent=extent, aspect="auto")
    axes.set(xlim=span, ylim=(0, 1), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
