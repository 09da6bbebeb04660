"""A Keras callback that tells how far a training is."""

from collections.abc import Callable
from typing import Any

import keras

Progress = Callable[[int, int], None]
"""Called with training steps done and training steps in all."""


class ToldSteps(keras.callbacks.Callback):
    """Tells how far a training is, one of several parts included.

    Args:
        progress: called after every step; `None` is nobody.
        total: steps of all parts.

    Example:
        >>> model.fit(x, y, callbacks=[ToldSteps(print, total=100)])
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        super().__init__()
        self._progress, self._done, self._total = progress, 0, total

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Tell of one more step."""
        self._done += 1
        self._tell(self._total)

    def end(self) -> None:
        """Tell that no more steps follow."""
        self._tell(self._done)

    def _tell(self, total: int) -> None:
        if self._progress is not None:
            self._progress(self._done, total)
