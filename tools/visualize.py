"""`videolstm-tools visualize`."""

from typing import Any

import click

from keras_videolstm_tools.checkpoint_name import CheckpointName
from keras_videolstm_tools.given_path import GivenPath
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    checkpoint_argument,
    csv_root_option,
    drawn_units_option,
    labelled_argument,
    long_forecast_option,
    mnist_option,
    pictures_option,
)

_clip = click.option(
    "--clip", type=GivenPath("a video file"), help="Video file.  [default: moving digits]"
)


@click.group(name="visualize")
def command() -> None:
    """Draw what a checkpoint predicts, weighs, does, tells apart, and how it learned.

    \b
    Example:
      videolstm-tools visualize sequences composite_conv_moving_mnist --out pictures
    """


@command.command(name="sequences")
@checkpoint_argument
@_clip
@mnist_option
@click.option("--steps", type=click.IntRange(1), help="Frames to forecast.  [default: as trained]")
@pictures_option
@with_json
def sequences_command(**options: Any) -> list[Made]:
    """Input, truth, reconstruction and forecast of a model of pixels, as picture and film.

    Of a model of percepts, which cannot be looked at: how far its forecast is from the truth, step
    by step, below the frames of the clip.

    \b
    Example:
      videolstm-tools visualize sequences composite_moving_mnist --steps 30 --out pictures
      videolstm-tools visualize sequences composite_youtube --clip clip.mp4 --out pictures
    """
    from keras_videolstm_tools.work.visualize import sequences

    return sequences(**options)


@command.command(name="features")
@checkpoint_argument
@drawn_units_option(default=50, which="those with the largest weights")
@pictures_option
@with_json
def features_command(**options: Any) -> list[Made]:
    """Input and output weights of units as images, of a model of grey pixels.

    \b
    Example:
      videolstm-tools visualize features composite_moving_mnist --out pictures
    """
    from keras_videolstm_tools.work.visualize import features

    return features(**options)


@command.command(name="states")
@checkpoint_argument
@_clip
@mnist_option
@long_forecast_option
@drawn_units_option(default=200, which="at random")
@pictures_option
@with_json
def states_command(**options: Any) -> list[Made]:
    """Activity of the predicting decoder's top units while it goes on from a clip.

    Above it stand the frames of --clip that truly follow, as far as it has them.

    \b
    Example:
      videolstm-tools visualize states composite_youtube --clip clip.mp4 --out pictures
    """
    from keras_videolstm_tools.work.visualize import states

    return states(**options)


@command.command(name="embeddings")
@checkpoint_argument
@labelled_argument
@csv_root_option
@pictures_option
@with_json
def embeddings_command(**options: Any) -> list[Made]:
    """Map of clips: the two directions in which their representations differ most.

    A clip's representation is the encoder's output, averaged over the steps of its blocks. DATA is
    a folder of class folders, a folder of videos, a CSV or a percept store.

    \b
    Example:
      videolstm-tools visualize embeddings composite_youtube my_videos --out pictures
    """
    from keras_videolstm_tools.work.visualize import embeddings

    return embeddings(**options)


@command.command(name="confusion")
@click.argument("classifier", type=CheckpointName())
@labelled_argument
@csv_root_option
@pictures_option
@with_json
def confusion_command(**options: Any) -> list[Made]:
    """Which actions a classifier takes for which, on labelled videos that it should not know.

    \b
    Example:
      videolstm-tools visualize confusion classifier new_videos --out pictures
    """
    from keras_videolstm_tools.work.visualize import confusion

    return confusion(**options)


@command.command(name="curves")
@click.argument("checkpoint")
@pictures_option
@with_json
def curves_command(**options: Any) -> list[Made]:
    """Learning curves of a checkpoint, or of a run of `train` that may still be under way.

    \b
    Example:
      videolstm-tools visualize curves run --out pictures
    """
    from keras_videolstm_tools.work.visualize import curves

    return curves(**options)
