"""What several models reach, against what they learned from."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_numbers
from keras_videolstm.visualization.style import (
    MUTED,
    PALETTE,
    SMALL_SIZE,
    add_title,
    new_figure,
    styled,
)

_LOOKS = [(colour, line) for line in ("-", "--", ":") for colour in list(PALETTE.values())[:6]]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@styled()
def draw_learning(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    levels: Mapping[str, float] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw a curve for each model over a logarithmic axis, and the levels that others reached.

    Args:
        curves: by name, what was learned from (positive) and what was reached, as many of each.
        xlabel: what is learned from.
        ylabel: what is reached, with its unit.
        levels: further numbers by name, horizontal lines. Defaults to None: none.
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure` with one axes.

    Raises:
        InputError: for no curves, or numbers that are not as many, finite, and positive in x.

    Example:
        >>> from keras_videolstm.visualization import draw_learning
        >>> curves = {"composite": ([8000, 16000, 24000], [610.0, 540.0, 500.0])}
        >>> figure = draw_learning(curves, xlabel="sequences", ylabel="nats", levels={"goal": 345})
    """
    if not curves:
        raise InputError("Expected at least one curve. Received: none")
    figure = new_figure(6.8, 3.9 + 0.3 * bool(title), arrange=True)
    axes = figure.add_subplot()
    for (name, curve), (colour, line) in zip(curves.items(), _repeated(len(curves)), strict=True):
        x, y = _checked(name, curve)
        axes.plot(x, y, color=colour, linestyle=line, label=name)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(_Powers())
    axes.xaxis.set_minor_formatter(_Powers())
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(axis="y")
    for name, level in (levels or {}).items():
        _draw_level(axes, name, level)
    figure.legend(loc="outside right upper")
    add_title(figure, title)
    return figure


class _Powers(LogFormatterSciNotation):
    """Writes powers of ten without a formula, which no text of ours is read as."""

    def __call__(self, x: float, pos: Any = None) -> str:
        found = re.search(r"(?:([\d.]+)\\times)?10\^\{(-?\d+)\}", super().__call__(x, pos))
        if found is None:
            return ""
        factor = f"{found[1]} × " if found[1] else ""
        return f"{factor}10{found[2].translate(_SUPERSCRIPTS)}"


def _repeated(count: int) -> list[tuple[str, str]]:
    return [_LOOKS[number % len(_LOOKS)] for number in range(count)]


def _checked(name: str, curve: tuple[Sequence[float], Sequence[float]]) -> list[NDArray[Any]]:
    x, y = (check_numbers(f"curves[{name!r}]", part, ("points",)) for part in curve)
    if len(x) != len(y) or min(x) <= 0:
        raise InputError(
            f"Expected `curves[{name!r}]` as positive numbers and as many results. "
            f"Received: {len(x)} and {len(y)}, from {min(x)}"
        )
    return [x, y]


def _draw_level(axes: Axes, name: str, level: float) -> None:
    axes.axhline(level, color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.annotate(
        f"{name} {level:.4g}",
        (1.0, level),
        xycoords=axes.get_yaxis_transform(),
        xytext=(-3, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=MUTED,
        fontsize=SMALL_SIZE,
    )
