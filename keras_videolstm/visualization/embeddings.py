"""Representations of clips as points of a map."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_numbers
from keras_videolstm.visualization.style import (
    MUTED,
    PALETTE,
    add_title,
    new_figure,
    on_one_line,
    shorten,
    styled,
)

_MARKERS = "osD^vP*X"
_COLOURS = [colour for name, colour in PALETTE.items() if name != "yellow"]
_LABEL_CHARACTERS = 28
_LEAST = 3


@styled()
def draw_embeddings(
    representations: NDArray[Any], labels: Sequence[str] | None = None, *, title: str | None = None
) -> Figure:
    """Draw a map of clips: the two directions in which their representations differ most.

    These are the principal components; the axes say how much of the variance each shows. Classes
    differ in colour and in shape.

    Args:
        representations: `(clips, features)`.
        labels: each clip's class. Defaults to None: all alike.
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure` with one axes.

    Raises:
        InputError: for an array of another shape, NaN, fewer than three clips, clips that do not
            differ, or labels of another number.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import draw_embeddings
        >>> clips = np.random.default_rng(0).normal(size=(20, 256))
        >>> figure = draw_embeddings(clips, ["walk", "run"] * 10)
    """
    shown = check_numbers("representations", representations, ("clips", "features"))
    if len(shown) < _LEAST:
        raise InputError(f"Expected at least {_LEAST} clips to map. Received: {len(shown)}")
    if labels is not None and len(labels) != len(shown):
        raise InputError(f"Expected {len(shown)} labels, one a clip. Received: {len(labels)}")
    points, shares = _principal(shown)
    figure = new_figure(7.2, 4.8 + 0.3 * bool(title), arrange=True)
    axes = figure.add_subplot()
    classes = [""] if labels is None else sorted(set(labels))
    of_clip = np.array([""] * len(points) if labels is None else list(labels))
    for number, name in enumerate(classes):
        chosen = points[of_clip == name]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=22,
            marker=_MARKERS[number % len(_MARKERS)],
            color=_COLOURS[number % len(_COLOURS)],
            edgecolors="white",
            linewidths=0.5,
            label=f"{shorten(on_one_line(name), _LABEL_CHARACTERS)} ({len(chosen)})",
        )
    for line in (axes.axhline, axes.axvline):
        line(0, color=MUTED, linewidth=0.5, zorder=0)
    first, second = (f"{100 * share:.0f}% of the variance" for share in shares)
    axes.set(xlabel=f"first component, {first}", ylabel=f"second component, {second}")
    axes.set_aspect("equal", adjustable="datalim")
    if labels is not None:
        figure.legend(loc="outside right upper", title="class (clips)", title_fontsize="small")
    add_title(figure, title)
    return figure


def _principal(representations: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return points `(clips, 2)`, and the part of the variance that each direction shows."""
    centred = representations - representations.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    variance = np.square(sizes)
    if not variance[0] > 0:
        raise InputError("Expected clips that differ. Received: representations that are all equal")
    points = np.zeros((len(left), 2))
    shares = np.zeros(2)
    kept = min(2, len(sizes))
    points[:, :kept] = left[:, :kept] * sizes[:kept]
    shares[:kept] = variance[:kept] / variance.sum()
    return points, shares
