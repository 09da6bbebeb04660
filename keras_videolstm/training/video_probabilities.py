"""What a classifier says of whole videos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.blocks import BLOCK_STEPS, BLOCK_STRIDE, block_starts
from keras_videolstm.data.percept_store import PerceptStore

_LEAST = 1e-12


@dataclass(frozen=True)
class VideoProbabilities:
    """The probabilities of each video's classes, beside its true one.

    Attributes:
        names: of each video's folder and file, which stay where a data set is moved.
        labels: true class of each video.
        probabilities: `(videos, classes)`.
    """

    names: NDArray[Any]
    labels: NDArray[Any]
    probabilities: NDArray[Any]

    @classmethod
    def of_blocks(
        cls,
        blocks: NDArray[Any],
        store: PerceptStore,
        videos: Sequence[int] | NDArray[Any],
        steps: int = BLOCK_STEPS,
        stride: int = BLOCK_STRIDE,
    ) -> "VideoProbabilities":
        """Average over a video's blocks, those of all its views.

        Args:
            blocks: probabilities `(blocks, classes)`, in the order of `all_blocks`.
            store: labelled percepts.
            videos: numbers of the videos.
            steps: frames a block.
            stride: frames from block to block.
        """
        counts = [len(block_starts(int(store.frame_counts[v]), steps, stride)) for v in videos]
        clip_of_block = np.repeat(store.clips_of(videos), counts)
        video_of_block = np.repeat(np.asarray(videos), counts)
        clips, firsts = np.unique(clip_of_block, return_index=True)
        means = np.stack([blocks[clip_of_block == clip].mean(axis=0) for clip in clips])
        first_videos = video_of_block[firsts]
        names = np.array([folder_and_file(store.names[v]) for v in first_videos], dtype=object)
        return cls(names, store.labels[first_videos], means)

    @property
    def accuracy(self) -> float:
        """Part of the videos whose likeliest class is right."""
        return float((self.probabilities.argmax(-1) == self.labels).mean())

    @property
    def nats(self) -> float:
        """Mean cross entropy of a video, in nats."""
        likelihood = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(likelihood, _LEAST)).mean())

    @property
    def confusion(self) -> NDArray[Any]:
        """Counts of videos `(classes, classes)`, truth in rows."""
        classes = self.probabilities.shape[1]
        counts = np.zeros((classes, classes), np.int64)
        np.add.at(counts, (self.labels, self.probabilities.argmax(-1)), 1)
        return counts


def folder_and_file(path: str) -> str:
    """Return the last two parts of a path.

    Example:
        >>> folder_and_file("data/UCF-101/Punch/v_Punch_g01_c01.avi")
        'Punch/v_Punch_g01_c01.avi'
    """
    return "/".join(PurePath(path).parts[-2:])
