"""What units do over time."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.visualization.checks import check_count, check_shape
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
    label: str = "activity h",
    title: str | None = None,
) -> Figure:
    """Draw the activity of units over time, a row a unit (paper, expanded version).

    Args:
        activity: `(units, time)`.
        trained_steps: a line stands after so many steps, the horizon of training. Defaults to
            None: no line.
        label: of the colour scale. Defaults to "activity h".
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        InputError: for an array of another shape, NaN, or steps outside it.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import draw_activity
        >>> waves = np.sin(np.arange(100) / 5 + np.arange(200)[:, None])
        >>> figure = draw_activity(waves, trained_steps=10)
    """
    shown = check_shape("activity", activity, ("units", "time"))
    units, time = shown.shape
    figure = new_figure(_WIDTH, max(2.2, _UNIT_INCHES * units + 1.0), arrange=True)
    axes = figure.add_subplot()
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
    figure.colorbar(image, label=label, pad=0.01)
    add_title(figure, title)
    return figure
