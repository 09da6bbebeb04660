"""Training on several devices, or on several machines."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from keras_videolstm.choices import DISTRIBUTIONS as DISTRIBUTIONS
from keras_videolstm.errors import InputError
from keras_videolstm.training.variables import make_variables

_SIGNS_OF_A_LOST_WORKER = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.InternalError,
    tf.errors.FailedPreconditionError,
    tf.errors.DeadlineExceededError,
    tf.errors.CancelledError,
)


class WorkerLost(InputError):
    """Another worker of a multi-worker run went away."""


@contextmanager
def naming_lost_workers(distribute: str) -> Iterator[None]:
    """Raise `WorkerLost` for what TensorFlow raises where another worker goes away.

    Example:
        >>> with naming_lost_workers("multiworker"):
        ...     strategy = strategy_of("multiworker")
    """
    try:
        yield
    except _SIGNS_OF_A_LOST_WORKER as error:
        if distribute != "multiworker":
            raise
        reason = " ".join(str(error.message).split())[:300]
        raise WorkerLost(
            f"Expected all workers to go on; the run's last checkpoint is kept. Received: {reason}"
        ) from error


def strategy_of(distribute: str) -> tf.distribute.Strategy:
    """Return the strategy of `--distribute`.

    Args:
        distribute: `"none"`; `"mirrored"`, all GPUs of this machine; or `"multiworker"`, the
            machines that the environment variable TF_CONFIG names, the same on all but for the
            task's index. It waits until all are there.

    Raises:
        InputError: if the name is unknown, or TF_CONFIG is missing or unusable.

    Example:
        >>> strategy_of("none").num_replicas_in_sync
        1
    """
    if distribute == "none":
        return tf.distribute.get_strategy()
    if distribute == "mirrored":
        return tf.distribute.MirroredStrategy()
    if distribute == "multiworker":
        _check_cluster(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    raise InputError(f"Expected one of {', '.join(DISTRIBUTIONS)}. Received: {distribute!r}")


def _check_cluster(text: str | None) -> None:
    example = (
        '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
        '"task": {"type": "worker", "index": 0}}'
    )
    try:
        usable = _names_workers(json.loads(text or ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        usable = False
    if not usable:
        raise InputError(
            f"Expected the environment variable TF_CONFIG to name the workers, such as {example}. "
            f"Received: {text!r}"
        )


def _names_workers(config: dict[str, Any]) -> bool:
    # The first worker is the chief; a task of another type would be a second one.
    (workers,) = config["cluster"].values()
    kind, index = config["task"]["type"], config["task"]["index"]
    addresses = isinstance(workers, list) and all(re.fullmatch(r".+:\d+", w) for w in workers)
    known = set(config["cluster"]) == {"worker"} and kind == "worker"
    return known and addresses and type(index) is int and 0 <= index < len(workers)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes the run's files."""
    resolver = strategy.cluster_resolver
    return resolver is None or not resolver.task_id


def check_batches(strategy: tf.distribute.Strategy, batch_size: int, validation: int) -> None:
    """Check that batches divide evenly among the devices.

    Args:
        strategy: of the run.
        batch_size: sequences a step, of all devices together.
        validation: number of sequences in the validation set.

    Raises:
        InputError: if they do not.

    Example:
        >>> check_batches(strategy_of("none"), 7, 10)
    """
    devices = strategy.num_replicas_in_sync
    if devices > 1 and batch_size % devices:
        raise InputError(
            f"Expected training.batch_size to be a multiple of {devices}, the number of devices. "
            f"Received: {batch_size}"
        )
    if devices > 1 and validation % batch_size:
        raise InputError(
            f"Expected data.validation_windows to be a multiple of training.batch_size, "
            f"{batch_size}, on several devices. Received: {validation}"
        )


def fit_on_devices(
    model: keras.Model,
    strategy: tf.distribute.Strategy,
    batches: tf.data.Dataset[Any],
    validation: tf.data.Dataset[Any],
    *,
    steps_per_epoch: int,
    epochs: int,
    initial_epoch: int,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int | str,
) -> None:
    """Do what `model.fit` does, on all devices of a strategy.

    Keras' own `fit` averages losses over workers in a way that tf.distribute refuses for scalars
    (Keras 3.15, `reduce_per_replica`). Each device takes its part of each batch, so the joint
    step is that of one device on the whole batch. Dropout and scheduled sampling draw the same
    numbers on each device, for its own sequences. Callbacks see the losses of whole epochs alone.

    Args:
        model: compiled under the strategy's scope.
        strategy: of the run.
        batches, validation: `(inputs, targets)`, in batches for all devices together.
        steps_per_epoch, epochs, initial_epoch, callbacks, verbose: as in `keras.Model.fit`.

    Example:
        >>> fit_on_devices(model, strategy, batches, validation, steps_per_epoch=100, epochs=5,
        ...                initial_epoch=0, callbacks=[], verbose=1)
    """
    with strategy.scope():
        make_variables(model, validation)
    list_of_callbacks = keras.callbacks.CallbackList(
        list(callbacks),
        add_progbar=verbose != 0,
        model=model,
        epochs=epochs,
        steps=steps_per_epoch,
        verbose=verbose,
    )
    train_step = tf.function(lambda data: strategy.run(_quietly(model.train_step), (data,)))
    test_step = tf.function(lambda data: strategy.run(_quietly(model.test_step), (data,)))
    iterator = iter(_distributed(strategy, batches))
    held_out = _distributed(strategy, validation)
    list_of_callbacks.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        list_of_callbacks.on_epoch_begin(epoch)
        model.reset_metrics()
        for step in range(steps_per_epoch):
            list_of_callbacks.on_train_batch_begin(step)
            train_step(next(iterator))
            list_of_callbacks.on_train_batch_end(step)
        logs = _results(model)
        model.reset_metrics()
        for data in held_out:
            test_step(data)
        logs.update({f"val_{name}": value for name, value in _results(model).items()})
        list_of_callbacks.on_epoch_end(epoch, logs)
        # No worker goes on before the chief has saved the epoch.
        agree(strategy, epoch)
        if model.stop_training:
            break
    list_of_callbacks.on_train_end()


def agree(strategy: tf.distribute.Strategy, number: int) -> None:
    """Wait for all workers, and check that they all have the same number.

    Raises:
        InputError: if a worker has another one.

    Example:
        >>> agree(strategy_of("none"), 3)
    """
    devices = strategy.num_replicas_in_sync
    if devices == 1:
        return
    of_each = strategy.run(lambda: tf.constant(number, tf.float32))
    mean = float(strategy.reduce("MEAN", of_each, axis=None))
    if mean != number:
        raise InputError(
            f"Expected all workers to stand at the same epoch, in one shared folder. "
            f"Received: epoch {number} here, {mean:g} on average"
        )


def _quietly(step: Any) -> Any:
    def run(data: Any) -> None:
        step(data)

    return run


def _distributed(strategy: tf.distribute.Strategy, batches: tf.data.Dataset[Any]) -> Any:
    options = tf.data.Options()
    # Every worker makes all batches and keeps its part of each.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return strategy.experimental_distribute_dataset(batches.with_options(options))


def _results(model: keras.Model) -> dict[str, float]:
    return {name: float(value) for name, value in model.get_metrics_result().items()}
