"""Films: what goes in, what follows, what models make of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.checkpoints import metadata_of
from keras_videolstm.clip_reader import ClipReader
from keras_videolstm.data.digits import load_digits
from keras_videolstm.data.moving_mnist_test import TEST_STEPS, MovingMNISTTest
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.visualization import (
    Strip,
    draw_sequence,
    save_figure,
    side_by_side,
    write_animation,
)

_INPUT_STEPS = 10


def input_steps_of(checkpoint: str) -> int:
    """Return how many frames a checkpoint read in training; 10 of a file that does not say so."""
    return metadata_of(checkpoint).get("input_steps", _INPUT_STEPS)


def digit_clips(mnist: str | None, sequences: int, steps: int, digits: int = 2) -> NDArray[Any]:
    """Return the test set's first sequences, cut to `steps` frames."""
    test = MovingMNISTTest(
        load_digits("test", mnist),
        steps=max(steps, TEST_STEPS),
        digits_per_frame=digits,
        sequences=sequences,
    )
    return np.concatenate(list(test.batches(sequences)))[:, :steps]


def opening_of(clip: Path, reader: ClipReader, read: int, predicted: int) -> NDArray[Any]:
    """Return a clip's first frames: those that are read, and as many as follow of the others."""
    frames = reader.read(clip)[: read + predicted]
    if len(frames) <= read:
        raise InputError(
            f"Expected a clip of more than the {read} frames that are read, at {reader.fps:g} a "
            f"second. Received: {clip} with {len(frames)}"
        )
    return frames


def film_rows(
    models: dict[str, VideoLSTM], clip: NDArray[Any], input_steps: int, steps: int | None = None
) -> dict[str, list[Strip]]:
    """Return the clip, and below it what each model rebuilds and predicts.

    Args:
        models: of pixels, by name.
        clip: `(time, height, width, channels)`.
        input_steps: frames that are read.
        steps: frames that are predicted; default: those that the clip has beside.
    """
    read, future = clip[:input_steps], clip[input_steps:]
    steps = len(future) if steps is None else steps
    rows = clip_row(read, future)
    for name, model in models.items():
        predicts = "prediction" in model.decoders and steps
        rows[name] = model_row(model, read, model.forecast(read, steps) if predicts else None)
    return rows


def clip_row(read: NDArray[Any], future: NDArray[Any]) -> dict[str, list[Strip]]:
    """Return the row, by its name, of frames that are read and of those that follow, if any.

    Args:
        read, future: `(time, height, width, channels)`.
    """
    if not len(future):
        return {"input": [Strip(read)]}
    return {"input and truth": [Strip(read), Strip(future, len(read), "truth")]}


def model_row(model: VideoLSTM, read: NDArray[Any], forecast: NDArray[Any] | None) -> list[Strip]:
    """Return the row of what a model rebuilds, as far as it does, and forecasts.

    Args:
        model: of pixels.
        read: `(input time, height, width, channels)`.
        forecast: its own of what follows, `(time, height, width, channels)`.
    """
    strips = []
    if "reconstruction" in model.decoders:
        strips.append(Strip(model.reconstruct(read), 0, "rebuilt"))
    if forecast is not None:
        strips.append(Strip(forecast, len(read), "prediction"))
    return strips


def write_film(rows: dict[str, list[Strip]], input_steps: int, out: Path, name: str) -> list[Path]:
    """Write a picture and a moving picture of the rows; return their paths."""
    figure = draw_sequence(rows, input_steps=input_steps)
    film = side_by_side(rows, input_steps=input_steps)
    return [
        write_figure(figure, out, name),
        _keep(lambda path: write_animation(film, path), out / f"{name}.gif"),
    ]


def write_figure(figure: Figure, out: Path, name: str) -> Path:
    """Write a picture; return its path."""
    return _keep(lambda path: save_figure(figure, path), out / f"{name}.png")


def _keep(write: Callable[[Path], object], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)
    return path
