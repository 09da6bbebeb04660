"""Measure a video model on sequences of pixels: free-running, teacher-forced, step by step."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.models.frames import scaled_pixels
from keras_videolstm.training.frame_scores import FrameScorer, FrameScores, score_frames

TARGET = "target"


def evaluate_frames(
    model: VideoLSTM,
    batches: Iterable[np.ndarray],
    input_steps: int = 10,
    progress: Callable[[int], None] | None = None,
) -> dict[str, FrameScores]:
    """Measure what a model writes, of pixels.

    Each decoder runs on its own frames. A conditional one is also measured under teacher forcing,
    where it sees every true frame before the one that it writes, which is an easier task.

    Args:
        model: reads pixels.
        batches: sequences `(batch, time, height, width, channels)`, uint8 or in [0, 1]; what
            follows the input is predicted, however long it is.
        input_steps: frames that the model reads; default 10.
        progress: called with the number of sequences done.

    Returns:
        Scores of `"prediction"` and `"reconstruction"` as far as the model has them, of
        `"prediction_forced"` or `"reconstruction_forced"` in a conditional variant, and of
        `"target"`: the future as its own prediction, the bound of all.

    Raises:
        InputError: if the model does not read pixels, or there is no sequence.

    Example:
        >>> test = MovingMNISTTest(load_digits("test", "mnist_folder"))
        >>> scores = evaluate_frames(load("composite_moving_mnist"), test.batches(100))
        >>> scores["prediction"].means()["nats"]
    """
    if model.activation != "sigmoid" or len(model.frame_shape) != 3:
        raise InputError(
            f"Expected a model of pixels (height, width, channels) in [0, 1]. "
            f"Received: frame_shape={model.frame_shape}, activation={model.activation!r}"
        )
    score = tf.function(lambda clips: _score(model, clips, input_steps), reduce_retracing=True)
    scorers: dict[str, FrameScorer] = {}
    done = 0
    for clips in batches:
        if clips.shape[2:] != model.frame_shape:
            raise InputError(
                f"Expected frames {model.frame_shape}. Received: shape={clips.shape[2:]}"
            )
        for name, values in score(_as_pixels(clips)).items():
            scorers.setdefault(name, FrameScorer()).add(values)
        done += len(clips)
        if progress is not None:
            progress(done)
    if not done:
        raise InputError("Expected at least one sequence. Received: none")
    return {name: scorer.result() for name, scorer in scorers.items()}


def _as_pixels(clips: np.ndarray) -> tf.Tensor:
    return scaled_pixels(tf.constant(clips if clips.dtype == np.uint8 else np.float32(clips)))


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
