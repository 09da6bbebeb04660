"""The paper's figures of moving MNIST and of patches of video, from any checkpoint."""

from pathlib import Path
from typing import Any

import click
from numpy.typing import NDArray

from keras_videolstm.checkpoints import load, metadata_of
from keras_videolstm.clip_reader import ClipReader
from keras_videolstm.data.moving_mnist import SIDE
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.percepts import PatchPercepts
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made, pictures, with_json
from keras_videolstm_tools.shared_options import (
    drawn_units_option,
    long_forecast_option,
    mnist_option,
    pictures_option,
)
from keras_videolstm_tools.work.films import (
    digit_clips,
    film_rows,
    input_steps_of,
    opening_of,
    write_film,
)
from keras_videolstm_tools.work.model_pictures import write_activity, write_features

_DIGITS = (SIDE, SIDE, 1)
_PATCH = (PatchPercepts.size, PatchPercepts.size, 3)
_STEPS = 10

_checkpoint = click.argument("checkpoint")
_checkpoints = click.argument("checkpoints", nargs=-1, required=True)
_sequences = click.option(
    "--test-sequences",
    type=click.IntRange(1, 100),
    default=2,
    show_default=True,
    help="Of the test set, the first so many.",
)


@click.command(name="fig4")
@_checkpoints
@mnist_option
@_sequences
@pictures_option
@with_json
def fig4_command(
    checkpoints: tuple[str, ...], mnist: str | None, test_sequences: int, out: Path
) -> list[Made]:
    """Reconstructions and predictions beside the truth (Figure 4), one picture a sequence.

    \b
    Example:
      videolstm-tools reproduce fig4 composite_moving_mnist conditional_composite_moving_mnist \\
        --mnist mnist.npz --out figures
    """
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    clips = digit_clips(mnist, test_sequences, read + _STEPS)
    return _write_films(models, clips, read, out, "fig4")


@click.command(name="fig5")
@_checkpoints
@click.option(
    "--clip",
    "clips",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Video file, or a folder of images; may be given more than once.",
)
@pictures_option
@with_json
def fig5_command(checkpoints: tuple[str, ...], clips: tuple[Path, ...], out: Path) -> list[Made]:
    """Reconstructions and predictions of patches of video (Figure 5), one picture a clip.

    \b
    Example:
      videolstm-tools reproduce fig5 composite_patches conditional_composite_patches \\
        --clip clip.mp4 --out figures
    """
    models, read = _load_all(checkpoints, _PATCH), _common_input_steps(checkpoints)
    horizon = max(model.prediction_steps for model in models.values())
    reader = ClipReader(metadata_of(checkpoints[0]), _PATCH)
    made = []
    for number, clip in enumerate(clips, start=1):
        rows = film_rows(models, opening_of(clip, reader, read, horizon), read)
        paths = write_film(rows, read, out, f"fig5_{number}")
        made += pictures(paths, f"a patch of {clip}, and what {', '.join(models)} makes of it")
    return made


@click.command(name="fig_long")
@_checkpoints
@mnist_option
@_sequences
@long_forecast_option
@pictures_option
@with_json
def fig_long_command(
    checkpoints: tuple[str, ...], mnist: str | None, test_sequences: int, steps: int, out: Path
) -> list[Made]:
    """Predictions far beyond the horizon of training (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_long composite_moving_mnist --mnist mnist.npz --out figures
    """
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    for label, model in models.items():
        if "prediction" not in model.decoders:
            raise InputError(f"Expected models that predict. Received: {label}")
    clips = digit_clips(mnist, test_sequences, read + steps)
    return _write_films(models, clips, read, out, "fig_long")


@click.command(name="fig_digits")
@_checkpoints
@mnist_option
@_sequences
@pictures_option
@with_json
def fig_digits_command(
    checkpoints: tuple[str, ...], mnist: str | None, test_sequences: int, out: Path
) -> list[Made]:
    """One and three digits, which models of two have never seen (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_digits composite_moving_mnist --mnist mnist.npz --out figures
    """
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    made = []
    for digits in (1, 3):
        clips = digit_clips(mnist, test_sequences, read + _STEPS, digits)
        made += _write_films(models, clips, read, out, f"fig_digits_{digits}", digits)
    return made


@click.command(name="fig_features")
@_checkpoint
@drawn_units_option(default=50, which="those with the largest weights")
@pictures_option
@with_json
def fig_features_command(checkpoint: str, drawn_units: int, out: Path) -> list[Made]:
    """Input and output weights of units as images (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_features composite_moving_mnist --out figures
    """
    label = Path(checkpoint).name
    return write_features(_load(checkpoint), label, drawn_units, out, "fig_features")


@click.command(name="fig_state")
@_checkpoint
@mnist_option
@long_forecast_option
@drawn_units_option(default=200, which="at random")
@pictures_option
@with_json
def fig_state_command(
    checkpoint: str, mnist: str | None, steps: int, drawn_units: int, out: Path
) -> list[Made]:
    """Activity of the predicting decoder's top units over time (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_state composite_moving_mnist --mnist mnist.npz --out figures
    """
    (clip,) = digit_clips(mnist, 1, input_steps_of(checkpoint))
    label = Path(checkpoint).name
    return write_activity(_load(checkpoint), label, clip, steps, drawn_units, out, "fig_state")


FIGURES = (
    fig4_command,
    fig5_command,
    fig_long_command,
    fig_digits_command,
    fig_features_command,
    fig_state_command,
)


def _load(checkpoint: str, frame_shape: tuple[int, ...] = _DIGITS) -> VideoLSTM:
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM) or model.frame_shape != frame_shape:
        raise InputError(f"Expected a video model of frames {frame_shape}. Received: {checkpoint}")
    return model


def _load_all(
    checkpoints: tuple[str, ...], frame_shape: tuple[int, ...] = _DIGITS
) -> dict[str, VideoLSTM]:
    labels = [Path(checkpoint).name for checkpoint in checkpoints]
    if len(set(labels)) < len(labels):
        labels = list(checkpoints)
    return {
        label: _load(path, frame_shape) for label, path in zip(labels, checkpoints, strict=True)
    }


def _common_input_steps(checkpoints: tuple[str, ...]) -> int:
    counts = {input_steps_of(checkpoint) for checkpoint in checkpoints}
    if len(counts) > 1:
        raise InputError(f"Expected models that read as many frames. Received: {sorted(counts)}")
    return counts.pop()


def _write_films(
    models: dict[str, VideoLSTM],
    clips: NDArray[Any],
    read: int,
    out: Path,
    name: str,
    digits: int = 2,
) -> list[Made]:
    made, line = [], ProgressLine(name, "sequences")
    for number, clip in enumerate(clips, start=1):
        paths = write_film(film_rows(models, clip, read), read, out, f"{name}_{number}")
        shows = f"test sequence {number} of {digits} digits, and what {', '.join(models)} predicts"
        made += pictures(paths, shows)
        line(number, len(clips))
    return made
