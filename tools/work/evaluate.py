"""What `videolstm-tools evaluate` does."""

import json
from pathlib import Path
from typing import Any

from keras_videolstm.checkpoints import load, metadata_of
from keras_videolstm.data.digits import load_digits
from keras_videolstm.data.moving_mnist_test import (
    TEST_SEQUENCES,
    TEST_STEPS,
    MovingMNISTFile,
    MovingMNISTTest,
)
from keras_videolstm.data.percept_windows import percept_windows
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.evaluation import evaluate_frames
from keras_videolstm.training.frame_scores import FrameScores
from keras_videolstm.training.percept_evaluation import evaluate_percepts
from keras_videolstm_tools.evaluate import MOVING_MNIST
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.films import input_steps_of
from keras_videolstm_tools.work.named_stores import is_named_store, opened_store

_STEPS = 10
_WINDOWS = 1000
_HEADS = {"nats": "nats/frame", "mse": "MSE/frame", "ssim": "SSIM", "psnr": "PSNR, dB"}
_DIGITS = {"ssim": 3, "psnr": 2}

Scores = dict[str, dict[str, list[float]]]


def run(
    checkpoint: str,
    data: str,
    mnist: str | None,
    steps: int | None,
    digits: int,
    test_sequences: int | None,
    batch_size: int,
    out: Path | None,
) -> Made:
    """Run `evaluate`."""
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM):
        raise InputError(f"Expected a video model. Received: {checkpoint}")
    read = input_steps_of(checkpoint)
    if is_named_store(data):
        description, scores = _on_percepts(
            model, read, data, steps, test_sequences, batch_size, metadata_of(checkpoint)
        )
        reduction = "the loss of the training is a sum over a frame's features"
    else:
        length = read + (steps or _STEPS)
        test = _test_set(data, mnist, digits, length, test_sequences)
        predicted = (steps or _STEPS) if data == MOVING_MNIST else None
        description, scores = test.description, _on_pixels(model, read, test, predicted, batch_size)
        reduction = "nats and MSE are sums over a frame's pixels"
    result = {
        "checkpoint": checkpoint,
        "data": description,
        "protocol": f"{read} frames read; mean over sequences; {reduction}",
        "means": FrameScores.for_json(_means(scores)),
        "by_frame": FrameScores.for_json(scores),
    }
    if out is not None:
        write_text(out, json.dumps(result, indent=2) + "\n")
    return Made(result, _as_text(description, scores))


def _test_set(
    data: str,
    mnist: str | None,
    digits: int,
    length: int,
    sequences: int | None,
) -> MovingMNISTTest | MovingMNISTFile:
    if data == MOVING_MNIST:
        return MovingMNISTTest(
            load_digits("test", mnist),
            steps=max(length, TEST_STEPS),
            digits_per_frame=digits,
            sequences=TEST_SEQUENCES if sequences is None else sequences,
        )
    if not data.endswith(".npy"):
        raise InputError(
            f"Expected --on moving_mnist, a file .npy or a percept store. Received: {data!r}"
        )
    return MovingMNISTFile(data, sequences)


def _on_pixels(
    model: VideoLSTM,
    read: int,
    test: MovingMNISTTest | MovingMNISTFile,
    steps: int | None,
    batch_size: int,
) -> Scores:
    line = ProgressLine("evaluate", "sequences")
    scores = evaluate_frames(
        model,
        test.batches(batch_size),
        read,
        steps,
        progress=lambda done: line(done, test.sequences),
    )
    return {name: of_output.by_frame() for name, of_output in scores.items()}


def _on_percepts(
    model: VideoLSTM,
    read: int,
    data: str,
    steps: int | None,
    sequences: int | None,
    batch_size: int,
    metadata: dict[str, Any],
) -> tuple[str, Scores]:
    count, length = sequences or _WINDOWS, read + (steps or model.prediction_steps)
    selections = [opened_store(data, model, metadata.get("percepts"))]
    windows = percept_windows(selections, length, seed=0, batch_size=batch_size, count=count)
    line = ProgressLine("evaluate", "windows")
    scores = evaluate_percepts(model, windows, read, progress=lambda done: line(done, count))
    return f"{count} windows of {length} frames of {data}", {
        name: {"loss": values.tolist()} for name, values in scores.items()
    }


def _means(scores: Scores) -> dict[str, dict[str, float]]:
    return {
        name: {score: sum(values) / len(values) for score, values in of_output.items()}
        for name, of_output in scores.items()
    }


def _as_text(description: str, scores: Scores) -> str:
    heads = next(iter(scores.values()))
    width = max(24, *(len(name) + 2 for name in scores))
    head = "".join(f"{_HEADS.get(name, name):>12}" for name in heads)
    lines = [description, "", " " * width + head]
    lines += [f"{name:{width}}" + _numbers(means) for name, means in _means(scores).items()]
    for name, of_output in scores.items():
        lines += ["", f"{name}, frame by frame"]
        for step, values in enumerate(zip(*of_output.values(), strict=True), start=1):
            lines.append(f"{step:>{width}}" + _numbers(dict(zip(of_output, values, strict=True))))
    return "\n".join(lines)


def _numbers(values: dict[str, float]) -> str:
    return "".join(f"{value:12.{_DIGITS.get(name, 1)}f}" for name, value in values.items())
