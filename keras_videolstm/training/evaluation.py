"""Measure a video model on sequences of pixels: free-running, teacher-forced, step by step."""

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.models.frames import checked_clips
from keras_videolstm.training.backends import refuse_other_backends
from keras_videolstm.training.frame_scores import (
    SMALLEST_SIDE,
    FrameScorer,
    FrameScores,
    score_frames,
)

TARGET = "target"


def evaluate_frames(
    model: VideoLSTM,
    batches: Iterable[NDArray[Any]],
    input_steps: int = 10,
    steps: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, FrameScores]:
    """Measure what a model writes, of pixels.

    Each decoder runs on its own frames. A conditional one is also measured under teacher forcing,
    where it sees every true frame before the one that it writes, which is an easier task.

    Args:
        model: reads pixels.
        batches: sequences `(batch, time, height, width, channels)`, uint8 or in [0, 1], all of the
            same length.
        input_steps: frames that the model reads; default 10.
        steps: frames that it predicts; default: all that follow the input.
        progress: called with the number of sequences done.

    Returns:
        Scores of `"prediction"` and `"reconstruction"` as far as the model has them, of
        `"prediction_forced"` or `"reconstruction_forced"` in a conditional variant, and of
        `"target"`: the future as its own prediction, the bound of all.

    Raises:
        InputError: if the model does not read pixels of images of at least 11 x 11, or
            standardises them; if there is no sequence, or one is too short, of another length or
            size than the others, or not pixels.

    Example:
        >>> test = MovingMNISTTest(load_digits("test", "mnist_folder"))
        >>> scores = evaluate_frames(load("composite_moving_mnist"), test.batches(100))
        >>> scores["prediction"].means()["nats"]
    """
    refuse_other_backends()
    _check_model(model)
    if min(input_steps, 1 if steps is None else steps) < 1:
        raise InputError(
            f"Expected positive numbers. Received: input_steps={input_steps}, steps={steps}"
        )
    score = tf.function(lambda clips: _score(model, clips, input_steps), reduce_retracing=True)
    scorers: dict[str, FrameScorer] = {}
    done, length = 0, None if steps is None else input_steps + steps
    for clips in batches:
        clips, _ = checked_clips(clips, model.frame_shape, model.activation)
        clips = clips if steps is None else clips[:, :length]
        length = clips.shape[1] if length is None else length
        if clips.shape[1] != length or length <= input_steps:
            raise InputError(
                f"Expected {max(length, input_steps + 1)} frames in every sequence, of which "
                f"{input_steps} are read. Received: {clips.shape[1]}"
            )
        for name, values in score(tf.constant(clips)).items():
            scorers.setdefault(name, FrameScorer()).add(values)
        done += len(clips)
        if progress is not None:
            progress(done)
    if not done:
        raise InputError("Expected at least one sequence. Received: none")
    return {name: scorer.result() for name, scorer in scorers.items()}


def _check_model(model: VideoLSTM) -> None:
    sides = model.frame_shape[:2]
    images = len(model.frame_shape) == 3 and min(sides) >= SMALLEST_SIDE
    if model.activation != "sigmoid" or model.standardizer is not None or not images:
        raise InputError(
            f"Expected a model of pixels (height, width, channels) in [0, 1], at least "
            f"{SMALLEST_SIDE} a side, not standardised. Received: frame_shape={model.frame_shape}, "
            f"activation={model.activation!r}, standardize={model.standardizer is not None}"
        )


def _score(model: VideoLSTM, clips: tf.Tensor, input_steps: int) -> dict[str, tf.Tensor]:
    frames, future = clips[:, :input_steps], clips[:, input_steps:]
    truths = {"reconstruction": frames, "prediction": future}
    _, state = model.encoder(frames)
    written: dict[str, Any] = {}
    for key, decoder in model.decoders.items():
        truth = truths[key]
        written[key] = decoder(state, steps=truth.shape[1], feedback=True)
        if decoder.conditional:
            written[f"{key}_forced"] = decoder(state, truth=truth, feedback=False)
    scores = {
        name: score_frames(truths[name.removesuffix("_forced")], frames)
        for name, frames in written.items()
    }
    return {**scores, TARGET: score_frames(future, future)}
