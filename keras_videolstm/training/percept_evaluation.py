"""Measure a video model on windows of percepts, step by step, beside what learns nothing."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.models.frames import scaled_pixels
from keras_videolstm.training.backends import refuse_other_backends
from keras_videolstm.training.compiled_model import losses

BASELINE = "prediction by "
"""How the names begin of what predicts without learning."""


def evaluate_percepts(
    model: VideoLSTM,
    batches: Iterable[Any],
    input_steps: int,
    progress: Callable[[int], None] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the mean loss of what a model writes, for every time step.

    The loss is that of its training: of linear outputs half the squared error, summed over a
    frame's (standardised) features; of a sigmoid's the Bernoulli cross entropy. Each decoder runs
    on its own frames; a conditional one is also measured under teacher forcing.

    Args:
        model: reads percepts, or patches of pixels.
        batches: windows `(batch, time, features)`, all of the same length.
        input_steps: frames that the model reads; those after them it predicts.
        progress: called with the number of windows done.

    Returns:
        Losses `(time,)` of `"prediction"` and `"reconstruction"` as far as the model has them, of
        `"prediction_forced"` or `"reconstruction_forced"` in a conditional variant, and, of a
        model with linear outputs that predicts, of three predictors that learn nothing: the last
        frame held, the mean of the frames read, the training mean.

    Raises:
        InputError: if there is no window, or one that has no frame to predict.

    Example:
        >>> windows = percept_windows(selections, 29, seed=1, batch_size=100, count=1000)
        >>> scores = evaluate_percepts(load("composite_patches"), windows, input_steps=16)
        >>> scores["prediction"].shape
        (13,)
    """
    return _means(_score, model, batches, input_steps, progress)


def guess_losses(model: VideoLSTM, batches: Iterable[Any], input_steps: int) -> dict[str, float]:
    """Return the mean loss of what predicts without learning, as `evaluate_percepts` has it.

    Args:
        model: as there; its statistics say what the loss is.
        batches, input_steps: as there.

    Returns:
        Losses by name; none of a model that does not predict, or whose outputs are not linear.

    Raises:
        InputError: as there.

    Example:
        >>> guess_losses(load("composite_youtube"), windows, input_steps=16)
        {'the last frame held': 268.4, 'the mean of the frames read': 221.2, ...}
    """
    if not _guessed(model):
        return {}
    found = _means(_score_guesses, model, batches, input_steps)
    return {name.removeprefix(BASELINE): float(values.mean()) for name, values in found.items()}


def _means(
    score_of: Callable[..., dict[str, tf.Tensor]],
    model: VideoLSTM,
    batches: Iterable[Any],
    input_steps: int,
    progress: Callable[[int], None] | None = None,
) -> dict[str, NDArray[Any]]:
    refuse_other_backends()
    score = tf.function(lambda clips: score_of(model, clips, input_steps), reduce_retracing=True)
    totals: dict[str, NDArray[Any] | float] = {}
    done = 0
    for clips in batches:
        if clips.shape[1] <= input_steps:
            raise InputError(
                f"Expected windows of more than the {input_steps} frames that are read. "
                f"Received: {clips.shape[1]}"
            )
        clips = scaled_pixels(tf.reshape(clips, (-1, clips.shape[1], *model.frame_shape)))
        for name, values in score(clips).items():
            totals[name] = totals.get(name, 0.0) + values.numpy().astype("float64").sum(axis=0)
        done += clips.shape[0]
        if progress is not None:
            progress(done)
    if not done:
        raise InputError("Expected at least one window. Received: none")
    return {name: np.asarray(total) / done for name, total in totals.items()}


def _score(model: VideoLSTM, clips: tf.Tensor, input_steps: int) -> dict[str, tf.Tensor]:
    """Return the loss `(batch, time)` of each output, and of what learns nothing."""
    frames, future = _parts(model, clips, input_steps)
    truths = {"reconstruction": frames, "prediction": future}
    _, state = model.run_encoder(frames)
    written: dict[str, Any] = {}
    for key, decoder in model.decoders.items():
        truth = truths[key]
        written[key] = decoder(state, steps=truth.shape[1], feedback=True)
        if decoder.conditional:
            written[f"{key}_forced"] = decoder(state, truth=truth, feedback=False)
    loss = next(iter(losses(model).values()))
    scores = {
        name: loss.call(truths[name.removesuffix("_forced")], output)
        for name, output in written.items()
    }
    return scores | (_score_guesses(model, clips, input_steps) if _guessed(model) else {})


def _guessed(model: VideoLSTM) -> bool:
    """Whether there are predictors that learn nothing to compare a model with."""
    return "prediction" in model.decoders and model.activation == "linear"


def _score_guesses(model: VideoLSTM, clips: tf.Tensor, input_steps: int) -> dict[str, tf.Tensor]:
    """Return the loss `(batch, time)` of predictors that learn nothing."""
    frames, future = _parts(model, clips, input_steps)
    guesses = {
        "the last frame held": frames[:, -1:],
        "the mean of the frames read": tf.reduce_mean(frames, axis=1, keepdims=True),
        "the training mean": tf.zeros_like(frames[:, :1]),
    }
    loss = losses(model)["prediction"]
    return {
        f"{BASELINE}{name}": loss.call(future, tf.broadcast_to(guess, tf.shape(future)))
        for name, guess in guesses.items()
    }


def _parts(model: VideoLSTM, clips: tf.Tensor, input_steps: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return what is read and what is to be predicted, as the model's losses see them."""
    if model.standardizer is not None:
        clips = model.standardizer(clips)
    return clips[:, :input_steps], clips[:, input_steps:]
