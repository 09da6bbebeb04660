"""What a percept extractor is, and how one gets a name."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data.video import FrameFormat
from keras_videolstm.errors import InputError


class PerceptExtractor(ABC):
    """Turns frames into feature vectors, one vector a frame (paper, section 3.1).

    To add one, subclass, name it, and decorate it with `@register_extractor`. One whose vectors
    are made of several frames each, such as optical flow, says of how many.

    Attributes:
        name: what recipes, stores and the command line call it.
        feature_dim: length of one feature vector.
        size: height and width in pixels of the frames that it reads.
        short_side: short side in pixels of a frame before the central crop.
        span: frames that a vector is made of, its own and those that follow; default 1. A clip has
            `span - 1` vectors less than frames.
        version: tells its vectors from other ones of the same name, such as by a hash of weights,
            so that those are not taken for them; default `""`.

    Example:
        >>> @register_extractor
        ... class MeanColour(PerceptExtractor):
        ...     name, feature_dim, size, short_side = "mean_colour", 3, 64, 64
        ...
        ...     def __call__(self, frames):
        ...         return frames.mean(axis=(1, 2), dtype="float32") / 255
    """

    name: ClassVar[str]
    feature_dim: ClassVar[int]
    size: ClassVar[int]
    short_side: ClassVar[int]
    span: ClassVar[int] = 1
    version: ClassVar[str] = ""

    @abstractmethod
    def __call__(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Map frames `(time, size, size, 3)`, uint8 RGB, to `(time - span + 1, feature_dim)`."""

    @classmethod
    def frame_format(cls, fps: float | None = None, fit: str = "crop") -> FrameFormat:
        """Return how video must be read for this extractor.

        Args:
            fps: frames a second; `None` keeps each file's own.
            fit: `"crop"` or `"pad"`, as in `FrameFormat`.
        """
        short_side = cls.short_side if fit == "crop" else None
        return FrameFormat(fps=fps, size=cls.size, fit=fit, short_side=short_side)


def percepts_by(extractor: PerceptExtractor, frames: NDArray[Any]) -> NDArray[Any]:
    """Return an extractor's vectors of frames, as many and as long as it says.

    Raises:
        InputError: if they are not.

    Example:
        >>> percepts_by(MeanColour(), np.zeros((5, 64, 64, 3), "uint8")).shape
        (5, 3)
    """
    percepts = np.asarray(extractor(frames))
    expected = (len(frames) - extractor.span + 1, extractor.feature_dim)
    if percepts.shape != expected:
        raise InputError(
            f"Expected percepts of shape {expected} from the extractor {extractor.name!r}, for "
            f"{len(frames)} frames. Received: {percepts.shape}"
        )
    return percepts


Extractor = TypeVar("Extractor", bound=type[PerceptExtractor])
REGISTERED: dict[str, type[PerceptExtractor]] = {}


def register_extractor(extractor: Extractor) -> Extractor:
    """Class decorator: makes an extractor known by its name."""
    REGISTERED[extractor.name] = extractor
    return extractor
