"""How far a forecast of vectors, which cannot be looked at, can be trusted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_numbers
from keras_videolstm.visualization.stills import STILL_INCHES, check_stills, draw_stills
from keras_videolstm.visualization.style import (
    DIVIDER,
    MUTED,
    PALETTE,
    PAPER,
    ROLE_COLOURS,
    SMALL_SIZE,
    add_title,
    divide,
    new_figure,
    styled,
)

MAX_FEATURES = 40
"""Only so many features, those that vary most, are shown one by one."""

_INCHES = 6.2
_GUESS_COLOURS = (PALETTE["blue"], PALETTE["purple"], PALETTE["orange"], PALETTE["sky"])
_GUESS_DASHES = ((0, (4, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)))
_MOST_GUESSES = len(_GUESS_COLOURS)
_HOW_TO_READ = (
    "Errors: how far off the features of each frame are; 0 is exact. Below, the features that "
    "vary most:\na good forecast looks like the truth. Left of the line is what the model had read."
)


@styled()
def draw_forecast(
    read: NDArray[Any],
    truth: NDArray[Any],
    forecast: NDArray[Any],
    *,
    rebuilt: NDArray[Any] | None = None,
    guesses: Mapping[str, NDArray[Any]] | None = None,
    frames: NDArray[Any] | None = None,
    fps: float | None = None,
    title: str | None = None,
) -> Figure:
    """Draw a forecast of vectors: its error at each time, and the features themselves.

    All panels share one time, in which a line divides input from future; of the input no more is
    shown than of the future, its end. An error is the mean squared error over the features. Below,
    the 40 features that vary most are shown, truth above the model's on one colour scale.

    Args:
        read: what the model read, `(input time, features)`.
        truth: what followed, `(time, features)`.
        forecast: what the model said would follow, `(time, features)`.
        rebuilt: what the model made of `read`, of its shape. Defaults to None: nothing.
        guesses: simpler forecasts by name, each `(features,)`, the same at all times; at most
            four. Defaults to None.
        frames: pictures of the steps from the first of `read` on, `(frames, height, width)`,
            `(frames, height, width, 1)` or `(frames, height, width, 3)`; as many as fit are shown,
            above the errors. Defaults to None: no pictures.
        fps: steps a second; time is then in seconds. Defaults to None: in steps, the first is 1.
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure` whose first axes hold the errors, the second and third the
        features, true and by the model.

    Raises:
        InputError: for arrays of a wrong rank or of different shapes, NaN, more than four guesses,
            more frames than there are steps, or `fps` that is not positive.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import draw_forecast
        >>> clip = np.random.default_rng(0).random((32, 128))
        >>> read, truth = clip[:16], clip[16:]
        >>> figure = draw_forecast(read, truth, truth * 0.9, guesses={"last frame held": read[-1]})
    """
    clip, model, shown = _checked(read, truth, forecast, rebuilt)
    others = _check_guesses(guesses, clip.shape[1])
    films = None if frames is None else check_stills(frames, len(clip))[shown]
    if fps is not None and not fps > 0:
        raise InputError(f"Expected `fps` above 0. Received: {fps!r}")
    step = 1 if fps is None else 1 / fps
    # A step is in the middle of its time: step 1 at 1, or from second 0 to 1 / fps.
    times = (np.arange(len(clip))[shown] + (1 if fps is None else 0.5)) * step
    begins = len(read) - shown.start
    divider = times[begins] - step / 2

    figure, curves, panels, film = _paper(title, films is not None)
    whole = (times[0] - step / 2, times[-1] + step / 2)
    _draw_errors(curves, times, clip[shown], model[shown], others, begins)
    _draw_features(figure, panels, clip[shown], model[shown], whole)
    panels[1].set_xlabel("time step" if fps is None else f"seconds, {fps:g} frames in each")
    for axes in panels[:2]:
        axes.axvline(divider, **{**DIVIDER, "color": PAPER})
    for axes in (curves, *panels[:2]):
        axes.set_xlim(*whole)
        axes.xaxis.set_major_locator(MaxNLocator(integer=fps is None, min_n_ticks=1))
    add_title(figure, title)
    if film is None:
        divide(curves, divider)
    else:
        curves.axvline(divider, **DIVIDER)
        figure.draw_without_rendering()
        for part in (slice(0, begins), slice(begins, len(films))):
            _draw_stills(film, films[part], times[part], step, whole)
        divide(film, divider)
    return figure


def _checked(
    read: NDArray[Any],
    truth: NDArray[Any],
    forecast: NDArray[Any],
    rebuilt: NDArray[Any] | None,
) -> tuple[NDArray[Any], NDArray[Any], slice]:
    """Return the clip, what the model makes of it (NaN where nothing), and what is shown."""
    before = check_numbers("read", read, ("input time", "features"))
    after = check_numbers("truth", truth, ("time", "features"))
    guessed = check_numbers("forecast", forecast, ("time", "features"))
    made = np.full(before.shape, np.nan)
    if rebuilt is not None:
        made = check_numbers("rebuilt", rebuilt, ("input time", "features"))
    for name, values, like, shape in (
        ("truth", after[:1], "read", before[:1].shape),
        ("forecast", guessed, "truth", after.shape),
        ("rebuilt", made, "read", before.shape),
    ):
        if values.shape != shape:
            raise InputError(
                f"Expected `{name}` of the shape of `{like}`, {shape}. "
                f"Received: shape={values.shape}"
            )
    clip, model = np.concatenate([before, after]), np.concatenate([made, guessed])
    return clip, model, slice(max(len(before) - len(after), 0), len(clip))


def _check_guesses(
    guesses: Mapping[str, NDArray[Any]] | None, features: int
) -> dict[str, NDArray[Any]]:
    if len(guesses or {}) > _MOST_GUESSES:
        raise InputError(f"Expected at most {_MOST_GUESSES} guesses. Received: {len(guesses)}")
    checked = {}
    for name, guess in (guesses or {}).items():
        checked[name] = check_numbers(f"guesses[{name!r}]", guess, ("features",))
        if len(checked[name]) != features:
            raise InputError(
                f"Expected `guesses[{name!r}]` of {features} features. "
                f"Received: {len(checked[name])}"
            )
    return checked


def _draw_stills(
    film: Axes,
    pictures: NDArray[Any],
    times: NDArray[Any],
    step: float,
    whole: tuple[float, float],
) -> None:
    if len(pictures):
        of_film = times[: len(pictures)]
        covered = (of_film[0] - step / 2, of_film[-1] + step / 2)
        draw_stills(film, pictures, of_film, covered, whole)


def _paper(title: str | None, with_film: bool) -> tuple[Figure, Axes, list[Axes], Axes | None]:
    """Return a figure, and the axes of the errors, the features, and the frames above."""
    film_inches = (STILL_INCHES + 0.1) * with_film
    figure = new_figure(8.0, _INCHES + film_inches + 0.3 * bool(title), arrange=True)
    heights = [film_inches] * with_film + [0.42 * _INCHES, 0.29 * _INCHES, 0.29 * _INCHES]
    grid = figure.add_gridspec(len(heights), 2, width_ratios=(1, 0.02), height_ratios=heights)
    curves, truth, model = (figure.add_subplot(grid[place, 0]) for place in (-3, -2, -1))
    scale = figure.add_subplot(grid[-2:, 1])
    figure.supxlabel(_HOW_TO_READ, x=0.01, ha="left", fontsize=SMALL_SIZE, color=MUTED)
    film = figure.add_subplot(grid[0, 0]) if with_film else None
    return figure, curves, [truth, model, scale], film


def _draw_errors(
    axes: Axes,
    times: NDArray[Any],
    clip: NDArray[Any],
    model: NDArray[Any],
    guesses: Mapping[str, NDArray[Any]],
    begins: int,
) -> None:
    styles = zip(_GUESS_COLOURS, _GUESS_DASHES, strict=True)
    alone = "D" if len(times) - begins == 1 else None  # one point makes no line
    for (name, guess), (colour, dashes) in zip(guesses.items(), styles, strict=False):
        errors = np.mean((guess - clip) ** 2, axis=1)
        axes.plot(times, errors, color=colour, linestyle=dashes, label=name, marker=alone)
    errors = np.mean((model - clip) ** 2, axis=1)
    look = {"color": ROLE_COLOURS["prediction"], "linewidth": 2.2}
    look["marker"] = "o" if len(times) <= 60 else None
    if not np.isnan(errors[0]):
        axes.plot(times[:begins], errors[:begins], **look | {"linewidth": 1.2}, label="rebuilt")
    axes.plot(times[begins:], errors[begins:], **look, label="forecast")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.08), ncols=5, columnspacing=1.2)
    axes.grid(axis="y")
    axes.set(ylabel="mean squared error")
    axes.set_ylim(bottom=0)


def _draw_features(
    figure: Figure,
    panels: list[Axes],
    clip: NDArray[Any],
    model: NDArray[Any],
    whole: tuple[float, float],
) -> None:
    chosen = np.argsort(-clip.std(axis=0), kind="stable")[:MAX_FEATURES]
    both = np.stack([clip[:, chosen], model[:, chosen]])
    low, high = np.nanpercentile(both, [1, 99])
    *pair, scale_axes = panels
    for axes, features, role in zip(pair, both, ("truth", "prediction"), strict=True):
        image = axes.imshow(
            features.T,
            cmap="cividis",
            vmin=low,
            vmax=high if high > low else low + 1,
            aspect="auto",
            interpolation="nearest",
            extent=(*whole, len(chosen) + 0.5, 0.5),
        )
        axes.set_yticks([])
        rebuilt = "" if np.isnan(features[0, 0]) else "rebuilt, then "
        name = "truth" if role == "truth" else f"{rebuilt}forecast"
        axes.set_title(name, loc="left", color=ROLE_COLOURS[role])
    pair[0].set_ylabel(_feature_label(len(chosen), clip.shape[1]))
    scale = figure.colorbar(image, cax=scale_axes)
    scale.set_label("value")
    scale.outline.set_visible(False)


def _feature_label(shown: int, total: int) -> str:
    if shown == total:
        return f"{total} features"
    return f"{shown} of {total:,}\nfeatures"
