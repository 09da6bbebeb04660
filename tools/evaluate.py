"""`videolstm-tools evaluate`."""

import json
from pathlib import Path

import click
from click.core import ParameterSource

from keras_videolstm.checkpoints import load
from keras_videolstm.data.digits import load_digits
from keras_videolstm.data.moving_mnist_test import (
    TEST_SEQUENCES,
    TEST_STEPS,
    MovingMNISTFile,
    MovingMNISTTest,
)
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.evaluation import evaluate_frames
from keras_videolstm.training.frame_scores import FrameScores
from keras_videolstm_tools.films import input_steps_of
from keras_videolstm_tools.progress import ProgressLine

_NOT_WITH_A_FILE = ("mnist", "steps", "digits")


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
    type=click.IntRange(1),
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
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="JSON file for all results."
)
@click.option("--json", "as_json", is_flag=True, help="Print all results as JSON.")
@click.pass_context
def command(
    context: click.Context,
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

    It reads as many frames as in its training. Free-running scores are those of `prediction` and
    `reconstruction`; under teacher forcing, an easier task, they are called `prediction_forced`.
    `target` is what the true future scores as a prediction of itself.

    \b
    Example:
      videolstm-tools evaluate composite_moving_mnist --on moving_mnist --mnist mnist.npz
    """
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM):
        raise InputError(f"Expected a video model. Received: {checkpoint}")
    read = input_steps_of(checkpoint)
    if data == "moving_mnist":
        test: MovingMNISTTest | MovingMNISTFile = MovingMNISTTest(
            load_digits("test", mnist),
            steps=max(read + steps, TEST_STEPS),
            digits_per_frame=digits,
            sequences=TEST_SEQUENCES if sequences is None else sequences,
        )
    else:
        test, steps = _file(context, data, sequences), None
    line = ProgressLine("evaluate", "sequences")
    scores = evaluate_frames(
        model,
        test.batches(batch_size),
        read,
        steps,
        progress=lambda done: line(done, test.sequences, done),
    )
    result = {
        "checkpoint": checkpoint,
        "data": test.description,
        "protocol": f"{read} frames read; mean over sequences; nats and MSE are sums over a "
        "frame's pixels",
        "means": FrameScores.for_json({name: s.means() for name, s in scores.items()}),
        "by_frame": FrameScores.for_json({name: s.by_frame() for name, s in scores.items()}),
    }
    click.echo(json.dumps(result, indent=2) if as_json else _as_text(test.description, scores))
    if out is not None:
        write_text(out, json.dumps(result, indent=2) + "\n")


def _file(context: click.Context, data: str, sequences: int | None) -> MovingMNISTFile:
    if not data.endswith(".npy"):
        raise InputError(f"Expected --on moving_mnist or a file .npy. Received: {data!r}")
    for option in _NOT_WITH_A_FILE:
        if context.get_parameter_source(option) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"Expected --{option} with --on moving_mnist. Received: {data}")
    return MovingMNISTFile(data, sequences)


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
