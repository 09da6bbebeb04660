"""Writing a percept store video by video."""

import json
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import FORMAT, UNLABELLED
from keras_videolstm.errors import InputError
from keras_videolstm.files import LateErrorFile

_ROWS_A_CHUNK = 32


class PerceptStoreWriter:
    """Writes a percept store; the file appears under its name only when all of it is written.

    Args:
        path: the store to write.
        feature_dim: length of one feature vector.
        class_names: names of the classes, in the order of label numbers.
        provenance: what a reader must know to make the same percepts again (extractor, frame
            format, library versions); stored as JSON.

    Example:
        >>> clip = Clip(Path("a.mp4"), "walk", "a")
        >>> with PerceptStoreWriter("walk.h5", 3, ("walk",), {"extractor": "mine"}) as writer:
        ...     writer.append(np.ones((5, 3), "float32"))
        ...     writer.end_video(clip)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        feature_dim: int,
        class_names: tuple[str, ...],
        provenance: dict[str, Any],
    ) -> None:
        self.path = Path(path)
        # Containers on several hosts have the same process ids.
        self._temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}.part")
        self._class_names = class_names
        self._provenance = provenance
        self._videos: list[dict[str, Any]] = []
        self._labels: list[int] = []
        self._counts: list[int] = []
        self._rows = 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._disk = LateErrorFile(self._temporary)
        self._file = h5py.File(self._disk, "w")
        self._percepts = self._file.create_dataset(
            "percepts",
            shape=(0, feature_dim),
            maxshape=(None, feature_dim),
            chunks=(_ROWS_A_CHUNK, feature_dim),
            dtype="float32",
        )

    def append(self, percepts: NDArray[Any]) -> None:
        """Append percepts `(time, features)` of the video that is being written.

        Raises:
            InputError: if the shape is wrong or a value is not finite.
            OSError: if it cannot be written, such as on a full disk.
        """
        percepts = np.asarray(percepts, "float32")
        if percepts.ndim != 2 or percepts.shape[1] != self._percepts.shape[1]:
            raise InputError(
                f"Expected percepts (time, {self._percepts.shape[1]}). "
                f"Received: shape={percepts.shape}"
            )
        if not np.isfinite(percepts).all():
            raise InputError("Expected finite percepts. Received: NaN or infinite values")
        end = self._rows + len(percepts)
        self._percepts.resize(end, axis=0)
        self._percepts[self._rows : end] = percepts
        self._rows = end
        self._disk.check()

    def end_video(self, clip: Clip, key: str = "") -> int:
        """Close the video whose percepts were appended since the last; return all frames so far.

        Args:
            clip: the video.
            key: says all that its percepts depend on; empty if nobody asks for it again.

        Raises:
            InputError: if it has no percepts.
        """
        if self._rows == sum(self._counts):
            raise InputError(f"Expected percepts before the end of a video. Received: {clip.path}")
        label = self._class_names.index(clip.label) if clip.label else UNLABELLED
        video: dict[str, Any] = {"path": str(clip.path), "group": clip.group, "key": key}
        video |= {"place": clip.place, "flip": clip.flip, "untimed_fps": clip.untimed_fps}
        self._videos.append(video)
        self._labels.append(label)
        self._counts.append(self._rows - sum(self._counts))
        return self._rows

    def __enter__(self) -> "PerceptStoreWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
            self._file.close()
            self._disk.close()
            if kind is None:
                self._disk.check()
                self._temporary.replace(self.path)
        finally:
            self._temporary.unlink(missing_ok=True)

    def _finish(self) -> None:
        metadata = {
            "format": FORMAT,
            **self._provenance,
            "class_names": list(self._class_names),
            "videos": self._videos,
        }
        self._file["frame_counts"] = np.array(self._counts, "int64")
        self._file["labels"] = np.array(self._labels, "int32")
        self._file["metadata"] = np.frombuffer(json.dumps(metadata).encode(), "uint8")
