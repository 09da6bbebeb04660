"""The paper's figures of moving MNIST, from any checkpoint."""

from pathlib import Path
from typing import Any

import click
from numpy.typing import NDArray

from keras_videolstm.checkpoints import load
from keras_videolstm.data.moving_mnist import SIDE
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm_tools.films import (
    digit_clips,
    film_rows,
    input_steps_of,
    write_film,
)
from keras_videolstm_tools.model_pictures import write_activity, write_features

_SHAPE = (SIDE, SIDE, 1)
_STEPS = 10

_checkpoint = click.argument("checkpoint")
_checkpoints = click.argument("checkpoints", nargs=-1, required=True)
_mnist = click.option(
    "--mnist", type=click.Path(), help="mnist.npz, or a folder of MNIST's idx files."
)
_out = click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the pictures.",
)
_sequences = click.option(
    "--sequences",
    type=click.IntRange(1, 100),
    default=2,
    show_default=True,
    help="The test set's first so many.",
)
_steps = click.option(
    "--steps", type=click.IntRange(10), default=100, show_default=True, help="Frames to predict."
)


@click.command(name="fig4")
@_checkpoints
@_mnist
@_sequences
@_out
def fig4_command(
    checkpoints: tuple[str, ...], mnist: str | None, sequences: int, out: Path
) -> None:
    """Reconstructions and predictions beside the truth (Figure 4), one picture a sequence.

    \b
    Example:
      videolstm-tools reproduce fig4 composite_moving_mnist conditional_composite_moving_mnist \\
        --mnist mnist.npz --out figures
    """
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    _write_films(models, digit_clips(mnist, sequences, read + _STEPS), read, out, "fig4")


@click.command(name="fig_long")
@_checkpoints
@_mnist
@_sequences
@_steps
@_out
def fig_long_command(
    checkpoints: tuple[str, ...], mnist: str | None, sequences: int, steps: int, out: Path
) -> None:
    """Predictions far beyond the horizon of training (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_long composite_moving_mnist --mnist mnist.npz --out figures
    """
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    for label, model in models.items():
        if "prediction" not in model.decoders:
            raise InputError(f"Expected models that predict. Received: {label}")
    _write_films(models, digit_clips(mnist, sequences, read + steps), read, out, "fig_long")


@click.command(name="fig_digits")
@_checkpoints
@_mnist
@_sequences
@_out
def fig_digits_command(
    checkpoints: tuple[str, ...], mnist: str | None, sequences: int, out: Path
) -> None:
    """One and three digits, which models of two have never seen (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_digits composite_moving_mnist --mnist mnist.npz --out figures
    """
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    for digits in (1, 3):
        clips = digit_clips(mnist, sequences, read + _STEPS, digits)
        _write_films(models, clips, read, out, f"fig_digits_{digits}")


@click.command(name="fig_features")
@_checkpoint
@click.option(
    "--units",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Units to draw, those with the largest weights.",
)
@_out
def fig_features_command(checkpoint: str, units: int, out: Path) -> None:
    """Input and output weights of units as images (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_features composite_moving_mnist --out figures
    """
    _show(*write_features(_load(checkpoint), Path(checkpoint).name, units, out, "fig_features"))


@click.command(name="fig_state")
@_checkpoint
@_mnist
@_steps
@click.option(
    "--units", type=click.IntRange(1), default=200, show_default=True, help="Units to draw."
)
@_out
def fig_state_command(
    checkpoint: str, mnist: str | None, steps: int, units: int, out: Path
) -> None:
    """Activity of the predicting decoder's top units over time (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_state composite_moving_mnist --mnist mnist.npz --out figures
    """
    (clip,) = digit_clips(mnist, 1, input_steps_of(checkpoint))
    label = Path(checkpoint).name
    _show(write_activity(_load(checkpoint), label, clip, steps, units, out, "fig_state"))


FIGURES = (
    fig4_command,
    fig_long_command,
    fig_digits_command,
    fig_features_command,
    fig_state_command,
)


def _load(checkpoint: str) -> VideoLSTM:
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM) or model.frame_shape != _SHAPE:
        raise InputError(f"Expected a video model of frames {_SHAPE}. Received: {checkpoint}")
    return model


def _load_all(checkpoints: tuple[str, ...]) -> dict[str, VideoLSTM]:
    labels = [Path(checkpoint).name for checkpoint in checkpoints]
    if len(set(labels)) < len(labels):
        labels = list(checkpoints)
    return {label: _load(path) for label, path in zip(labels, checkpoints, strict=True)}


def _common_input_steps(checkpoints: tuple[str, ...]) -> int:
    counts = {input_steps_of(checkpoint) for checkpoint in checkpoints}
    if len(counts) > 1:
        raise InputError(f"Expected models that read as many frames. Received: {sorted(counts)}")
    return counts.pop()


def _write_films(
    models: dict[str, VideoLSTM], clips: NDArray[Any], read: int, out: Path, name: str
) -> None:
    for number, clip in enumerate(clips, start=1):
        _show(*write_film(film_rows(models, clip, read), read, out, f"{name}_{number}"))


def _show(*paths: Path) -> None:
    for path in paths:
        click.echo(path)
