"""Weights as pictures."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_shape
from keras_videolstm.visualization.style import DIVERGING_COLOURS, add_title, new_figure, styled

_TILES_ACROSS = 10
_TILE_INCHES = 0.62
_GAP = 1
_LEAST_SIDE = 32


@styled()
def draw_features(panels: Mapping[str, NDArray[Any]], *, title: str | None = None) -> Figure:
    """Draw the weights of units as small images, a panel for each kind of weight.

    White is zero, blue negative, vermilion positive; each image has its own scale, so that weak
    units show their shape too.

    Args:
        panels: by name, images `(units, height, width)`, ten of which stand in a row.
        title: written above. Defaults to None.

    Returns:
        A `matplotlib.figure.Figure` with one axes a panel.

    Raises:
        InputError: for no panels, or arrays of another shape.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import draw_features
        >>> weights = np.random.default_rng(0).normal(size=(20, 64, 64))
        >>> figure = draw_features({"input gate": weights}, title="What a unit sees")
    """
    if not panels:
        raise InputError("Expected at least one panel of features. Received: none")
    sheets = {
        name: _sheet(check_shape(f"panels[{name!r}]", images, ("units", "height", "width")))
        for name, images in panels.items()
    }
    across = min(len(sheets), 2)
    down = math.ceil(len(sheets) / across)
    height, width, _ = next(iter(sheets.values())).shape
    inches = _TILE_INCHES * _TILES_ACROSS
    figure = new_figure(
        across * inches + 0.3, down * (inches * height / width + 0.3) + 0.3 * bool(title), True
    )
    for place, (name, sheet) in enumerate(sheets.items(), start=1):
        axes = figure.add_subplot(down, across, place)
        axes.imshow(sheet, interpolation="nearest")
        axes.set_title(name)
        axes.set_axis_off()
    add_title(figure, title)
    return figure


def _sheet(images: NDArray[Any]) -> NDArray[Any]:
    """Return the images as one, ten in a row, in colours."""
    # Beside images of few pixels the gaps would be wide.
    larger = -(-_LEAST_SIDE // min(images.shape[1:]))
    images = np.repeat(np.repeat(images, larger, axis=1), larger, axis=2)
    count, height, width = images.shape
    across = min(count, _TILES_ACROSS)
    down = math.ceil(count / across)
    largest = np.abs(images).max(axis=(1, 2), keepdims=True)
    shown = 0.5 + 0.5 * images / np.where(largest > 0, largest, 1)
    sheet = np.full((down * (height + _GAP) + _GAP, across * (width + _GAP) + _GAP, 3), 0.6)
    for index, image in enumerate(DIVERGING_COLOURS(shown)[..., :3]):
        top, left = (
            n * (side + _GAP) + _GAP
            for n, side in zip(divmod(index, across), (height, width), strict=True)
        )
        sheet[top : top + height, left : left + width] = image
    return sheet
