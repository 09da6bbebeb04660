"""A video file as what a checkpoint reads of it."""

import math
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.checkpoints import load, metadata_of
from keras_videolstm.data.video import FrameFormat, read_video
from keras_videolstm.errors import InputError
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.percepts import PerceptExtractor, clip_percepts, get_extractor, known_extractor

DEFAULT_FPS = 15


def read_clip(
    clip: str | os.PathLike[str], checkpoint: str | os.PathLike[str], fps: float | None = None
) -> NDArray[Any]:
    """Return a video file as what a checkpoint's model reads of it.

    Args:
        clip: the file, or a folder of images, each a frame, in the order of their names.
        checkpoint: of a `VideoLSTM` or an `ActionClassifier`, as in `load`.
        fps: frames a second; default: those that the checkpoint was trained at, else 15.

    Returns:
        `(time, *frame_shape)`: percepts, or pixels in [0, 1].

    Raises:
        InputError: if the clip cannot be read, or the checkpoint is of another kind.

    Example:
        >>> import keras_videolstm as kvl
        >>> clip = kvl.read_clip("clip.mp4", "composite_youtube")
        >>> kvl.load("composite_youtube").forecast(clip, steps=30).shape
        (30, 1280)
        >>> kvl.load("classifier").classify(kvl.read_clip("clip.mp4", "classifier")).sum()
        1.0
    """
    return ClipReader.of(load(checkpoint), checkpoint, fps).read(clip)


class ClipReader:
    """Reads video as a checkpoint was trained to see it.

    Args:
        metadata: of the checkpoint.
        frame_shape: of what its model reads: `(features,)`, or `(height, width, channels)`.
        fps: frames a second; default: those that the checkpoint was trained at, else 15.

    Raises:
        InputError: if the model reads features, and the metadata does not say of what, or names
            percepts of another length.

    Example:
        >>> reader = ClipReader(load_metadata("composite_youtube"), (1280,))
        >>> reader.read("clip.mp4").shape, reader.pictures("clip.mp4").shape
        ((75, 1280), (75, 224, 224, 3))
    """

    def __init__(
        self, metadata: Mapping[str, Any], frame_shape: tuple[int, ...], fps: float | None = None
    ) -> None:
        self._frame_shape = frame_shape
        self._percepts = percepts = metadata.get("percepts")
        if percepts:
            extractor = known_extractor(percepts["extractor"])
            _check_features(extractor, frame_shape)
            _check_version(extractor, percepts.get("version", ""))
            rate = percepts["fps"] if fps is None else fps
            self._format = extractor.frame_format(rate, percepts["fit"])
        elif len(frame_shape) == 3:
            rate = metadata.get("fps", DEFAULT_FPS) if fps is None else fps
            self._format = FrameFormat(fps=rate, size=_side(frame_shape))
        else:
            raise InputError(
                "Expected a checkpoint that names its percepts. "
                f"Received: one that reads {frame_shape[-1]} features of no name"
            )

    @classmethod
    def of(
        cls, model: keras.Model, checkpoint: str | os.PathLike[str], fps: float | None = None
    ) -> "ClipReader":
        """Return the reader for a checkpoint whose model is loaded.

        Raises:
            InputError: as the class; if the model is neither a `VideoLSTM` nor a classifier.

        Example:
            >>> ClipReader.of(load("composite_youtube"), "composite_youtube").fps
            15.0
        """
        if isinstance(model, ActionClassifier):
            return cls(metadata_of(checkpoint), (model.feature_dim,), fps)
        if isinstance(model, VideoLSTM):
            return cls(metadata_of(checkpoint), model.frame_shape, fps)
        raise InputError(f"Expected a classifier or a video model. Received: {checkpoint}")

    @cached_property
    def _extractor(self) -> PerceptExtractor:
        """Loaded when the first clip is read: pictures need none of its weights."""
        return get_extractor(self._percepts["extractor"])

    @property
    def fps(self) -> float:
        """Frames a second that are read; of files whose own rate is kept, a common one."""
        return self._format.fps or DEFAULT_FPS

    @property
    def view(self) -> str:
        """What is seen of a frame, in words.

        Example:
            >>> ClipReader(load_metadata("composite_patches"), (32, 32, 3)).view
            'the middle 32x32 pixels of frames whose short side is 240'
        """
        size, short_side = self._format.size, self._format.short_side
        if self._format.fit == "pad":
            return f"all of a frame, padded to {size}x{size} pixels"
        if short_side in (None, size):
            return f"the middle square, as {size}x{size} pixels"
        return f"the middle {size}x{size} pixels of frames whose short side is {short_side}"

    def read(self, clip: str | os.PathLike[str]) -> NDArray[Any]:
        """Return what the model reads, `(time, *frame_shape)`: percepts, or pixels in [0, 1].

        Raises:
            InputError: if the clip cannot be read to its end.
        """
        if self._percepts:
            percepts = clip_percepts(clip, self._extractor, self._format)
            return percepts.reshape(len(percepts), *self._frame_shape)
        frames = self.pictures(clip).astype("float32") / 255
        if self._frame_shape[-1] == 3:
            return frames
        # ITU-R BT.601 luma, as image libraries turn colour into grey.
        return (frames @ np.float32([0.299, 0.587, 0.114]))[..., None]

    def pictures(self, clip: str | os.PathLike[str]) -> NDArray[np.uint8]:
        """Return the pictures `(time, size, size, 3)`, uint8, that what is read was made of.

        Raises:
            InputError: if the clip cannot be read to its end.
        """
        return read_video(clip, self._format)


def _check_features(extractor: type[PerceptExtractor], frame_shape: tuple[int, ...]) -> None:
    features = math.prod(frame_shape)
    if extractor.feature_dim != features:
        raise InputError(
            f"Expected percepts of {features} features, which the model reads. "
            f"Received: {extractor.name!r} with {extractor.feature_dim}"
        )


def _check_version(extractor: type[PerceptExtractor], version: str) -> None:
    if version and version != extractor.version:
        raise InputError(
            f"Expected the extractor {extractor.name!r} of version {version}, whose percepts the "
            f"model reads. Received: version {extractor.version or '(none)'}"
        )


def _side(frame_shape: tuple[int, ...]) -> int:
    height, width, _ = frame_shape
    if height != width:
        raise InputError(f"Expected a model of square frames. Received: {frame_shape}")
    return height
