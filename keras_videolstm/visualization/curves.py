"""Numbers over training, and numbers side by side."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_count, check_numbers, check_shape
from keras_videolstm.visualization.style import (
    INK,
    MUTED,
    PALETTE,
    SMALL_SIZE,
    add_title,
    new_figure,
    styled,
    text_width,
)

_VALIDATION = "val_"
_COLOUR = PALETTE["blue"]
_PANEL_COLUMNS = 3
_MARKED_POINTS = 25
"""Shorter curves show their points, so that one between two gaps is seen."""

Series = dict[str, NDArray[Any]]
"""A metric's curves by name: "training", "validation" or both."""


@styled()
def draw_curves(
    history: Mapping[str, Sequence[float]],
    *,
    xlabel: str = "epoch",
    title: str | None = None,
    best: int | None = None,
    first: int = 1,
) -> Figure:
    """Draw training curves, a panel for each metric.

    `x` and `val_x` share a panel: `x` is solid, `val_x` dashed. NaN and infinity leave gaps.

    Args:
        history: numbers by the metric's name, one for each epoch, such as Keras's
            `History.history`. The curves may differ in length.
        xlabel: what the numbers are counted by. Defaults to "epoch".
        title: written above. Defaults to None.
        best: marks this epoch, and writes its value (of the validation curve where there is one).
            Defaults to None: no mark.
        first: number of the first. Defaults to 1.

    Returns:
        A `matplotlib.figure.Figure` with an axes for each metric, in the order of `history`.

    Raises:
        InputError: for no curves, curves of a wrong rank, or `best` beyond the curves.

    Example:
        >>> from keras_videolstm.visualization import draw_curves
        >>> history = {"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.4, 2.5], "mae": [1.0, 0.8, 0.7]}
        >>> figure = draw_curves(history, best=2)
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['loss', 'mae']
    """
    metrics = _grouped(history)
    longest = max(len(curve) for series in metrics.values() for curve in series.values())
    if best is not None:
        best = check_count("best", best, first, first + longest - 1)
    figure = _panels(len(metrics), title)
    for axes, (name, series) in zip(figure.axes, metrics.items(), strict=True):
        _draw_panel(axes, series, first, longest)
        axes.set_title(name.replace("_", " "), loc="left")
        axes.set_xlabel(xlabel)
        if best is not None:
            _mark(axes, series, best, best - first, xlabel)
    _draw_key(figure, metrics)
    return figure


def _grouped(history: Mapping[str, Sequence[float]]) -> dict[str, Series]:
    if not isinstance(history, Mapping) or not history:
        received = f"{history!r}" if not history else type(history).__name__
        raise InputError(
            f"Expected `history` to map at least one name to numbers. Received: {received}"
        )
    metrics: dict[str, Series] = {}
    for name, numbers in history.items():
        curve = check_shape(f"history[{name!r}]", numbers, ("epochs",)).astype(np.float64)
        kind = "validation" if name.startswith(_VALIDATION) else "training"
        curve = np.where(np.isfinite(curve), curve, np.nan)
        metrics.setdefault(name.removeprefix(_VALIDATION), {})[kind] = curve
    return metrics


def _panels(count: int, title: str | None) -> Figure:
    across = min(count, _PANEL_COLUMNS)
    down = math.ceil(count / across)
    figure = new_figure(3.5 * across + 0.4, 2.5 * down + 0.35 + 0.3 * bool(title), arrange=True)
    for place in range(1, count + 1):
        figure.add_subplot(down, across, place)
    add_title(figure, title)
    return figure


def _draw_panel(axes: Axes, series: Series, first: int, longest: int) -> None:
    for kind, curve in series.items():
        axes.plot(
            np.arange(first, first + len(curve)),
            curve,
            color=_COLOUR,
            linestyle=_line_style(kind),
            marker="o" if len(curve) <= _MARKED_POINTS else None,
            markersize=3,
            markerfacecolor=_COLOUR if kind == "training" else "white",
        )
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    margin = max(0.5, 0.02 * longest)
    axes.set_xlim(first - margin, first + longest - 1 + margin)
    if all(np.isnan(curve).all() for curve in series.values()):
        axes.text(0.5, 0.5, "no finite values", transform=axes.transAxes, ha="center", color=MUTED)
        axes.set_yticks([])


def _line_style(kind: str) -> str | tuple[int, tuple[int, int]]:
    return "-" if kind == "training" else (0, (4, 2))


def _mark(axes: Axes, series: Series, best: int, place: int, xlabel: str) -> None:
    axes.axvline(best, color=MUTED, linewidth=1.0, linestyle=":", zorder=1)
    curve = series.get("validation", series.get("training"))
    value = curve[place] if place < len(curve) else np.nan
    note = f"{xlabel} {best}" if np.isnan(value) else f"{xlabel} {best}: {value:.4g}"
    axes.set_title(note, loc="right", fontsize=SMALL_SIZE, fontweight="normal", color=MUTED)
    axes.plot([best], [value], "o", color=PALETTE["vermilion"], markersize=6, zorder=3)


def _draw_key(figure: Figure, metrics: Mapping[str, Series]) -> None:
    used = {kind for series in metrics.values() for kind in series}
    if used == {"training"}:
        return
    kinds = [kind for kind in ("training", "validation") if kind in used]
    figure.legend(
        handles=[Line2D([], [], color=_COLOUR, ls=_line_style(kind), label=kind) for kind in kinds],
        loc="outside lower center",
        ncols=2,
        handlelength=2.6,
    )


@styled()
def draw_bars(
    groups: Mapping[str, tuple[float, float]],
    *,
    xlabel: str,
    title: str | None = None,
    chance: float | None = None,
    largest: float | None = None,
) -> Figure:
    """Draw means as horizontal bars from 0, with their standard deviations, numbers written.

    Args:
        groups: mean and standard deviation by name, the first on top; a deviation of 0 is left
            out.
        xlabel: what is measured, with its unit.
        title: written above. Defaults to None.
        chance: a line at the level of guessing. Defaults to None: no line.
        largest: the largest number that there can be, beyond which no tick stands. Defaults to
            None: there is none.

    Returns:
        A `matplotlib.figure.Figure` with one axes.

    Raises:
        InputError: for no groups, anything but two finite numbers in one, or a negative deviation.

    Example:
        >>> from keras_videolstm.visualization import draw_bars
        >>> groups = {"from scratch": (0.62, 0.03), "pretrained": (0.71, 0.02)}
        >>> figure = draw_bars(groups, xlabel="accuracy", chance=0.1)
    """
    names, means, deviations = _check_groups(groups)
    figure = new_figure(
        max(6.4, 4.2 + max(text_width(name) for name in names)),
        0.36 * len(names) + 0.85 + 0.3 * bool(title),
        arrange=True,
    )
    axes = figure.add_subplot()
    places = np.arange(len(names))
    axes.barh(places, means, height=0.62, color=_COLOUR, alpha=0.75)
    spread = deviations > 0
    axes.errorbar(
        means[spread], places[spread], xerr=deviations[spread], fmt="none", ecolor=INK, capsize=3
    )
    axes.set_yticks(places, names)
    axes.set(xlabel=xlabel, ylim=(len(names) - 0.45, -0.55))
    axes.tick_params(axis="y", length=0)
    _write_numbers(axes, means, deviations)
    _make_room(axes, means - deviations, means + deviations)
    if chance is not None:
        _draw_chance(axes, chance)
    if largest is not None:
        _leave_out_ticks(axes, largest)
    add_title(figure, title)
    return figure


def _leave_out_ticks(axes: Axes, largest: float) -> None:
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in axes.get_xticks() if low <= tick <= min(high, largest)])
    axes.set_xlim(low, high)


def _check_groups(
    groups: Mapping[str, tuple[float, float]],
) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    if not isinstance(groups, Mapping) or not groups:
        received = f"{groups!r}" if not groups else type(groups).__name__
        raise InputError(f"Expected `groups` to map names to (mean, std). Received: {received}")
    for name, pair in groups.items():
        _check_pair(name, pair)
    numbers = np.array(list(groups.values()), dtype=np.float64)
    return [str(name) for name in groups], numbers[:, 0], numbers[:, 1]


def _check_pair(name: str, pair: tuple[float, float]) -> None:
    numbers = check_numbers(f"groups[{name!r}]", pair, ("mean and std",))
    if len(numbers) != 2 or numbers[1] < 0:
        raise InputError(
            f"Expected `groups[{name!r}]` as (mean, std), std at least 0. Received: {pair!r}"
        )


def _decimals(largest: float) -> int:
    """Three significant digits of the largest number."""
    return int(np.clip(2 - math.floor(math.log10(largest)), 0, 6)) if largest > 0 else 1


def _write_numbers(axes: Axes, means: NDArray[Any], deviations: NDArray[Any]) -> None:
    decimals = _decimals(float(np.abs(means).max()))
    ends = np.maximum(means + deviations, 0.0)
    for place, (mean, deviation, end) in enumerate(zip(means, deviations, ends, strict=True)):
        spread = f" ± {deviation:.{decimals}f}" if deviation > 0 else ""
        axes.annotate(
            f"{mean:.{decimals}f}{spread}".replace("-", "−"),
            (end, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL_SIZE,
        )


def _make_room(axes: Axes, lows: NDArray[Any], highs: NDArray[Any]) -> None:
    """Leave the numbers, which stand right of the bars, their place."""
    low, high = min(1.05 * lows.min(), 0.0), max(highs.max(), 0.0)
    axes.set_xlim(low, high + 0.28 * (high - low or 1.0))


def _draw_chance(axes: Axes, chance: float) -> None:
    if not math.isfinite(chance):
        raise InputError(f"Expected `chance` as a finite number. Received: {chance!r}")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 1.05 * chance), max(high, 1.05 * chance))
    axes.axvline(chance, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
    axes.annotate(
        f"chance {chance:.3g}",
        (chance, 1.0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=MUTED,
        fontsize=SMALL_SIZE,
    )
