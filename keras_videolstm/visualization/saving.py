"""Files that appear whole or not at all."""

import os
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.figure import Figure

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.style import SAVED_DPI, styled

FIGURE_SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg")


@contextmanager
def whole_file(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` once the block has ended well.

    Args:
        path: the file to write. Its folder exists.
        suffixes: the endings allowed, in lower case.

    Raises:
        InputError: for another ending, or a folder that does not exist.

    Example:
        >>> import tempfile, pathlib
        >>> from keras_videolstm.visualization.saving import whole_file
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with whole_file(f"{folder}/a.png", (".png",)) as temporary:
        ...         _ = temporary.write_bytes(b"...")
        ...     [file.name for file in pathlib.Path(folder).iterdir()]
        ['a.png']
    """
    target = check_path(path, suffixes)
    temporary = target.with_name(f".{target.stem}-{uuid.uuid4().hex[:8]}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)  # noqa: PTH105
    finally:
        temporary.unlink(missing_ok=True)


def check_path(path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> Path:
    """Return the path, or raise `InputError` for a wrong ending or a missing folder."""
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        endings = ", ".join(suffixes)
        raise InputError(f"Expected a file name ending in one of {endings}. Received: {target}")
    if not target.parent.is_dir():
        raise InputError(f"Expected a folder that exists. Received: {target.parent}")
    return target


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure to a picture file, whole or not at all.

    Args:
        figure: what a `draw_*` function returned.
        path: the file to write, ending in .png, .pdf, .svg, .jpg or .jpeg; a file of that name
            is replaced. Its folder exists.

    Returns:
        The path written.

    Raises:
        InputError: for another ending, or a folder that does not exist.

    Example:
        >>> import tempfile
        >>> from keras_videolstm.visualization import draw_curves, save_figure
        >>> figure = draw_curves({"loss": [3.0, 2.0, 1.5]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_figure(figure, f"{folder}/loss.png").name
        'loss.png'
    """
    with (
        whole_file(path, FIGURE_SUFFIXES) as temporary,
        styled(),
        warnings.catch_warnings(),
    ):
        # A name in letters that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(temporary, dpi=SAVED_DPI)
    return Path(path)
