"""What units do over time."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.visualization.checks import check_count, check_finite, check_shape
from keras_videolstm.visualization.stills import STILL_INCHES, check_stills, draw_stills
from keras_videolstm.visualization.style import (
    DIVERGING_COLOURS,
    INK,
    add_title,
    new_figure,
    styled,
)

_WIDTH = 9.0
_UNIT_INCHES = 0.02


@styled()
def draw_activity(
    activity: NDArray[Any],
    *,
    trained_steps: int | None = None,
    frames: NDArray[Any] | None = None,
    label: str = "activity h",
    title: str | None = None,
) -> Figure:
    """Draw the activity of units over time, a row a unit (paper, expanded version).

    Args:
        activity: `(units, time)`.
        trained_steps: a line stands after so many steps, the horizon of training. Defaults to
            None: no line.
        frames: pictures of the first steps, as `(frames, height, width)`, `(frames, height, width,
            1)` or `(frames, height, width, 3)`; as many as fit are shown. Defaults to None: no
            pictures.
        label: of the colour scale. Defaults to "activity h".
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        InputError: for an array of another shape, NaN, steps outside it, or more frames than
            steps.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import draw_activity
        >>> waves = np.sin(np.arange(100) / 5 + np.arange(200)[:, None])
        >>> figure = draw_activity(waves, trained_steps=10)
    """
    shown = check_shape("activity", activity, ("units", "time"))
    check_finite("activity", shown)
    units, time = shown.shape
    stills = None if frames is None else check_stills(frames, time)
    inches = max(2.2, _UNIT_INCHES * units + 1.0)
    figure, axes, scale_axes, film = _paper(inches, stills is not None)
    largest = float(np.abs(shown).max()) or 1.0
    image = axes.imshow(
        shown,
        aspect="auto",
        interpolation="nearest",
        cmap=DIVERGING_COLOURS,
        vmin=-largest,
        vmax=largest,
        extent=(0.5, time + 0.5, units + 0.5, 0.5),
    )
    if trained_steps is not None:
        steps = check_count("trained_steps", trained_steps, 1, time + 1)
        axes.axvline(steps + 0.5, color=INK, linewidth=1.2)
        axes.annotate(
            "horizon of training",
            (steps + 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, 3),
            textcoords="offset points",
            fontsize="small",
        )
    axes.set(xlabel="step of the forecast", ylabel="unit")
    figure.colorbar(image, cax=scale_axes, label=label)
    add_title(figure, title)
    if film is not None:
        figure.draw_without_rendering()
        covered, whole = (0.5, len(stills) + 0.5), (0.5, time + 0.5)
        draw_stills(film, stills, np.arange(1, len(stills) + 1), covered, whole)
    return figure


def _paper(inches: float, with_film: bool) -> tuple[Figure, Axes, Axes, Axes | None]:
    """Return a figure, and the axes of the activity, its scale and the frames above."""
    film_inches = (STILL_INCHES + 0.1) * with_film
    figure = new_figure(_WIDTH, inches + film_inches, arrange=True)
    grid = figure.add_gridspec(
        1 + with_film,
        2,
        width_ratios=(1, 0.02),
        height_ratios=(film_inches, inches) if with_film else None,
    )
    axes, scale_axes = figure.add_subplot(grid[-1, 0]), figure.add_subplot(grid[-1, 1])
    return figure, axes, scale_axes, figure.add_subplot(grid[0, 0]) if with_film else None
