"""Pictures of what a model's units weigh and do."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.clip_reader import ClipReader
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.models.features import input_features, output_features
from keras_videolstm.visualization import draw_activity, draw_features, draw_forecast
from keras_videolstm_tools.results import Made, pictures
from keras_videolstm_tools.work.films import write_figure


def write_features(model: VideoLSTM, label: str, units: int, out: Path, name: str) -> list[Made]:
    """Draw the input and output weights of the units with the largest."""
    made = []
    for kind, features in (("input", input_features(model)), ("output", output_features(model))):
        panels = {panel: _strongest(images, units) for panel, images in features.items()}
        figure = draw_features(panels, title=f"{label}: {kind} weights")
        path = write_figure(figure, out, f"{name}_{kind}")
        made += pictures([path], f"{kind} weights of {label}, the units with the largest")
    return made


def write_activity(
    model: VideoLSTM,
    label: str,
    read: NDArray[Any],
    steps: int,
    units: int,
    out: Path,
    name: str,
    stills: NDArray[Any] | None = None,
) -> list[Made]:
    """Draw the predicting decoder's top units while it goes on from a clip, below what followed."""
    top = model.activity(read, steps)[-1].reshape(steps, -1)
    chosen = np.random.default_rng(0).permutation(top.shape[1])[:units]
    figure = draw_activity(
        top[:, np.sort(chosen)].T,
        trained_steps=model.prediction_steps if model.prediction_steps < steps else None,
        frames=stills[:steps] if stills is not None and len(stills) else None,
        title=f"{label}: {len(chosen)} random units of the top layer",
    )
    shows = f"activity of {len(chosen)} units of {label} over {steps} steps of a forecast"
    return pictures([write_figure(figure, out, name)], shows)


def forecast_figure(
    model: VideoLSTM,
    read: NDArray[Any],
    truth: NDArray[Any],
    forecast: NDArray[Any],
    reader: ClipReader,
    clip: str | Path,
    title: str,
) -> Figure:
    """Draw how far a forecast of percepts is from the truth, below the frames of the clip.

    Args:
        model: that forecasts.
        read: percepts that it read.
        truth: those that followed.
        forecast: of the model, at least as long.
        reader: of the clip, which begins with what was read.
        clip: the file.
        title: written above.

    Raises:
        InputError: if there is no truth.
    """
    if not len(truth):
        raise InputError(
            "Expected frames after those that are read, to compare a forecast with. Received: a "
            f"clip of {len(read)}, all of them read; `predict --out next.npy` writes the forecast"
        )
    return draw_forecast(
        read,
        truth,
        forecast[: len(truth)],
        rebuilt=model.reconstruct(read) if "reconstruction" in model.decoders else None,
        guesses=_simple_forecasts(model, read),
        frames=reader.pictures(clip)[: len(read) + len(truth)],
        fps=reader.fps,
        title=title,
    )


def forecast_title(checkpoint: str, clip: str | Path, fps: float) -> str:
    """Return what a forecast's picture is called.

    Example:
        >>> forecast_title("composite_youtube", "videos/clip.mp4", 15.0)
        'composite_youtube, clip.mp4, 15 frames a second'
    """
    return f"{Path(checkpoint).name}, {Path(clip).name}, {fps:g} frames a second"


def forecast_errors(
    model: VideoLSTM, read: NDArray[Any], truth: NDArray[Any], forecast: NDArray[Any]
) -> dict[str, float]:
    """Return mean squared errors of a forecast and of simple ones, by name."""
    guesses = {"forecast": forecast[: len(truth)], **_simple_forecasts(model, read)}
    return {name: float(np.square(guess - truth).mean()) for name, guess in guesses.items()}


def _simple_forecasts(model: VideoLSTM, read: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return frames `frame_shape` that somebody who has learned nothing may forecast, by name."""
    guesses = {"last frame held": read[-1], "mean of the frames read": read.mean(axis=0)}
    if model.standardizer is not None:
        middle = model.standardizer.invert(np.zeros((1, 1, *model.frame_shape), "float32"))
        guesses["training mean"] = np.asarray(middle)[0, 0]
    return guesses


def _strongest(images: NDArray[Any], units: int) -> NDArray[Any]:
    norms = np.linalg.norm(images.reshape(len(images), -1), axis=1)
    return images[np.argsort(norms)[::-1][:units]]
