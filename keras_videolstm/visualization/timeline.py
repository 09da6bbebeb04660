"""What a classifier takes a clip for, moment by moment."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import (
    check_frames,
    check_labels,
    check_numbers,
    check_times,
)
from keras_videolstm.visualization.stills import STILL_INCHES, draw_stills
from keras_videolstm.visualization.style import (
    FAINT,
    INK,
    PAPER,
    PROBABILITY_COLOURS,
    SMALL_SIZE,
    new_figure,
    shorten,
    styled,
    text_width,
)

MAX_CLASSES = 10
"""Further classes are summed up in one row."""

_LABEL_CHARACTERS = 24
_TITLE_CHARACTERS = 70

# Lengths on paper, in inches.
_PAPER_WIDTH = 10.0
_ROW = 0.27
_RIGHT = 1.25
_TOP = 0.42
_BOTTOM = 0.55
_GAP = 0.08


@styled()
def draw_action_timeline(
    probabilities: NDArray[Any],
    labels: Sequence[str],
    times_seconds: NDArray[Any],
    *,
    frames: NDArray[Any] | None = None,
    frame_times: NDArray[Any] | None = None,
    duration: float | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the class probabilities of one clip over time, under frames of the clip.

    A row for each class, the likeliest over the whole clip on top; of more than 10 classes the
    rest is summed up in one row. The most probable class of each moment is underlined.

    Args:
        probabilities: `(time, classes)`, in [0, 1].
        labels: the names of the classes, in order.
        times_seconds: `(time,)`, increasing: the middle of the moment each row speaks of.
        frames: pictures from the clip, `(frames, height, width)`, `(frames, height, width, 1)` or
            `(frames, height, width, 3)`, uint8 or floats in [0, 1]; as many as fit are shown.
            Defaults to None: no pictures.
        frame_times: `(frames,)` in seconds, increasing. Defaults to None: `times_seconds`.
        duration: length of the clip in seconds, all of which is shown. Defaults to None: as far as
            the moments reach.
        title: written above. Defaults to None: the likeliest class and its mean probability.

    Returns:
        A `matplotlib.figure.Figure` whose first axes hold the probabilities.

    Raises:
        InputError: for a wrong rank, numbers outside [0, 1], NaN, labels or times of another
            number, times that do not increase, or a duration that ends before the last of them.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import draw_action_timeline
        >>> probabilities = np.array([[0.7, 0.3], [0.4, 0.6], [0.2, 0.8]])
        >>> figure = draw_action_timeline(probabilities, ["walk", "run"], [0.5, 1.5, 2.5])
        >>> figure.get_suptitle()
        'run (57 %)'
    """
    chances = _check_probabilities(probabilities)
    names = check_labels(labels, chances.shape[1], "class")
    times = check_times("times_seconds", times_seconds, len(chances))
    pictures = None if frames is None else check_frames("frames", frames)
    picture_times = _check_frame_times(pictures, frame_times, times)

    shown, rows = _ranked(chances, names)
    figure, axes, film = _paper(shown, pictures is not None)
    edges = _edges(times, duration)
    _draw_chances(figure, axes, rows, edges)
    _draw_labels(axes, shown, rows.mean(axis=0), chance=1 / len(names))
    _underline(axes, chances, rows.shape[1], edges)
    if film is not None:
        whole = (edges[0], edges[-1])
        draw_stills(film, pictures, picture_times, whole, whole)
    top = int(chances.mean(axis=0).argmax())
    headline = title or f"{names[top]} ({100 * chances[:, top].mean():.0f} %)"
    headline = shorten(headline, _TITLE_CHARACTERS)
    figure.suptitle(
        headline, x=axes.get_position().x0, ha="left", y=1 - 0.1 / figure.get_figheight(), va="top"
    )
    return figure


def _check_probabilities(probabilities: NDArray[Any]) -> NDArray[Any]:
    chances = check_numbers("probabilities", probabilities, ("time", "classes"))
    if chances.min() < -1e-3 or chances.max() > 1 + 1e-3:
        raise InputError(
            "Expected `probabilities` in [0, 1]. "
            f"Received: numbers from {chances.min():g} to {chances.max():g}"
        )
    return np.clip(chances, 0.0, 1.0)


def _check_frame_times(
    pictures: NDArray[Any] | None, frame_times: NDArray[Any] | None, times: NDArray[Any]
) -> NDArray[Any] | None:
    if pictures is None:
        return None
    if frame_times is not None:
        return check_times("frame_times", frame_times, len(pictures))
    if len(pictures) != len(times):
        raise InputError(
            "Expected `frame_times`, or as many frames as `times_seconds`. "
            f"Received: {len(pictures)} frames and {len(times)} times"
        )
    return times


def _order(chances: NDArray[Any]) -> NDArray[Any]:
    return np.argsort(-chances.mean(axis=0), kind="stable")


def _ranked(chances: NDArray[Any], names: Sequence[str]) -> tuple[list[str], NDArray[Any]]:
    """Return the rows to show, likeliest first, and their `(time, rows)` probabilities."""
    order = _order(chances)
    kept, rest = order[:MAX_CLASSES], order[MAX_CLASSES:]
    shown = [shorten(names[place], _LABEL_CHARACTERS) for place in kept]
    if not len(rest):
        return shown, chances[:, kept]
    others = chances[:, rest].sum(axis=1, keepdims=True)
    return [*shown, f"{len(rest)} others"], np.hstack([chances[:, kept], np.minimum(others, 1.0)])


def _edges(times: NDArray[Any], duration: float | None) -> NDArray[Any]:
    """Return the borders between moments, halfway from one to the next."""
    inner = (times[:-1] + times[1:]) / 2
    if duration is not None:
        if not duration >= times[-1]:
            raise InputError(
                f"Expected a `duration` of at least {times[-1]:g} s. Received: {duration}"
            )
        return np.concatenate([[0.0], inner, [duration]])
    if len(times) == 1:
        return np.array([times[0] - 0.5, times[0] + 0.5])
    return np.concatenate([[2 * times[0] - inner[0]], inner, [2 * times[-1] - inner[-1]]])


def _paper(shown: Sequence[str], with_film: bool) -> tuple[Figure, Axes, Axes | None]:
    left = max(text_width(name, bold=True) for name in shown) + 0.25
    table = _ROW * len(shown)
    height = _TOP + (STILL_INCHES + _GAP) * with_film + table + _BOTTOM
    figure = new_figure(_PAPER_WIDTH, height)
    width = (_PAPER_WIDTH - left - _RIGHT) / _PAPER_WIDTH
    left /= _PAPER_WIDTH
    axes = figure.add_axes((left, _BOTTOM / height, width, table / height))
    if not with_film:
        return figure, axes, None
    bottom = (_BOTTOM + table + _GAP) / height
    film = figure.add_axes((left, bottom, width, STILL_INCHES / height))
    return figure, axes, film


def _draw_chances(figure: Figure, axes: Axes, rows: NDArray[Any], edges: NDArray[Any]) -> None:
    borders = np.arange(rows.shape[1] + 1) - 0.5
    mesh = axes.pcolormesh(edges, borders, rows.T, cmap=PROBABILITY_COLOURS, vmin=0, vmax=1)
    axes.hlines(borders, edges[0], edges[-1], color=FAINT, linewidth=0.6)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(borders[-1], borders[0]))
    place = axes.get_position()
    scale_axes = figure.add_axes((1 - 0.62 / _PAPER_WIDTH, place.y0, 0.011, place.height))
    scale = figure.colorbar(mesh, cax=scale_axes)
    scale.set_ticks([0, 0.5, 1], labels=["0 %", "50 %", "100 %"])
    scale.outline.set(edgecolor=FAINT)


def _draw_labels(axes: Axes, shown: Sequence[str], means: NDArray[Any], chance: float) -> None:
    axes.set_yticks(range(len(shown)), shown)
    axes.get_yticklabels()[0].set_weight("bold")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    note = f"underlined: the most probable class; guessing: {100 * chance:.0f} %"
    axes.set_xlabel(f"time in seconds ({note})")
    for place, mean in enumerate(means):
        _write_beside(axes, f"{100 * mean:.0f} %", place)
    _write_beside(axes, "mean", -0.8)


def _write_beside(axes: Axes, text: str, row: float) -> None:
    axes.text(
        1.052,
        row,
        text,
        transform=axes.get_yaxis_transform(),
        ha="right",
        va="center",
        fontsize=SMALL_SIZE,
    )


def _underline(axes: Axes, chances: NDArray[Any], rows: int, edges: NDArray[Any]) -> None:
    """Mark each moment's winner; one beyond the rows shown is marked in the row of the rest."""
    rank = np.argsort(_order(chances))
    winners = np.minimum(rank[chances.argmax(axis=1)], rows - 1)
    for colour, width in ((PAPER, 3.4), (INK, 1.6)):
        axes.hlines(
            winners + 0.36, edges[:-1], edges[1:], color=colour, linewidth=width, antialiased=False
        )
