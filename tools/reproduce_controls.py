"""Commands: controls of what a recurrent representation adds, where every label is exact."""

from collections.abc import Iterator
from typing import Any

import click

from keras_videolstm.choices import CONTROLS, TASKS
from keras_videolstm_tools.checkpoint_name import CheckpointName
from keras_videolstm_tools.protocol_options import out_option, protocol_options, refuse_without_data
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    mnist_option,
    repeats_option,
    training_steps_option,
)

_ORDER_SHOTS = (1, 4, 16, 64)
_DIGIT_SHOTS = (1, 10, 100)


@click.command(name="order")
@click.argument("checkpoint", type=CheckpointName(), default="composite_youtube")
@click.option(
    "--control",
    "controls",
    multiple=True,
    type=click.Choice(CONTROLS),
    default=CONTROLS,
    help="What tells the classes apart; may be given more than once.  [default: all]",
)
@click.option(
    "--shots",
    multiple=True,
    type=click.IntRange(1),
    default=_ORDER_SHOTS,
    show_default=True,
    help="Labelled videos a class; all of them are always measured, too.",
)
@protocol_options
@with_json
def order_command(**options: Any) -> Iterator[Made]:
    """Classes that only time tells apart, made from real videos: direction, speed, segments.

    A single frame cannot name them. Not in the paper; it shows what a recurrent representation
    adds.

    \b
    Example:
      videolstm-tools reproduce order --data ucf.h5 --fold g08-g12:g13-g15 --out order
    """
    refuse_without_data(**options)
    from keras_videolstm_tools.work.reproduce_controls import order

    return order(**options)


@click.command(name="digits")
@click.argument("checkpoint", type=CheckpointName(), default="composite_moving_mnist")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    type=click.Choice(TASKS),
    default=TASKS,
    help="What is to be named; may be given more than once.  [default: all]",
)
@click.option(
    "--shots",
    multiple=True,
    type=click.IntRange(1),
    default=_DIGIT_SHOTS,
    show_default=True,
    help="Labelled clips a class.",
)
@repeats_option(default=5)
@training_steps_option
@mnist_option
@out_option
@with_json
def digits_command(**options: Any) -> Iterator[Made]:
    """The controlled case: what one moving digit is, which way and how fast it moves.

    Pretrained on moving MNIST without labels, against the same network from scratch and single
    frames. Not in the paper.

    \b
    Example:
      videolstm-tools reproduce digits composite_moving_mnist --mnist mnist.npz --out digits
    """
    from keras_videolstm_tools.work.reproduce_controls import digits

    return digits(**options)
