"""What methods reach with few labelled videos and with many."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_numbers
from keras_videolstm.visualization.style import MUTED, PALETTE, add_title, new_figure, styled

_MARKERS = "osD^vP*X"
_APART = 0.06
"""Places between two methods' points, so that their error bars are seen."""


@styled()
def draw_label_curves(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    shots: Sequence[int | None],
    *,
    ylabel: str = "video accuracy, %",
    chance: float | None = None,
    title: str | None = None,
) -> Figure:
    """Draw a curve for each method over the labelled videos a class, with deviations (Figure 7).

    Args:
        curves: by method, mean and standard deviation for each of `shots`.
        shots: labelled videos a class, rising; `None`, as the last, is all of them.
        ylabel: what is reached, with its unit.
        chance: a line at the level of guessing. Defaults to None: no line.
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure` with one axes.

    Raises:
        InputError: for no curves, or one that is not as long as `shots`.

    Example:
        >>> from keras_videolstm.visualization import draw_label_curves
        >>> curves = {"scratch": [(29.6, 2.0), (74.5, 0.4)], "tuned": [(34.3, 1.9), (75.8, 0.3)]}
        >>> figure = draw_label_curves(curves, [1, None], chance=1.0)
    """
    if not curves or not shots:
        raise InputError("Expected at least one curve of at least one point. Received: none")
    figure = new_figure(6.4, 4.5 + 0.3 * bool(title), arrange=True)
    axes = figure.add_subplot()
    places = np.arange(len(shots), dtype=np.float64)
    shift = (np.arange(len(curves)) - (len(curves) - 1) / 2) * _APART
    for number, (name, points) in enumerate(curves.items()):
        means, deviations = _checked(name, points, len(shots))
        axes.errorbar(
            places + shift[number],
            means,
            deviations,
            label=name,
            color=list(PALETTE.values())[number % len(PALETTE)],
            marker=_MARKERS[number % len(_MARKERS)],
            markersize=5,
            capsize=3,
            linewidth=1.4,
        )
    axes.set_xticks(places, ["all" if count is None else str(count) for count in shots])
    axes.set(xlabel="labelled videos a class", ylabel=ylabel)
    axes.grid(axis="y")
    if chance is not None:
        axes.axhline(chance, color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)), label="chance")
    figure.legend(loc="outside lower center", ncols=2)
    add_title(figure, title)
    return figure


def _checked(name: str, points: Sequence[tuple[float, float]], length: int) -> NDArray[Any]:
    if len(points) != length or any(len(point) != 2 for point in points):
        raise InputError(
            f"Expected `curves[{name!r}]` as {length} pairs (mean, std). Received: {points!r}"
        )
    numbers = check_numbers(f"curves[{name!r}]", np.ravel(points), ("points",))
    return np.asarray(numbers, np.float64).reshape(length, 2).T
