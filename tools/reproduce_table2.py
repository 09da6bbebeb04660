"""Commands: the paper's Table 2, left column: moving MNIST."""

from typing import Any

import click

from keras_videolstm.choices import ROWS, TEST_SEQUENCES
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    from_zoo_option,
    mnist_option,
    refuse_options,
    repeats_option,
    runs_option,
)

CONVOLUTIONAL = "composite_conv"
MOST_OF_CONVOLUTIONAL = 26_000


@click.command(name="table2")
@from_zoo_option
@click.option(
    "--row",
    "rows",
    multiple=True,
    type=click.Choice([*ROWS, CONVOLUTIONAL]),
    default=[*ROWS, CONVOLUTIONAL],
    help="A row; may be given more than once.  [default: all]",
)
@click.option(
    "--units",
    type=click.IntRange(1),
    default=432,
    show_default=True,
    help="Units of each of the two connected layers; the paper has 2048.",
)
@click.option(
    "--training-sequences",
    type=click.IntRange(1),
    default=240_000,
    show_default=True,
    help=f"Sequences that each row learns from; {CONVOLUTIONAL} from "
    f"{MOST_OF_CONVOLUTIONAL:,} at most.",
)
@repeats_option(default=1)
@click.option(
    "--test-sequences",
    type=click.IntRange(1, TEST_SEQUENCES),
    default=TEST_SEQUENCES,
    show_default=True,
    help="Of the test set, the first so many.",
)
@mnist_option
@runs_option
@click.pass_context
@with_json
def table2_command(context: click.Context, from_zoo: bool, **options: Any) -> Made:
    """Table 2, moving MNIST: nats per frame of each model, free-running, beside the paper's.

    All connected rows are trained by the same recipe on the same number of sequences. The learning
    curves of what has a future are drawn beside the paper's numbers.

    \b
    Example:
      videolstm-tools reproduce table2 --from-zoo --mnist mnist.npz --out table2
      videolstm-tools reproduce table2 --units 2048 --mnist mnist.npz --out table2
    """
    if from_zoo:
        options_of_training = ("units", "training_sequences", "repeats")
        refuse_options(context, options_of_training, "where rows are trained", "--from-zoo")
    from keras_videolstm_tools.work.reproduce_table2 import table2

    return table2(from_zoo=from_zoo, **options)
