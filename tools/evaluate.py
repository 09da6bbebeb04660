"""`videolstm-tools evaluate`."""

import json
import math
from pathlib import Path
from typing import Any

import click

from keras_videolstm.checkpoints import load, load_metadata
from keras_videolstm.data.digits import load_digits
from keras_videolstm.data.moving_mnist_test import (
    TEST_SEQUENCES,
    MovingMNISTFile,
    MovingMNISTTest,
)
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.evaluation import evaluate_frames
from keras_videolstm.training.frame_scores import FrameScores
from keras_videolstm_tools.progress import ProgressLine

_INPUT_STEPS = 10


@click.command(name="evaluate")
@click.argument("checkpoint")
@click.option(
    "--on",
    "data",
    required=True,
    help="moving_mnist, or the published file mnist_test_seq.npy.",
)
@click.option("--mnist", type=click.Path(), help="mnist.npz, or a folder of MNIST's idx files.")
@click.option(
    "--steps",
    type=click.IntRange(10),
    default=10,
    show_default=True,
    help="Frames to predict; not with a file.",
)
@click.option(
    "--digits",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Digits a sequence; not with a file.",
)
@click.option(
    "--sequences", type=click.IntRange(1), help="Only the first so many.  [default: all 10,000]"
)
@click.option("--batch-size", type=click.IntRange(1), default=100, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="JSON file for all results.")
@click.option("--json", "as_json", is_flag=True, help="Print all results as JSON.")
def command(
    checkpoint: str,
    data: str,
    mnist: str | None,
    steps: int,
    digits: int,
    sequences: int | None,
    batch_size: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure a checkpoint on moving MNIST's test set, frame by frame.

    Ten frames are read. Free-running scores are those of `prediction` and `reconstruction`; under
    teacher forcing, an easier task, they are called `prediction_forced`. `target` is what the true
    future scores as a prediction of itself.

    \b
    Example:
      videolstm-tools evaluate composite_moving_mnist --on moving_mnist --mnist mnist.npz
    """
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM):
        raise InputError(f"Expected a video model. Received: {checkpoint}")
    test = _test_set(data, mnist, steps, digits, sequences)
    line = ProgressLine("evaluate", "sequences")
    scores = evaluate_frames(
        model,
        test.batches(batch_size),
        _input_steps(checkpoint),
        progress=lambda done: line(done, test.sequences, done),
    )
    result = {
        "checkpoint": checkpoint,
        "data": test.description,
        "protocol": "mean over sequences; nats and MSE are sums over a frame's pixels",
        "means": {name: _plain(of_output.means()) for name, of_output in scores.items()},
        "by_frame": {name: _plain(of_output.by_frame()) for name, of_output in scores.items()},
    }
    if out is not None:
        write_text(out, json.dumps(result, indent=2) + "\n")
    click.echo(json.dumps(result, indent=2) if as_json else _as_text(test.description, scores))


def _plain(scores: Any) -> Any:
    """Replace what JSON has no word for: the truth's own PSNR is infinite."""
    if isinstance(scores, dict):
        return {name: _plain(values) for name, values in scores.items()}
    if isinstance(scores, list):
        return [_plain(value) for value in scores]
    return scores if math.isfinite(scores) else None


def _test_set(
    data: str, mnist: str | None, steps: int, digits: int, sequences: int | None
) -> MovingMNISTTest | MovingMNISTFile:
    if data == "moving_mnist":
        return MovingMNISTTest(
            load_digits("test", mnist),
            steps=_INPUT_STEPS + steps,
            digits_per_frame=digits,
            sequences=sequences or TEST_SEQUENCES,
        )
    if not data.endswith(".npy"):
        raise InputError(f"Expected --on moving_mnist or a file .npy. Received: {data!r}")
    return MovingMNISTFile(data, sequences)


def _input_steps(checkpoint: str) -> int:
    metadata: dict[str, Any] = {} if checkpoint.endswith(".keras") else load_metadata(checkpoint)
    return metadata.get("input_steps", _INPUT_STEPS)


def _as_text(description: str, scores: dict[str, FrameScores]) -> str:
    lines = [
        description,
        "",
        f"{'':24}{'nats/frame':>12}{'MSE/frame':>12}{'SSIM':>8}{'PSNR, dB':>10}",
    ]
    for name, of_output in scores.items():
        lines.append(f"{name:24}" + _numbers(of_output.means()))
    for name, of_output in scores.items():
        lines += ["", f"{name}, frame by frame"]
        columns = zip(*of_output.by_frame().values(), strict=True)
        for step, values in enumerate(columns, start=1):
            lines.append(f"{step:>24}" + _numbers(dict(zip(vars(of_output), values, strict=True))))
    return "\n".join(lines)


def _numbers(values: dict[str, float]) -> str:
    return f"{values['nats']:12.1f}{values['mse']:12.1f}{values['ssim']:8.3f}{values['psnr']:10.2f}"
