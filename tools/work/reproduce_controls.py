"""Controls of what a recurrent representation adds, where every label is exact."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.checkpoints import load
from keras_videolstm.data.digit_actions import TASKS, write_digit_actions
from keras_videolstm.data.digits import load_digit_labels, load_digits
from keras_videolstm.data.moving_mnist import SIDE
from keras_videolstm.data.order_controls import CONTROLS, write_order_control
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.digit_parts import held_out
from keras_videolstm.training.finetune import FinetuneSettings
from keras_videolstm.training.splits import Split, split_of_control
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    mnist_option,
    repeats_option,
    training_steps_option,
)
from keras_videolstm_tools.work.counted_store import CountedStore
from keras_videolstm_tools.work.label_protocols import (
    DIGITS,
    Protocol,
    measure_methods,
    out_option,
    protocol_options,
    protocols,
)
from keras_videolstm_tools.work.labelled_percepts import load_with_percepts

_ORDER_SHOTS = (1, 4, 16, 64)
_DIGIT_SHOTS = (1, 10, 100)
_POOL, _TEST_CLIPS = 3, 100


@click.command(name="order")
@click.argument("checkpoint", default="composite_youtube")
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
def order_command(
    checkpoint: str, controls: tuple[str, ...], shots: tuple[int, ...], out: Path, **options: Any
) -> Iterator[Made]:
    """Classes that only time tells apart, made from real videos: direction, speed, segments.

    A single frame cannot name them. Not in the paper; it shows what a recurrent representation
    adds.

    \b
    Example:
      videolstm-tools reproduce order --data ucf.h5 --fold g08-g12:g13-g15 --out order
    """
    model, percepts = load_with_percepts(checkpoint)
    for protocol, settings, draws in protocols(percepts, out, **options):
        for control in controls:
            folder = out / control
            source = CountedStore(protocol.store, f"percepts in order, {control}")
            store = write_order_control(source, folder / protocol.name / "percepts.h5", control)
            source.end()
            folds = [split_of_control(store, protocol.store, fold) for fold in protocol.folds]
            arguments = (settings, [*sorted(set(shots)), None], draws, folder)
            controlled = Protocol(protocol.name, store, folds, protocol.skipped)
            yield measure_methods(checkpoint, model, controlled, control, *arguments)


@click.command(name="digits")
@click.argument("checkpoint", default="composite_moving_mnist")
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
def digits_command(
    checkpoint: str,
    tasks: tuple[str, ...],
    shots: tuple[int, ...],
    repeats: int,
    training_steps: int,
    mnist: str | None,
    out: Path,
) -> Iterator[Made]:
    """The controlled case: what one moving digit is, which way and how fast it moves.

    Pretrained on moving MNIST without labels, against the same network from scratch and single
    frames. Not in the paper.

    \b
    Example:
      videolstm-tools reproduce digits composite_moving_mnist --mnist mnist.npz --out digits
    """
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM) or model.frame_shape != (SIDE, SIDE, 1):
        raise InputError(f"Expected a video model of frames (64, 64, 1). Received: {checkpoint}")
    counts = sorted(set(shots))
    parts = _digit_parts(mnist, max(counts))
    for task in tasks:
        path = out / task / DIGITS / "percepts.h5"
        line = ProgressLine(f"clips of a moving digit, {task}", "clips")
        store = write_digit_actions(path, task, parts, progress=line)
        split = Split(*(np.flatnonzero(store.groups == part) for part in parts))
        protocol = Protocol(DIGITS, store, [split])
        settings = FinetuneSettings(steps=training_steps)
        arguments = (settings, counts, repeats, out / task)
        yield measure_methods(checkpoint, model, protocol, task, *arguments)


def _digit_parts(
    mnist: str | None, most_shots: int
) -> dict[str, tuple[NDArray[Any], NDArray[Any], int]]:
    """Return digits, labels and clips a class; those held out from pretraining validate."""
    images, labels = load_digits("train", mnist).images, load_digit_labels("train", mnist)
    count = held_out(len(images))
    tested = load_digits("test", mnist).images, load_digit_labels("test", mnist)
    return {
        "train": (images[:-count], labels[:-count], _POOL * most_shots),
        "validation": (images[-count:], labels[-count:], most_shots),
        "test": (*tested, _TEST_CLIPS),
    }
