"""Commands: the paper's figures of moving MNIST and of patches of video, from any checkpoint."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm_tools.checkpoint_name import CheckpointName
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    checkpoint_argument,
    drawn_units_option,
    long_forecast_option,
    mnist_option,
    pictures_option,
)

_checkpoints = click.argument("checkpoints", type=CheckpointName(), nargs=-1, required=True)
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
def fig4_command(**options: Any) -> list[Made]:
    """Reconstructions and predictions beside the truth (Figure 4), one picture a sequence.

    \b
    Example:
      videolstm-tools reproduce fig4 composite_moving_mnist conditional_composite_moving_mnist \\
        --mnist mnist.npz --out figures
    """
    from keras_videolstm_tools.work.reproduce_figures import fig4

    return fig4(**options)


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
def fig5_command(**options: Any) -> list[Made]:
    """Reconstructions and predictions of patches of video (Figure 5), one picture a clip.

    \b
    Example:
      videolstm-tools reproduce fig5 composite_patches conditional_composite_patches \\
        --clip clip.mp4 --out figures
    """
    from keras_videolstm_tools.work.reproduce_figures import fig5

    return fig5(**options)


@click.command(name="fig_long")
@_checkpoints
@mnist_option
@_sequences
@long_forecast_option
@pictures_option
@with_json
def fig_long_command(**options: Any) -> list[Made]:
    """Predictions far beyond the horizon of training (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_long composite_moving_mnist --mnist mnist.npz --out figures
    """
    from keras_videolstm_tools.work.reproduce_figures import fig_long

    return fig_long(**options)


@click.command(name="fig_digits")
@_checkpoints
@mnist_option
@_sequences
@pictures_option
@with_json
def fig_digits_command(**options: Any) -> list[Made]:
    """One and three digits, which models of two have never seen (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_digits composite_moving_mnist --mnist mnist.npz --out figures
    """
    from keras_videolstm_tools.work.reproduce_figures import fig_digits

    return fig_digits(**options)


@click.command(name="fig_features")
@checkpoint_argument
@drawn_units_option(default=50, which="those with the largest weights")
@pictures_option
@with_json
def fig_features_command(**options: Any) -> list[Made]:
    """Input and output weights of units as images (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_features composite_moving_mnist --out figures
    """
    from keras_videolstm_tools.work.reproduce_figures import fig_features

    return fig_features(**options)


@click.command(name="fig_state")
@checkpoint_argument
@mnist_option
@long_forecast_option
@drawn_units_option(default=200, which="at random")
@pictures_option
@with_json
def fig_state_command(**options: Any) -> list[Made]:
    """Activity of the predicting decoder's top units over time (expanded version of the paper).

    \b
    Example:
      videolstm-tools reproduce fig_state composite_moving_mnist --mnist mnist.npz --out figures
    """
    from keras_videolstm_tools.work.reproduce_figures import fig_state

    return fig_state(**options)


FIGURES = (
    fig4_command,
    fig5_command,
    fig_long_command,
    fig_digits_command,
    fig_features_command,
    fig_state_command,
)
