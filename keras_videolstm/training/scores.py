"""How well a classifier names actions: per frame, per block, per video."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.blocks import block_starts
from keras_videolstm.data.percept_blocks import all_blocks
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.models import ActionClassifier
from keras_videolstm.training.video_probabilities import VideoProbabilities

_BLOCKS_A_BATCH = 256


@dataclass(frozen=True)
class Scores:
    """Results on a set of videos.

    Attributes:
        frame_accuracy: part of all steps of all blocks whose likeliest class is right.
        block_accuracy: the same for 16-frame blocks, probabilities averaged over steps.
        video_accuracy: the same for videos, averaged over their blocks.
        video_nats: mean cross entropy of the videos' probabilities, in nats.
        videos: number of videos; views of one clip count as one, their blocks averaged.
        confusion: `(classes, classes)` counts of videos, truth in rows.
        of_videos: names, truth and probabilities of the single videos.
    """

    frame_accuracy: float
    block_accuracy: float
    video_accuracy: float
    video_nats: float
    videos: int
    confusion: NDArray[Any]
    of_videos: VideoProbabilities

    def as_dict(self) -> dict[str, float | int | list[list[int]]]:
        """Return plain numbers, for JSON."""
        return {
            "frame_accuracy": self.frame_accuracy,
            "block_accuracy": self.block_accuracy,
            "video_accuracy": self.video_accuracy,
            "video_nats": self.video_nats,
            "videos": self.videos,
            "confusion": self.confusion.tolist(),
        }


def score_videos(
    classifier: ActionClassifier, store: PerceptStore, videos: Sequence[int] | NDArray[Any]
) -> Scores:
    """Score a classifier by the paper's protocol: 16-frame blocks at stride 8, averaged.

    Args:
        classifier: its classes are the store's.
        store: labelled percepts.
        videos: numbers of the videos.

    Example:
        >>> score_videos(classifier, PerceptStore("ucf.h5"), split.test).video_accuracy
        0.91
    """
    blocks = all_blocks(store, videos, batch_size=_BLOCKS_A_BATCH)
    outputs = classifier.predict(blocks, verbose=0)
    counts = [len(block_starts(int(store.frame_counts[video]))) for video in videos]
    block_labels = np.repeat(store.labels[list(videos)], counts)
    real = _real_steps(store, videos, outputs["steps"].shape[1])
    right = outputs["steps"].argmax(-1) == block_labels[:, None]
    of_videos = VideoProbabilities.of_blocks(outputs["action"], store, videos)
    return Scores(
        frame_accuracy=float(right[real].mean()),
        block_accuracy=float((outputs["action"].argmax(-1) == block_labels).mean()),
        video_accuracy=of_videos.accuracy,
        video_nats=of_videos.nats,
        videos=len(of_videos.labels),
        confusion=of_videos.confusion,
        of_videos=of_videos,
    )


def video_probabilities(
    classifier: ActionClassifier, store: PerceptStore, videos: Sequence[int] | NDArray[Any]
) -> VideoProbabilities:
    """Return the probabilities of each video, by the same protocol.

    Example:
        >>> video_probabilities(classifier, PerceptStore("ucf.h5"), split.test).probabilities.shape
        (342, 11)
    """
    blocks = all_blocks(store, videos, batch_size=_BLOCKS_A_BATCH)
    return VideoProbabilities.of_blocks(
        classifier.predict(blocks, verbose=0)["action"], store, videos
    )


def _real_steps(
    store: PerceptStore, videos: Sequence[int] | NDArray[Any], steps: int
) -> NDArray[Any]:
    """Return which steps of each block are frames, not padding."""
    lengths = [
        min(int(store.frame_counts[video]), steps)
        for video in videos
        for _ in block_starts(int(store.frame_counts[video]))
    ]
    return np.arange(steps) < np.array(lengths)[:, None]
