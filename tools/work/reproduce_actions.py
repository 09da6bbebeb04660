"""The paper's tables and figures of action recognition."""

import dataclasses
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.comparison import FINETUNED, SCRATCH, starts_from
from keras_videolstm.training.finetune import Start, pretrained_classifier
from keras_videolstm.training.fusion_trials import (
    FLOW,
    PICTURES,
    WEIGHED,
    Stream,
    fusion_trials,
    with_common_videos,
)
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.label_protocols import (
    HMDB51,
    OTHER,
    UCF101,
    measure_methods,
    measured,
    measured_trials,
    protocols,
    write_table,
)
from keras_videolstm_tools.work.labelled_percepts import load_with_percepts

_SMALL = {UCF101: 10, HMDB51: 4, OTHER: 4}


def fig7(checkpoint: str, shots: tuple[int, ...], out: Path, **options: Any) -> Iterator[Made]:
    """Run `reproduce fig7`."""
    model, percepts = load_with_percepts(checkpoint)
    for protocol, settings, draws in protocols(percepts, out, **options):
        arguments = (settings, [*sorted(set(shots)), None], draws, out)
        yield measure_methods(checkpoint, model, protocol, "fig7", *arguments)


def table1(checkpoint: str, out: Path, **options: Any) -> Iterator[Made]:
    """Run `reproduce table1`."""
    model, percepts = load_with_percepts(checkpoint)
    for protocol, settings, draws in protocols(percepts, out, **options):
        curve = measured(
            protocol, starts_from(model), {FINETUNED: checkpoint}, settings, [None], draws, out
        )
        yield write_table(curve, [protocol], out, "table1", [checkpoint])


def table3(
    checkpoints: tuple[str, ...], shots: int | None, out: Path, **options: Any
) -> Iterator[Made]:
    """Run `reproduce table3`."""
    loaded = [load_with_percepts(checkpoint) for checkpoint in checkpoints]
    starts = _variants([model for model, _ in loaded])
    named = dict(zip(list(starts)[1:], checkpoints, strict=True))
    for protocol, settings, draws in protocols(loaded[0][1], out, **options):
        counts = [shots or _SMALL[protocol.name], None]
        curve = measured(protocol, starts, named, settings, counts, draws, out)
        yield write_table(curve, [protocol], out, "table3", checkpoints)


def table4(
    checkpoint: str, flow_checkpoint: str, flow_data: Path | None, out: Path, **options: Any
) -> Iterator[Made]:
    """Run `reproduce table4`."""
    model, percepts = load_with_percepts(checkpoint)
    flow_model, flow_percepts = load_with_percepts(flow_checkpoint)
    flow_options = {**options, "data": flow_data or options["data"]}
    both = zip(
        protocols(percepts, out / "pictures", **options),
        protocols(flow_percepts, out / "flow", **flow_options),
        strict=True,
    )
    for (pictures, settings, draws), (flow, *_) in both:
        streams = with_common_videos(
            Stream(partial(pretrained_classifier, model=model), pictures.store, pictures.folds),
            Stream(partial(pretrained_classifier, model=flow_model), flow.store, flow.folds),
        )
        pictures, flow = (
            dataclasses.replace(protocol, folds=stream.folds)
            for protocol, stream in zip((pictures, flow), streams, strict=True)
        )
        trials = fusion_trials(*streams, settings)
        named = {PICTURES: checkpoint, FLOW: flow_checkpoint}
        curve = measured_trials([pictures, flow], trials, named, settings, [None], draws, out)
        table = write_table(
            curve, [pictures, flow], out, "table4", [checkpoint, flow_checkpoint], baseline=PICTURES
        )
        weight = float(curve.by_draw(WEIGHED, None, "weight_of_flow").mean())
        yield Made(
            {**table.result, "weight_of_flow": weight},
            f"{table.text}\nThe validation part gave flow a weight of {weight:.2f} in the mean.",
        )


def _variants(models: Sequence[VideoLSTM]) -> dict[str, Start]:
    starts = {SCRATCH: starts_from(models[0])[SCRATCH]}
    starts |= {model.variant: partial(pretrained_classifier, model=model) for model in models}
    if len(starts) <= len(models):
        raise InputError(
            f"Expected checkpoints of different variants. "
            f"Received: {', '.join(model.variant for model in models)}"
        )
    return starts
