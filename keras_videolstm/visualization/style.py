"""The one look that all pictures share: fonts, sizes, colours, and what each colour means."""

import textwrap
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import ImageFont

Role = Literal["input", "truth", "rebuilt", "prediction"]
"""What a film strip is: what the model saw, what really followed, or what the model made."""

ROLES: tuple[Role, ...] = get_args(Role)

PALETTE = MappingProxyType(
    {
        "blue": "#0072B2",
        "orange": "#E69F00",
        "green": "#009E73",
        "purple": "#CC79A7",
        "sky": "#56B4E9",
        "vermilion": "#D55E00",
        "yellow": "#F0E442",
        "black": "#000000",
    }
)
"""Okabe and Ito's eight colours, which colour-blind readers can tell apart."""

ROLE_COLOURS = MappingProxyType(
    {
        "input": "#6F8CA6",
        "truth": PALETTE["green"],
        "rebuilt": PALETTE["purple"],
        "prediction": PALETTE["vermilion"],
    }
)
INK = "#222222"
MUTED = "#666666"
FAINT = "#DDDDDD"
PAPER = "#FFFFFF"

FONT_SIZE = 9.0
SMALL_SIZE = 8.0
TITLE_SIZE = 11.0
SAVED_DPI = 150

# Letters fitted to the pixels of a screen come out a little wider than designed.
_HINTING = 1.03

COUNT_COLOURS = LinearSegmentedColormap.from_list("counts", [PAPER, PALETTE["blue"], "#00304D"])
PROBABILITY_COLOURS = LinearSegmentedColormap.from_list(
    "probabilities", [PAPER, "#F2B48A", PALETTE["vermilion"], "#5E2A00"]
)

DIVERGING_COLOURS = LinearSegmentedColormap.from_list(
    "diverging", ["#00304D", PALETTE["blue"], PAPER, PALETTE["vermilion"], "#5E2A00"]
)

STYLE = MappingProxyType(
    {
        "font.family": ["sans-serif"],
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": FONT_SIZE,
        "text.color": INK,
        "text.usetex": False,
        # What callers name is shown as it is: a dollar sign begins no formula.
        "text.parse_math": False,
        "figure.facecolor": PAPER,
        "figure.dpi": 100,
        "figure.titlesize": TITLE_SIZE,
        "figure.titleweight": "bold",
        "savefig.facecolor": "auto",
        "savefig.bbox": None,
        "axes.facecolor": PAPER,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.labelsize": FONT_SIZE,
        "axes.titlesize": FONT_SIZE + 1,
        "axes.titleweight": "bold",
        "axes.titlecolor": INK,
        "axes.titlelocation": "left",
        "axes.linewidth": 0.8,
        "axes.grid": False,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=[*PALETTE.values()]),
        "grid.color": FAINT,
        "grid.linewidth": 0.8,
        "grid.linestyle": "-",
        "lines.linewidth": 1.6,
        "lines.markersize": 4.0,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": SMALL_SIZE,
        "ytick.labelsize": SMALL_SIZE,
        "legend.frameon": False,
        "legend.fontsize": SMALL_SIZE,
        "legend.labelcolor": INK,
        "image.interpolation": "antialiased",
        "image.origin": "upper",
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
    }
)
"""The matplotlib settings behind every picture."""

DIVIDER: Mapping[str, Any] = MappingProxyType(
    {"color": INK, "linewidth": 1.2, "linestyle": (0, (4, 2)), "zorder": 3}
)
"""How a line is drawn that divides input from future."""

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def styled() -> Iterator[None]:
    """Hold matplotlib to the shared style; also a decorator.

    Matplotlib keeps its settings in one global table, so threads that draw take turns here; the
    caller's settings are back at the end.

    Example:
        >>> import matplotlib
        >>> from keras_videolstm.visualization.style import styled
        >>> with styled():
        ...     matplotlib.rcParams["font.size"]
        9.0
    """
    with _ONE_AT_A_TIME, matplotlib.rc_context(dict(STYLE)):
        yield


def new_figure(width: float, height: float, arrange: bool = False) -> Figure:
    """Return an empty figure, sizes in inches, that no pyplot window or registry knows of.

    Args:
        width: width in inches.
        height: height in inches.
        arrange: let matplotlib make room for labels. Defaults to False: axes are placed by hand.

    Returns:
        A `matplotlib.figure.Figure` on an Agg canvas.

    Example:
        >>> from keras_videolstm.visualization.style import new_figure
        >>> new_figure(4, 3).get_size_inches().tolist()
        [4.0, 3.0]
    """
    layout = ConstrainedLayoutEngine(h_pad=0.08, w_pad=0.1) if arrange else None
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def text_width(text: str, size: float = SMALL_SIZE, bold: bool = False) -> float:
    """Return the width of a text in inches, of several lines the widest one's.

    Example:
        >>> from keras_videolstm.visualization.style import text_width
        >>> text_width("four", size=9) < text_width("letters", size=9)
        True
    """
    font = pillow_font(100, bold)
    widest = max((font.getlength(line) for line in text.splitlines()), default=0.0)
    return _HINTING * widest / 100 * size / 72


@cache
def pillow_font(pixels: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font of the figures, which matplotlib brings along, for use with Pillow.

    Example:
        >>> from keras_videolstm.visualization.style import pillow_font
        >>> pillow_font(14).getname()
        ('DejaVu Sans', 'Book')
    """
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, pixels)


def wrap_title(title: str, inches: float) -> str:
    """Break a title into lines that are at most so many inches wide.

    Example:
        >>> from keras_videolstm.visualization.style import wrap_title
        >>> wrap_title("a title that is too long", inches=1.5).count("\\n")
        1
    """
    widest = text_width(title, size=TITLE_SIZE, bold=True)
    if widest <= inches:
        return title
    return textwrap.fill(title, max(10, int(0.95 * len(title) * inches / widest)))


def add_title(figure: Figure, title: str | None) -> None:
    """Write a title in the left upper corner of a figure that arranges itself; None writes none.

    Example:
        >>> from keras_videolstm.visualization.style import add_title, new_figure
        >>> figure = new_figure(4, 3, arrange=True)
        >>> add_title(figure, "Losses")
        >>> figure.get_suptitle()
        'Losses'
    """
    if title:
        figure.suptitle(wrap_title(title, 0.96 * figure.get_figwidth()), x=0.01, ha="left")


def divide(axes: Axes, place: float) -> None:
    """Divide input from future by a line, up into the margin, where it stands between the words.

    Args:
        axes: over time.
        place: on the horizontal axis.

    Example:
        >>> from keras_videolstm.visualization.style import divide, new_figure
        >>> axes = new_figure(4, 3).add_subplot()
        >>> divide(axes, 0.5)
        >>> [text.get_text() for text in axes.texts]
        ['input', 'future', '|']
    """
    axes.axvline(place, **DIVIDER)
    words = (("input", "right", -6, MUTED), ("future", "left", 6, MUTED), ("|", "center", 0, INK))
    for word, align, shift, colour in words:
        axes.annotate(
            word,
            (place, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(shift, 4),
            textcoords="offset points",
            ha=align,
            va="bottom",
            color=colour,
            fontsize=SMALL_SIZE,
        )


def on_one_line(text: str) -> str:
    """Return a text with spaces in place of its line breaks.

    Example:
        >>> from keras_videolstm.visualization.style import on_one_line
        >>> on_one_line("jumping\\njack")
        'jumping jack'
    """
    return " ".join(text.splitlines())


def shorten(text: str, limit: int) -> str:
    """Cut a long text to `limit` characters, the last an ellipsis.

    Example:
        >>> from keras_videolstm.visualization.style import shorten
        >>> shorten("a very long class name", 10)
        'a very lo…'
    """
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
