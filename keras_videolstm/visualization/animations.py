"""Films as files: GIF and MP4, and several films in one picture."""

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from keras_videolstm.errors import InputError
from keras_videolstm.visualization.checks import check_count, check_frames
from keras_videolstm.visualization.saving import whole_file
from keras_videolstm.visualization.strips import Row, Strip, check_rows, strip_at, time_span
from keras_videolstm.visualization.style import FAINT, INK, MUTED, PAPER, ROLE_COLOURS, pillow_font

ANIMATION_SUFFIXES = (".gif", ".mp4")

# Lengths in pixels.
_BORDER = 4
_GAP = 12
_FONT_PIXELS = 14
_TEXT_LINE = 24


def write_animation(frames: NDArray[Any], path: str | os.PathLike[str], fps: float = 10.0) -> Path:
    """Write a film to a .gif or .mp4 file, whole or not at all.

    A GIF repeats for ever, counts time in hundredths of a second, and holds frames that do not
    differ as one longer frame. An MP4 is H.264; odd sizes are padded by repeating the last row or
    column.

    Args:
        frames: `(time, height, width)`, `(time, height, width, 1)` or `(time, height, width, 3)`;
            uint8, or floats in [0, 1].
        path: the file to write; one of that name is replaced. Its folder exists.
        fps: frames per second. Defaults to 10.0.

    Returns:
        The path written.

    Raises:
        InputError: for frames of a wrong shape or scale, NaN, another ending, a folder that does
            not exist, or `fps` outside 0.1 to 100.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from keras_videolstm.visualization import write_animation
        >>> film = np.random.default_rng(0).random((10, 64, 64))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_animation(film, f"{folder}/film.gif", fps=5).name
        'film.gif'
    """
    pixels = check_frames("frames", frames)
    rate = _check_rate(fps)
    with whole_file(path, ANIMATION_SUFFIXES) as temporary:
        write = _write_gif if temporary.suffix.lower() == ".gif" else _write_mp4
        write(pixels, temporary, rate)
    return Path(path)


def _check_rate(fps: float) -> Fraction:
    if not 0.1 <= fps <= 100:
        raise InputError(f"Expected `fps` from 0.1 to 100 frames a second. Received: {fps!r}")
    return Fraction(fps).limit_denominator(1000)


def _write_gif(pixels: NDArray[Any], path: Path, rate: Fraction) -> None:
    grey = bool(np.all(pixels[..., :1] == pixels))
    images = [_indexed(Image.fromarray(frame), grey) for frame in pixels]
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=float(1000 / rate), loop=0
    )


def _indexed(image: Image.Image, grey: bool) -> Image.Image:
    if grey:
        return image.convert("L")
    return image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _write_mp4(pixels: NDArray[Any], path: Path, rate: Fraction) -> None:
    even = _pad_to_even(pixels)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("h264", rate=rate, options={"crf": "16"})
        stream.height, stream.width = even.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in even:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def _pad_to_even(pixels: NDArray[Any]) -> NDArray[Any]:
    _, height, width, _ = pixels.shape
    return np.pad(pixels, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def side_by_side(
    rows: Mapping[str, Row], *, input_steps: int | None = None, panel_size: int = 160
) -> NDArray[Any]:
    """Put films next to each other, each under its name, as one film for `write_animation`.

    The border of a panel tells the role of the frame in it (as in `draw_sequence`: input,
    truth, prediction); a panel is empty at times its row has no frame, and says from when on it
    has one. The time step is written below, counted from `t=1`.

    Args:
        rows: the films by name, as for `draw_sequence`.
        input_steps: later time steps are marked as the future. Defaults to None: no mark.
        panel_size: small frames are enlarged by whole numbers so far as the longer side stays
            within this many pixels. Defaults to 160.

    Returns:
        A uint8 array of shape `(time, height, width, 3)`.

    Raises:
        InputError: for no rows, films of a wrong shape or scale, NaN, strips of one row that
            overlap, or `input_steps` outside the film.

    Example:
        >>> import numpy as np
        >>> from keras_videolstm.visualization import Strip, side_by_side
        >>> film = np.random.default_rng(0).random((20, 64, 64))
        >>> rows = {
        ...     "film": [Strip(film[:10]), Strip(film[10:], start=10, role="truth")],
        ...     "model": Strip(film[10:], start=10, role="prediction"),
        ... }
        >>> side_by_side(rows, input_steps=10).shape
        (20, 184, 308, 3)
    """
    size = check_count("panel_size", panel_size, 1)
    strips = {name: _enlarged(row, size) for name, row in check_rows(rows).items()}
    span = time_span(strips)
    if input_steps is not None:
        input_steps = check_count("input_steps", input_steps, 1, span.stop)
    return np.stack([_compose(strips, time, input_steps) for time in span])


def _enlarged(row: tuple[Strip, ...], size: int) -> tuple[Strip, ...]:
    factor = max(1, size // max(side for strip in row for side in strip.frames.shape[1:3]))
    return tuple(
        Strip(strip.frames.repeat(factor, 1).repeat(factor, 2), strip.start, strip.role)
        for strip in row
    )


def _compose(
    rows: Mapping[str, tuple[Strip, ...]], time: int, input_steps: int | None
) -> NDArray[Any]:
    """Return one frame of the animation."""
    widths = [_panel_width(name, row) for name, row in rows.items()]
    height = max(_tallest(row) for row in rows.values()) + 2 * _BORDER
    size = (sum(widths) + _GAP * (len(rows) + 1), height + 2 * _TEXT_LINE)
    image = Image.new("RGB", size, PAPER)
    left = _GAP
    for (name, row), width in zip(rows.items(), widths, strict=True):
        middle = left + width // 2
        _write(image, name, (middle, _TEXT_LINE // 2), INK)
        _paste_panel(image, row, time, (middle, _TEXT_LINE + height // 2))
        left += width + _GAP
    _write(image, _caption(time, input_steps), (size[0] // 2, size[1] - _TEXT_LINE // 2), MUTED)
    return np.asarray(image)


def _tallest(row: tuple[Strip, ...]) -> int:
    return max(strip.frames.shape[1] for strip in row)


def _widest(row: tuple[Strip, ...]) -> int:
    return max(strip.frames.shape[2] for strip in row)


def _panel_width(name: str, row: tuple[Strip, ...]) -> int:
    return max(_widest(row) + 2 * _BORDER, int(pillow_font(_FONT_PIXELS).getlength(name)) + 2)


def _paste_panel(
    image: Image.Image, row: tuple[Strip, ...], time: int, centre: tuple[int, int]
) -> None:
    strip = strip_at(row, time)
    if strip is None:
        _fill(image, (_tallest(row), _widest(row)), centre, FAINT)
        begins = [strip.start for strip in row if strip.start > time]
        if begins:
            _write(image, f"from t={min(begins) + 1}", centre, MUTED)
        return
    frame = strip.frame_at(time)
    bordered = (frame.shape[0] + 2 * _BORDER, frame.shape[1] + 2 * _BORDER)
    left, top = _fill(image, bordered, centre, ROLE_COLOURS[strip.role])
    image.paste(Image.fromarray(frame), (left + _BORDER, top + _BORDER))


def _fill(
    image: Image.Image, size: Sequence[int], centre: tuple[int, int], colour: str
) -> tuple[int, int]:
    """Fill a rectangle of `(height, width)`, and return its left upper corner."""
    height, width = size
    left, top = centre[0] - width // 2, centre[1] - height // 2
    image.paste(colour, (left, top, left + width, top + height))
    return left, top


def _caption(time: int, input_steps: int | None) -> str:
    if input_steps is None:
        return f"t={time + 1}"
    return f"t={time + 1}  {'input' if time < input_steps else 'future'}"


def _write(image: Image.Image, text: str, centre: tuple[int, int], colour: str) -> None:
    ImageDraw.Draw(image).text(
        centre, text, fill=colour, font=pillow_font(_FONT_PIXELS), anchor="mm"
    )
