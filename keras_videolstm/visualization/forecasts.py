"""How far a forecast of vectors, which cannot be looked at, can be trusted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_count, check_numbers
from keras_videolstm.visualization.stills import STILL_INCHES, check_stills, draw_stills
from keras_videolstm.visualization.style import (
    DIVIDER,
    PALETTE,
    ROLE_COLOURS,
    add_title,
    divide,
    new_figure,
    styled,
)

MAX_FEATURES = 40
"""Only so many features, those that vary most, are shown one by one."""

_INCHES = 5.4
_BASELINE_COLOURS = (PALETTE["blue"], PALETTE["purple"], PALETTE["orange"], PALETTE["sky"])
_BASELINE_DASHES = ((0, (4, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)))


@styled()
def draw_forecast(
    truth: NDArray[Any],
    forecast: NDArray[Any],
    input_steps: int,
    *,
    baselines: Mapping[str, NDArray[Any]] | None = None,
    frames: NDArray[Any] | None = None,
    input_frames: NDArray[Any] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw a forecast of vectors: its error at each time step, and the features themselves.

    An error is the mean squared error over the features. Below, the 40 features that vary most are
    shown, truth beside forecast on one colour scale.

    Args:
        truth: what followed the input, `(time, features)`.
        forecast: what the model said would follow, `(time, features)`.
        input_steps: how many time steps went before; the first forecast is for
            `t = input_steps + 1`.
        baselines: mean squared errors of simpler forecasts by name, each of shape `(time,)`; at
            most four. Defaults to None.
        frames: pictures of the first steps of the truth, `(frames, height, width)`, `(frames,
            height, width, 1)` or `(frames, height, width, 3)`; as many as fit are shown, above the
            errors. Defaults to None: no pictures.
        input_frames: pictures of the last steps before, likewise, left of `frames` and of a line
            that divides input from future. Defaults to None: no pictures.
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure` whose first axes hold the errors, the second and third the
        features of truth and forecast.

    Raises:
        InputError: for arrays of a wrong rank or of different shapes, NaN, negative errors, more
            than four baselines, more frames than there are steps, or input frames alone.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import draw_forecast
        >>> truth = np.random.default_rng(0).random((16, 128))
        >>> copied = np.mean((truth[:1] - truth) ** 2, axis=1)
        >>> figure = draw_forecast(truth, truth * 0.9, 16, baselines={"copy last": copied})
    """
    actual = check_numbers("truth", truth, ("time", "features"))
    guessed = check_numbers("forecast", forecast, ("time", "features"))
    if actual.shape != guessed.shape:
        raise InputError(
            f"Expected `forecast` of the shape of `truth`, {actual.shape}. "
            f"Received: shape={guessed.shape}"
        )
    steps = check_count("input_steps", input_steps, 0)
    others = _check_baselines(baselines, len(actual))
    times = np.arange(len(actual)) + steps + 1
    before, after = _check_films(input_frames, frames, steps, len(actual))

    figure, curves, panels, film = _paper(title, after is not None)
    first = times[0] if before is None else times[0] - len(before)
    _draw_errors(curves, times, np.mean((guessed - actual) ** 2, axis=1), others, first)
    _draw_features(figure, panels, actual, guessed, times)
    add_title(figure, title)
    if film is not None:
        figure.draw_without_rendering()
        whole = (first - 0.5, times[-1] + 0.5)
        if before is not None:
            _draw_stills(film, before, first, whole)
            divide(film, times[0] - 0.5)
            curves.axvline(times[0] - 0.5, **DIVIDER)
        _draw_stills(film, after, times[0], whole)
    return figure


def _check_films(
    before: NDArray[Any] | None, after: NDArray[Any] | None, steps: int, count: int
) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
    if before is not None and after is None:
        raise InputError("Expected `frames` beside `input_frames`. Received: frames=None")
    return (
        None if before is None else check_stills(before, steps),
        None if after is None else check_stills(after, count),
    )


def _draw_stills(
    film: Axes, pictures: NDArray[Any], first: int, whole: tuple[float, float]
) -> None:
    times = first + np.arange(len(pictures))
    draw_stills(film, pictures, times, (times[0] - 0.5, times[-1] + 0.5), whole)


def _paper(title: str | None, with_film: bool) -> tuple[Figure, Axes, list[Axes], Axes | None]:
    """Return a figure, and the axes of the errors, the features, and the frames above."""
    film_inches = (STILL_INCHES + 0.1) * with_film
    figure = new_figure(8.0, _INCHES + film_inches + 0.3 * bool(title), arrange=True)
    heights = [film_inches] * with_film + [_INCHES / 2] * 2
    grid = figure.add_gridspec(len(heights), 3, width_ratios=(1, 1, 0.03), height_ratios=heights)
    curves = figure.add_subplot(grid[-2, :])
    panels = [figure.add_subplot(grid[-1, place]) for place in range(3)]
    return figure, curves, panels, figure.add_subplot(grid[0, :]) if with_film else None


def _check_baselines(
    baselines: Mapping[str, NDArray[Any]] | None, count: int
) -> dict[str, NDArray[Any]]:
    if len(baselines or {}) > len(_BASELINE_COLOURS):
        raise InputError(
            f"Expected at most {len(_BASELINE_COLOURS)} baselines. Received: {len(baselines)}"
        )
    return {name: _check_baseline(name, line, count) for name, line in (baselines or {}).items()}


def _check_baseline(name: str, line: NDArray[Any], count: int) -> NDArray[Any]:
    errors = check_numbers(f"baselines[{name!r}]", line, ("time",))
    if len(errors) != count or errors.min() < 0:
        raise InputError(
            f"Expected `baselines[{name!r}]` as {count} errors of at least 0. "
            f"Received: {len(errors)} numbers from {errors.min():g}"
        )
    return errors


def _draw_errors(
    axes: Axes,
    times: NDArray[Any],
    errors: NDArray[Any],
    baselines: Mapping[str, NDArray[Any]],
    first: int,
) -> None:
    marker = "o" if len(times) <= 30 else None
    alone = "D" if len(times) == 1 else None  # one point makes no line
    styles = zip(_BASELINE_COLOURS, _BASELINE_DASHES, strict=True)
    for (name, line), (colour, dashes) in zip(baselines.items(), styles, strict=False):
        axes.plot(times, line, color=colour, linestyle=dashes, label=name, marker=alone)
    colour = ROLE_COLOURS["prediction"]
    axes.plot(times, errors, color=colour, marker=marker, linewidth=2.2, label="forecast")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=5, handlelength=2.6)
    axes.grid(axis="y")
    ending = f" (the input ends at {times[0] - 1})" if times[0] > 1 else ""
    axes.set(xlabel=f"time step{ending}", ylabel="mean squared error")
    axes.set_ylim(bottom=0)
    _number_times(axes, first, times[-1])


def _number_times(axes: Axes, first: int, last: int) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(first - 0.5, last + 0.5)


def _draw_features(
    figure: Figure,
    panels: list[Axes],
    truth: NDArray[Any],
    forecast: NDArray[Any],
    times: NDArray[Any],
) -> None:
    chosen = np.argsort(-truth.std(axis=0), kind="stable")[:MAX_FEATURES]
    both = np.stack([truth[:, chosen], forecast[:, chosen]])
    low, high = np.percentile(both, [1, 99])
    *pair, scale_axes = panels
    for axes, features, role in zip(pair, both, ("truth", "prediction"), strict=True):
        image = axes.imshow(
            features.T,
            cmap="cividis",
            vmin=low,
            vmax=high if high > low else low + 1,
            aspect="auto",
            interpolation="nearest",
            extent=(times[0] - 0.5, times[-1] + 0.5, len(chosen) + 0.5, 0.5),
        )
        name = "truth" if role == "truth" else "forecast"
        axes.set_title(name, loc="left", color=ROLE_COLOURS[role])
        axes.set_xlabel("time step")
        _number_times(axes, times[0], times[-1])
        axes.set_yticks([])
    panels[0].set_ylabel(_feature_label(len(chosen), truth.shape[1]))
    scale = figure.colorbar(image, cax=scale_axes)
    scale.set_label("value")
    scale.outline.set_visible(False)


def _feature_label(shown: int, total: int) -> str:
    if shown == total:
        return f"{total} features"
    return f"{shown} of {total:,} features,\nwhose truth varies most"
