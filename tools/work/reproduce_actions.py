"""The paper's tables and figures of action recognition."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.comparison import FINETUNED, SCRATCH, starts_from
from keras_videolstm.training.finetune import Start, pretrained_classifier
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.work.label_protocols import (
    HMDB51,
    OTHER,
    UCF101,
    measure_methods,
    measured,
    protocol_options,
    protocols,
    write_table,
)
from keras_videolstm_tools.work.labelled_percepts import load_with_percepts

_SMALL = {UCF101: 10, HMDB51: 4, OTHER: 4}
_SHOTS = (1, 2, 4, 8)


@click.command(name="fig7")
@click.argument("checkpoint", default="composite_youtube")
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
def fig7_command(
    checkpoint: str, shots: tuple[int, ...], out: Path, **options: Any
) -> Iterator[Made]:
    """Accuracy over the labelled videos a class (Figure 7): single frame, scratch, fine-tuned.

    \b
    Example:
      videolstm-tools reproduce fig7 --ucf101 UCF-101 --hmdb51 hmdb51_org --out fig7
      videolstm-tools reproduce fig7 --data ut.h5 --fold seq11-seq20 --fold seq01-seq10 --out fig7
    """
    model, percepts = load_with_percepts(checkpoint)
    for protocol, settings, draws in protocols(percepts, out, **options):
        arguments = (settings, [*sorted(set(shots)), None], draws, out)
        yield measure_methods(checkpoint, model, protocol, "fig7", *arguments)


@click.command(name="table1")
@click.argument("checkpoint", default="composite_youtube")
@protocol_options
@with_json
def table1_command(checkpoint: str, out: Path, **options: Any) -> Iterator[Made]:
    """Table 1 with all labels: single frame, LSTM from scratch, Composite and fine-tuning.

    \b
    Example:
      videolstm-tools reproduce table1 --ucf101 UCF-101 --repeats 3 --out table1
    """
    model, percepts = load_with_percepts(checkpoint)
    for protocol, settings, draws in protocols(percepts, out, **options):
        curve = measured(
            protocol, starts_from(model), {FINETUNED: checkpoint}, settings, [None], draws, out
        )
        yield write_table(curve, protocol, FINETUNED, out, "table1")


@click.command(name="table3")
@click.argument("checkpoints", nargs=-1, required=True)
@click.option(
    "--shots",
    type=click.IntRange(1),
    help="Labelled videos a class; all of them are always measured, too.  [default: 10 or 4]",
)
@protocol_options
@with_json
def table3_command(
    checkpoints: tuple[str, ...], shots: int | None, out: Path, **options: Any
) -> Iterator[Made]:
    """Table 3: every variant, fine-tuned on a small part of the labels and on all of them.

    CHECKPOINTS are those of the variants; the first one's layers are the baseline's. The small
    part is 10 labelled videos a class on UCF-101, and 4 on HMDB-51 and on other data.

    \b
    Example:
      videolstm-tools reproduce table3 composite_youtube runs/autoencoder --ucf101 UCF-101 --out t3
    """
    loaded = [load_with_percepts(checkpoint) for checkpoint in checkpoints]
    starts = _variants([model for model, _ in loaded])
    named = dict(zip(list(starts)[1:], checkpoints, strict=True))
    for protocol, settings, draws in protocols(loaded[0][1], out, **options):
        counts = [shots or _SMALL[protocol.name], None]
        curve = measured(protocol, starts, named, settings, counts, draws, out)
        yield write_table(curve, protocol, next(iter(named)), out, "table3")


def _variants(models: Sequence[VideoLSTM]) -> dict[str, Start]:
    starts = {SCRATCH: starts_from(models[0])[SCRATCH]}
    starts |= {model.variant: partial(pretrained_classifier, model=model) for model in models}
    if len(starts) <= len(models):
        raise InputError(
            f"Expected checkpoints of different variants. "
            f"Received: {', '.join(model.variant for model in models)}"
        )
    return starts
