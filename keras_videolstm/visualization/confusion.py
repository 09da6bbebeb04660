"""Which classes are taken for which."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_labels, check_numbers
from keras_videolstm.visualization.style import (
    COUNT_COLOURS,
    FAINT,
    FONT_SIZE,
    INK,
    PAPER,
    new_figure,
    shorten,
    styled,
    text_width,
    wrap_title,
)

MAX_NUMBERED = 25
"""With more classes than this, the cells carry no numbers."""

_MAX_COUNTED = 12
"""With more classes than this, the cells carry percentages only."""

_LABEL_CHARACTERS = 28

_LARGEST_SIDE = 16.0
_LABEL_PITCH = 0.125
"""With classes too many for a label each this far apart, only some are named."""

# Lengths on paper, in inches.
_EDGE = 0.12
_AXIS_NAME = 0.38
_SCALE = 1.1
_HEADLINE = 0.22


@styled()
def draw_confusion(
    matrix: NDArray[Any], labels: Sequence[str], *, title: str | None = None
) -> Figure:
    """Draw a confusion matrix: a row for each true class, a column for each predicted one.

    A cell's colour is its share of the true class. Cells carry the count and the percentage for
    up to 12 classes, the percentage for up to 25, and no number beyond. With more than 128 classes
    only every second, third, ... is named. Accuracy and the number of examples are written above.

    Args:
        matrix: counts of shape `(classes, classes)`, true class first. A class may have no
            example.
        labels: the names of the classes, in order.
        title: written before the accuracy. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure` whose first axes hold the matrix.

    Raises:
        InputError: for a matrix that is not square, has no examples, or holds anything but whole
            counts; or labels of another number.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import draw_confusion
        >>> counts = np.array([[8, 1, 1], [0, 9, 1], [2, 0, 8]])
        >>> figure = draw_confusion(counts, ["jump", "run", "walk"])
        >>> figure.axes[0].get_title(loc="left")
        'accuracy 83.3 %, n = 30'
    """
    counts = _check_counts(matrix)
    names = [
        shorten(name, _LABEL_CHARACTERS) for name in check_labels(labels, len(counts), "class")
    ]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    headline = _headline(counts, title)
    axes = _paper(names, headline)
    image = axes.imshow(shares, cmap=COUNT_COLOURS, vmin=0, vmax=1, interpolation="nearest")
    _draw_labels(axes, names)
    _draw_numbers(axes, counts, shares)
    _draw_scale(axes, image, len(names))
    axes.set_title(headline, pad=8)
    return axes.figure


def _check_counts(matrix: NDArray[Any]) -> NDArray[Any]:
    counts = check_numbers("matrix", matrix, ("classes", "classes"))
    if counts.shape[0] != counts.shape[1]:
        raise InputError(f"Expected a square `matrix`. Received: shape={counts.shape}")
    wrong = counts[(counts < 0) | (counts != np.rint(counts))]
    if wrong.size:
        raise InputError(f"Expected whole counts of at least 0. Received: {wrong[0]:g}")
    if not counts.any():
        raise InputError("Expected at least one example. Received: a matrix of zeros")
    return counts.astype(np.int64)


def _headline(counts: NDArray[Any], title: str | None) -> str:
    total = int(counts.sum())
    summary = f"accuracy {100 * np.trace(counts) / total:.1f} %, n = {total:,}"
    if not title:
        return summary
    side = len(counts) * _cell_inches(len(counts))
    return f"{wrap_title(title, max(4.0, side + _SCALE))}\n{summary}"


def _cell_inches(classes: int) -> float:
    if classes <= _MAX_COUNTED:
        return 0.58
    if classes <= MAX_NUMBERED:
        return 0.36
    return min(max(_LABEL_PITCH, 9.0 / classes), _LARGEST_SIDE / classes)


def _named_places(classes: int) -> range:
    """Return the places of the classes whose names find room."""
    return range(0, classes, math.ceil(_LABEL_PITCH / _cell_inches(classes)))


def _font_size(classes: int) -> float:
    return float(np.clip(_cell_inches(classes) * 72 * 0.62, 5.0, FONT_SIZE))


def _angle(names: Sequence[str]) -> int:
    widest = max(text_width(name, size=_font_size(len(names))) for name in names)
    if widest < _cell_inches(len(names)):
        return 0
    return 45 if len(names) <= MAX_NUMBERED else 90


def _paper(names: Sequence[str], headline: str) -> Axes:
    """Return square axes on a paper with room for the labels, the headline and the scale."""
    side = len(names) * _cell_inches(len(names))
    longest = max(text_width(name, size=_font_size(len(names))) for name in names)
    lines = headline.splitlines()
    headline_width = max(text_width(line, size=FONT_SIZE + 1, bold=True) for line in lines)
    left = longest + _AXIS_NAME + _EDGE
    below = {0: 0.15, 45: 0.75 * longest + 0.1, 90: longest}[_angle(names)] + _AXIS_NAME + _EDGE
    above = _HEADLINE * len(lines) + 2 * _EDGE
    width = left + max(side + _SCALE, headline_width + _EDGE)
    height = below + side + above
    figure = new_figure(width, height)
    return figure.add_axes((left / width, below / height, side / width, side / height))


def _draw_labels(axes: Axes, names: Sequence[str]) -> None:
    size = _font_size(len(names))
    angle = _angle(names)
    places = _named_places(len(names))
    named = [names[place] for place in places]
    axes.set_yticks(places, named, fontsize=size)
    axes.set_xticks(places, named, fontsize=size, rotation=angle)
    if angle == 45:
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(True)
    if len(named) == len(names):
        _draw_grid(axes, len(names))


def _draw_grid(axes: Axes, classes: int) -> None:
    edges = np.arange(classes + 1) - 0.5
    width = 0.6 if classes <= MAX_NUMBERED else 0.3
    axes.hlines(edges, edges[0], edges[-1], color=FAINT, linewidth=width)
    axes.vlines(edges, edges[0], edges[-1], color=FAINT, linewidth=width)


def _draw_numbers(axes: Axes, counts: NDArray[Any], shares: NDArray[Any]) -> None:
    classes = len(counts)
    if classes > MAX_NUMBERED:
        return
    size = 8.0 if classes <= _MAX_COUNTED else 6.5
    for row, column in np.argwhere(counts):
        share = shares[row, column]
        axes.text(
            column,
            row,
            _cell_text(counts[row, column], share, classes),
            ha="center",
            va="center",
            fontsize=size,
            color=PAPER if share > 0.4 else INK,
        )


def _cell_text(count: int, share: float, classes: int) -> str:
    percent = f"{100 * share:.0f}"
    return f"{count:,}\n{percent} %" if classes <= _MAX_COUNTED else percent


def _draw_scale(axes: Axes, image: AxesImage, classes: int) -> None:
    side = classes * _cell_inches(classes)
    scale_axes = axes.inset_axes((1 + 0.12 / side, 0, 0.14 / side, 1))
    scale = axes.figure.colorbar(image, cax=scale_axes)
    scale.set_ticks([0, 0.5, 1], labels=["0 %", "50 %", "100 %"])
    scale.set_label("share of the true class")
    scale.outline.set(edgecolor=FAINT)
