"""Film strips one under another on one time axis: what went in, what followed, what was made."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from keras_videolstm.visualization.checks import check_count
from keras_videolstm.visualization.strips import Row, Strip, check_rows, strip_at, time_span
from keras_videolstm.visualization.style import (
    INK,
    MUTED,
    ROLE_COLOURS,
    ROLES,
    SMALL_SIZE,
    TITLE_SIZE,
    divide,
    new_figure,
    styled,
    text_width,
    wrap_title,
)

MAX_COLUMNS = 20

# Lengths within the picture, in widths of one frame.
_COLUMN = 1.08
_ROW_GAP = 0.14
_DIVIDER_GAP = 0.24

# Lengths on paper, in inches.
_WIDEST_FRAME = 1.0
_STRIP_WIDTH = 10.5
_LABEL_CHARACTERS = 20
_EDGE = 0.12
_LINE = 0.24


@dataclass(frozen=True)
class _Columns:
    """The time steps shown, and where each stands."""

    times: tuple[int, ...]
    before_divider: int | None
    """How many columns stand left of the divider, None without one."""

    def left(self, column: int) -> float:
        """Left edge of a column's frame, in frame widths."""
        past = self.before_divider is not None and column >= self.before_divider
        return column * _COLUMN + (_DIVIDER_GAP if past else 0.0)

    @property
    def width(self) -> float:
        return self.left(len(self.times) - 1) + 1.0

    @property
    def divider(self) -> float:
        """Middle of the gap that parts the input from the future."""
        assert self.before_divider is not None
        return (self.left(self.before_divider - 1) + 1.0 + self.left(self.before_divider)) / 2


@styled()
def draw_sequence(
    rows: Mapping[str, Row], *, input_steps: int | None = None, title: str | None = None
) -> Figure:
    """Draw film strips one under another, aligned on one time axis.

    Frames of the same time step stand in one column; where a row has no frame, nothing is drawn.
    The colour around a frame tells its role. Time steps are counted from `t=1` in the picture.
    Of a long film, 20 time steps, evenly spread, are shown.

    Args:
        rows: the rows by name, the first on top. A row is a film of shape `(time, height, width)`,
            `(time, height, width, 1)` or `(time, height, width, 3)`, uint8 or floats in [0, 1]; or
            a `Strip`, which says when the film starts and what it is; or a list of strips that do
            not overlap in time. A bare film starts at the first time step; its role is the row's
            name where that is one ("truth", "prediction"), else "input".
        input_steps: a line divides the first `input_steps` time steps from the future. Defaults
            to None: no line.
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure` with one axes.

    Raises:
        InputError: for no rows, films of a wrong shape or scale, NaN, strips of one row that
            overlap, or `input_steps` outside the film.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import Strip, draw_sequence
        >>> film = np.random.default_rng(0).random((20, 64, 64))
        >>> rows = {
        ...     "input": Strip(film[:10]),
        ...     "truth": Strip(film[10:], start=10, role="truth"),
        ...     "model": Strip(film[10:] * 0.8, start=10, role="prediction"),
        ... }
        >>> figure = draw_sequence(rows, input_steps=10, title="Ten frames on")
    """
    strips = check_rows(rows)
    columns = _choose_columns(time_span(strips), input_steps)
    tops, height = _stack(strips)
    figure, axes = _paper(strips, columns, height, title)
    for top, row in zip(tops, strips.values(), strict=True):
        _draw_row(axes, row, columns, top)
    _draw_labels(axes, strips, columns, tops)
    if columns.before_divider is not None:
        divide(axes, columns.divider)
    _draw_notes(figure, axes, strips, columns)
    axes.set(xlim=(0, columns.width), ylim=(height, 0), aspect="auto")
    return figure


def _choose_columns(span: range, input_steps: int | None) -> _Columns:
    count = min(len(span), MAX_COLUMNS)
    times = np.rint(np.linspace(span.start, span.stop - 1, count)).astype(int)
    if input_steps is None:
        return _Columns(tuple(times.tolist()), None)
    steps = check_count("input_steps", input_steps, 1, span.stop)
    before = int(np.sum(times < steps))
    return _Columns(tuple(times.tolist()), before if 0 < before < count else None)


def _stack(rows: Mapping[str, tuple[Strip, ...]]) -> tuple[list[float], float]:
    """Return the upper edge of each row, and the height of all, in frame widths."""
    heights = [_row_height(row) for row in rows.values()]
    edges = np.cumsum([0.0, *(height + _ROW_GAP for height in heights)])
    return edges[:-1].tolist(), float(edges[-1]) - _ROW_GAP


def _row_height(row: tuple[Strip, ...]) -> float:
    return max(strip.frames.shape[1] / strip.frames.shape[2] for strip in row)


def _paper(
    rows: Mapping[str, tuple[Strip, ...]], columns: _Columns, height: float, title: str | None
) -> tuple[Figure, Axes]:
    """Return a figure in which a frame width is the same length on both axes."""
    unit = min(_WIDEST_FRAME, _STRIP_WIDTH / columns.width)
    left = _EDGE + 0.1 + max(_label_width(name) for name in rows)
    title_lines = wrap_title(title or "", max(2.0, left + columns.width * unit)).splitlines()
    above = _EDGE + _LINE * len(title_lines) + _LINE * (columns.before_divider is not None)
    below = _LINE * (2 if _has_notes(rows) else 1) + _EDGE
    needed = max((text_width(line, TITLE_SIZE, bold=True) for line in title_lines), default=0.0)
    strip_width = columns.width * unit
    paper_width = max(left + strip_width, needed + _EDGE) + _EDGE
    paper_height = above + height * unit + below
    figure = new_figure(paper_width, paper_height)
    axes = figure.add_axes(
        (
            left / paper_width,
            below / paper_height,
            strip_width / paper_width,
            height * unit / paper_height,
        )
    )
    if title_lines:
        figure.suptitle(
            "\n".join(title_lines),
            x=_EDGE / paper_width,
            y=1 - _EDGE / paper_height,
            ha="left",
            va="top",
        )
    return figure, axes


def _label_width(name: str) -> float:
    return max(text_width(line, bold=True) for line in _wrapped(name).split("\n"))


def _has_notes(rows: Mapping[str, tuple[Strip, ...]]) -> bool:
    roles = {strip.role for row in rows.values() for strip in row}
    return len(roles) > 1 or len(time_span(rows)) > MAX_COLUMNS


def _wrapped(name: str) -> str:
    # A checkpoint's name is one word to `textwrap`; it may break after each part of it.
    return textwrap.fill(name.replace("_", "_ "), _LABEL_CHARACTERS).replace("_ ", "_")


def _draw_row(axes: Axes, row: tuple[Strip, ...], columns: _Columns, top: float) -> None:
    for column, time in enumerate(columns.times):
        strip = strip_at(row, time)
        if strip is not None:
            _draw_frame(axes, strip, time, columns.left(column), top)


def _draw_frame(axes: Axes, strip: Strip, time: int, left: float, top: float) -> None:
    frame = strip.frame_at(time)
    height = frame.shape[0] / frame.shape[1]
    axes.imshow(frame, extent=(left, left + 1, top + height, top), aspect="auto")
    border = Rectangle(
        (left, top),
        1,
        height,
        fill=False,
        edgecolor=ROLE_COLOURS[strip.role],
        linewidth=1.6,
        clip_on=False,
    )
    axes.add_patch(border)


def _draw_labels(
    axes: Axes, rows: Mapping[str, tuple[Strip, ...]], columns: _Columns, tops: list[float]
) -> None:
    middles = [columns.left(column) + 0.5 for column in range(len(columns.times))]
    numbers = [str(time + 1) for time in columns.times]
    axes.set_xticks(middles, [f"t={numbers[0]}", *numbers[1:]])
    centres = [top + _row_height(row) / 2 for top, row in zip(tops, rows.values(), strict=True)]
    axes.set_yticks(centres, [_wrapped(name) for name in rows])
    for label, row in zip(axes.get_yticklabels(), rows.values(), strict=True):
        roles = {strip.role for strip in row}
        label.set(color=ROLE_COLOURS[roles.pop()] if len(roles) == 1 else INK, weight="bold")
    axes.tick_params(length=0, pad=5)
    axes.spines[:].set_visible(False)


def _draw_notes(
    figure: Figure, axes: Axes, rows: Mapping[str, tuple[Strip, ...]], columns: _Columns
) -> None:
    """Under the strips: what the colours mean, and what was left out."""
    height = figure.get_figheight()
    used = {strip.role for row in rows.values() for strip in row}
    if len(used) > 1:
        figure.legend(
            handles=[Patch(color=ROLE_COLOURS[role], label=role) for role in ROLES if role in used],
            loc="lower left",
            bbox_to_anchor=(axes.get_position().x0, 0.02 / height),
            borderpad=0,
            borderaxespad=0.2,
            ncols=len(used),
            handlelength=0.9,
            handleheight=0.9,
        )
    total = len(time_span(rows))
    if total > len(columns.times):
        figure.text(
            axes.get_position().x1,
            0.06 / height,
            f"{len(columns.times)} of {total} time steps shown",
            ha="right",
            va="bottom",
            color=MUTED,
            fontsize=SMALL_SIZE,
        )
