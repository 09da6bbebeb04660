"""`videolstm-tools evaluate`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import checkpoint_argument, mnist_option, refuse_options

MOVING_MNIST = "moving_mnist"


@click.command(name="evaluate")
@checkpoint_argument
@click.option(
    "--on",
    "data",
    required=True,
    metavar="DATA",
    help="moving_mnist, the published file mnist_test_seq.npy, or a percept store, of which groups "
    "may be named: percepts.h5:g08-g12.",
)
@mnist_option
@click.option(
    "--steps",
    type=click.IntRange(1),
    help="Frames to forecast; not with a file.  [default: 10, of percepts as trained]",
)
@click.option(
    "--digits",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Digits a sequence, of moving_mnist.",
)
@click.option(
    "--test-sequences",
    type=click.IntRange(1),
    help="The first so many, or windows of percepts.  [default: all 10,000; 1,000 windows]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Sequences at a time.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="JSON file for all results."
)
@click.pass_context
@with_json
def command(context: click.Context, data: str, **options: Any) -> Made:
    """Measure a checkpoint frame by frame: on moving MNIST's test set, or on percepts.

    It reads as many frames as in its training. Free-running scores are those of `prediction` and
    `reconstruction`; under teacher forcing, an easier task, they are called `prediction_forced`.
    `target` is what the true future scores as a prediction of itself. Percepts are scored by the
    loss of the training, beside what scores that has learned nothing.

    \b
    Example:
      videolstm-tools evaluate composite_moving_mnist --on moving_mnist --mnist mnist.npz
      videolstm-tools evaluate composite_youtube --on percepts.h5:g08-g12
    """
    if data != MOVING_MNIST:
        decided = ["mnist", "steps", "digits"] if data.endswith(".npy") else ["mnist", "digits"]
        refuse_options(context, decided, "with --on moving_mnist", data)
    from keras_videolstm_tools.work.evaluate import run

    return run(data=data, **options)
