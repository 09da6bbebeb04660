"""Pictures of what a model's units weigh and do."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.models import VideoLSTM
from keras_videolstm.models.features import input_features, output_features
from keras_videolstm.visualization import draw_activity, draw_features
from keras_videolstm_tools.films import write_figure


def write_features(model: VideoLSTM, label: str, units: int, out: Path, name: str) -> list[Path]:
    """Draw the input and output weights of the units with the largest; return the paths."""
    paths = []
    for kind, features in (("input", input_features(model)), ("output", output_features(model))):
        panels = {panel: _strongest(images, units) for panel, images in features.items()}
        figure = draw_features(panels, title=f"{label}: {kind} weights")
        paths.append(write_figure(figure, out, f"{name}_{kind}"))
    return paths


def write_activity(
    model: VideoLSTM, label: str, read: NDArray[Any], steps: int, units: int, out: Path, name: str
) -> Path:
    """Draw the predicting decoder's top units while it goes on from a clip; return the path."""
    top = model.activity(read, steps)[-1].reshape(steps, -1)
    chosen = np.random.default_rng(0).permutation(top.shape[1])[:units]
    figure = draw_activity(
        top[:, np.sort(chosen)].T,
        trained_steps=model.prediction_steps if model.prediction_steps < steps else None,
        title=f"{label}: {len(chosen)} random units of the top layer",
    )
    return write_figure(figure, out, name)


def _strongest(images: NDArray[Any], units: int) -> NDArray[Any]:
    norms = np.linalg.norm(images.reshape(len(images), -1), axis=1)
    return images[np.argsort(norms)[::-1][:units]]
