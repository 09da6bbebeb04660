"""Letting go of what TensorFlow keeps of models that are no longer there."""

from collections.abc import Iterator
from contextlib import contextmanager

from tensorflow.python.framework import ops


@contextmanager
def forgotten_graphs() -> Iterator[None]:
    """Let go, at the end, of the graphs that models trained within have left behind.

    TensorFlow registers each traced gradient (`tf.custom_gradient`, nested functions) for good, and
    with it the graph around it: some 45 MB a classifier, 27 GB for the 600 of a Figure 7 on three
    splits. No public function clears this. What was trained within must not be trained on outside.

    Example:
        >>> with forgotten_graphs():
        ...     accuracy = train_and_score()
    """
    registered = getattr(ops.gradient_registry, "_registry", {})
    before = set(registered)
    try:
        yield
    finally:
        for name in set(registered) - before:
            del registered[name]
