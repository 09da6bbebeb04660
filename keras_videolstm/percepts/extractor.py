"""What a percept extractor is, and the table of those that have a name."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeVar

from numpy.typing import NDArray

from keras_videolstm.data.video import FrameFormat
from keras_videolstm.errors import InputError


class PerceptExtractor(ABC):
    """Turns frames into feature vectors, one vector a frame (paper, section 3.1).

    To add one, subclass, name it, and decorate it with `@register_extractor`.

    Attributes:
        name: what recipes, stores and the command line call it.
        feature_dim: length of one feature vector.
        size: height and width in pixels of the frames that it reads.
        short_side: short side in pixels of a frame before the central crop.

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

    @abstractmethod
    def __call__(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Map frames `(batch, size, size, 3)`, uint8 RGB, to `(batch, feature_dim)` float32."""

    @classmethod
    def frame_format(cls, fps: float | None = None, fit: str = "crop") -> FrameFormat:
        """Return how video must be read for this extractor.

        Args:
            fps: frames a second; `None` keeps each file's own.
            fit: `"crop"` or `"pad"`, as in `FrameFormat`.
        """
        short_side = cls.short_side if fit == "crop" else None
        return FrameFormat(fps=fps, size=cls.size, fit=fit, short_side=short_side)


Extractor = TypeVar("Extractor", bound=type[PerceptExtractor])
_EXTRACTORS: dict[str, type[PerceptExtractor]] = {}


def register_extractor(extractor: Extractor) -> Extractor:
    """Class decorator: makes an extractor known by its name."""
    _EXTRACTORS[extractor.name] = extractor
    return extractor


def list_extractors() -> tuple[str, ...]:
    """Return the names that `get_extractor` takes.

    Example:
        >>> list_extractors()
        ('efficientnet_lite0', 'patches', 'vgg16_fc6')
    """
    return tuple(sorted(_EXTRACTORS))


def known_extractor(name: str) -> type[PerceptExtractor]:
    """Return the class of an extractor by name; nothing is loaded.

    Raises:
        InputError: if no extractor has that name.

    Example:
        >>> known_extractor("patches").feature_dim
        3072
    """
    if name not in _EXTRACTORS:
        raise InputError(
            f"Expected a percept extractor: {', '.join(list_extractors())}. Received: {name!r}"
        )
    return _EXTRACTORS[name]


def get_extractor(name: str) -> PerceptExtractor:
    """Make an extractor by name, its weights loaded.

    Raises:
        InputError: if no extractor has that name.

    Example:
        >>> get_extractor("patches").feature_dim
        3072
    """
    return known_extractor(name)()
