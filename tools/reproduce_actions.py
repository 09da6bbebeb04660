"""Commands: the paper's tables and figures of action recognition."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from keras_videolstm.choices import VARIANTS
from keras_videolstm_tools.checkpoint_name import CheckpointName
from keras_videolstm_tools.protocol_options import protocol_options, refuse_without_data
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import checkpoint_argument

_SHOTS = (1, 2, 4, 8)
_OF_TABLE_3 = tuple(f"{variant}_youtube" for variant in VARIANTS)


@click.command(name="fig7")
@click.argument("checkpoint", type=CheckpointName(), default="composite_youtube")
@click.option(
    "--shots",
    multiple=True,
    type=click.IntRange(1),
    default=_SHOTS,
    show_default=True,
    help="Labelled videos a class; all of them are always measured, too.",
)
@protocol_options
@with_json
def fig7_command(**options: Any) -> Iterator[Made]:
    """Accuracy over the labelled videos a class (Figure 7): single frame, scratch, fine-tuned.

    \b
    Example:
      videolstm-tools reproduce fig7 --ucf101 UCF-101 --hmdb51 hmdb51_org --out fig7
      videolstm-tools reproduce fig7 --data ut.h5 --fold seq11-seq20 --fold seq01-seq10 --out fig7
    """
    refuse_without_data(**options)
    from keras_videolstm_tools.work.reproduce_actions import fig7

    return fig7(**options)


@click.command(name="table1")
@click.argument("checkpoint", type=CheckpointName(), default="composite_youtube")
@protocol_options
@with_json
def table1_command(**options: Any) -> Iterator[Made]:
    """Table 1 with all labels: single frame, LSTM from scratch, Composite and fine-tuning.

    \b
    Example:
      videolstm-tools reproduce table1 --ucf101 UCF-101 --repeats 3 --out table1
    """
    refuse_without_data(**options)
    from keras_videolstm_tools.work.reproduce_actions import table1

    return table1(**options)


@click.command(name="table3")
@click.argument("checkpoints", type=CheckpointName(), nargs=-1)
@click.option(
    "--shots",
    type=click.IntRange(1),
    help="Labelled videos a class; all of them are always measured, too.  [default: 10 or 4]",
)
@protocol_options
@with_json
def table3_command(**options: Any) -> Iterator[Made]:
    """Table 3: every variant, fine-tuned on a small part of the labels and on all of them.

    CHECKPOINTS are those of the variants, the zoo's `..._youtube` without any; the first one's
    layers are the baseline's. The small part is 10 labelled videos a class on UCF-101, and 4 on
    HMDB-51 and on other data.

    \b
    Example:
      videolstm-tools reproduce table3 --ucf101 UCF-101 --out t3
    """
    refuse_without_data(**options)
    from keras_videolstm_tools.work.reproduce_actions import table3

    options["checkpoints"] = options["checkpoints"] or _OF_TABLE_3
    return table3(**options)


@click.command(name="table4")
@checkpoint_argument
@click.argument("flow_checkpoint", type=CheckpointName())
@click.option(
    "--flow-data",
    type=click.Path(path_type=Path),
    help="Percepts of flow, where --data is a store of percepts of pictures.",
)
@protocol_options
@with_json
def table4_command(**options: Any) -> Iterator[Made]:
    """Table 4 with all labels: fine-tuned on pictures, on optical flow, and both averaged.

    CHECKPOINT reads percepts of pictures, FLOW_CHECKPOINT those of a temporal stream, which must
    have been trained on none of the videos that are tested on. The weight of flow in the average is
    chosen on the validation part; the paper's, flow counted twice, is shown beside it.

    \b
    Example:
      videolstm-tools reproduce table4 composite_youtube my_flow_model --data rgb.h5 \\
        --flow-data flow.h5 --fold g08-g12:g13-g15 --out table4
    """
    refuse_without_data(**options)
    from keras_videolstm_tools.work.reproduce_actions import table4

    return table4(**options)
