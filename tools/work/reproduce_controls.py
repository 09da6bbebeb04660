"""Controls of what a recurrent representation adds, where every label is exact."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.checkpoints import load
from keras_videolstm.data.digit_actions import write_digit_actions
from keras_videolstm.data.digits import load_digit_labels, load_digits
from keras_videolstm.data.moving_mnist import SIDE
from keras_videolstm.data.order_controls import write_order_control
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.digit_parts import held_out
from keras_videolstm.training.finetune import FinetuneSettings
from keras_videolstm.training.splits import Split, split_of_control
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.counted_store import CountedStore
from keras_videolstm_tools.work.label_protocols import (
    DIGITS,
    Protocol,
    measure_methods,
    protocols,
)
from keras_videolstm_tools.work.labelled_percepts import load_with_percepts

_POOL, _TEST_CLIPS = 3, 100


def order(
    checkpoint: str, controls: tuple[str, ...], shots: tuple[int, ...], out: Path, **options: Any
) -> Iterator[Made]:
    """Run `reproduce order`."""
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


def digits(
    checkpoint: str,
    tasks: tuple[str, ...],
    shots: tuple[int, ...],
    repeats: int,
    training_steps: int,
    mnist: str | None,
    out: Path,
) -> Iterator[Made]:
    """Run `reproduce digits`."""
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
