"""A percept store that says how much of it has been read."""

from typing import Any

from numpy.typing import NDArray

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm_tools.progress import ProgressLine


class CountedStore(PerceptStore):
    """A store whose videos are read one after another, each once, with a line of progress.

    Args:
        store: the store that is read.
        label: what is being done.

    Example:
        >>> scores = score_videos(classifier, CountedStore(store, "confusion"), videos)
    """

    def __init__(self, store: PerceptStore, label: str) -> None:
        super().__init__(store.path)
        self._line = ProgressLine(label, "videos")
        self._read = 0

    def read(self, index: int) -> NDArray[Any]:
        """Return all percepts of one video."""
        percepts = super().read(index)
        self._read += 1
        self._line(self._read, len(self))
        return percepts

    def end(self) -> None:
        """End the line where videos were left out."""
        if self._read < len(self):
            self._line(self._read, self._read)
