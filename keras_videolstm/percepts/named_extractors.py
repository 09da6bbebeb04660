"""The percept extractors that have a name."""

from keras_videolstm.errors import InputError
from keras_videolstm.percepts.extractor import REGISTERED, PerceptExtractor
from keras_videolstm.percepts.temporal_stream_percepts import temporal_streams


def list_extractors() -> tuple[str, ...]:
    """Return the names that `get_extractor` takes.

    Example:
        >>> list_extractors()
        ('efficientnet_lite0', 'optical_flow', 'patches', 'vgg16_fc6')
    """
    return tuple(sorted(_extractors()))


def known_extractor(name: str) -> type[PerceptExtractor]:
    """Return the class of an extractor by name; nothing is loaded.

    Raises:
        InputError: if no extractor has that name.

    Example:
        >>> known_extractor("patches").feature_dim
        3072
    """
    known = REGISTERED if name in REGISTERED else _extractors()
    if name not in known:
        raise InputError(
            f"Expected a percept extractor: {', '.join(sorted(known))}. Received: {name!r}"
        )
    return known[name]


def get_extractor(name: str) -> PerceptExtractor:
    """Make an extractor by name, its weights loaded.

    Raises:
        InputError: if no extractor has that name.

    Example:
        >>> get_extractor("patches").feature_dim
        3072
    """
    return known_extractor(name)()


def _extractors() -> dict[str, type[PerceptExtractor]]:
    """Return those that are registered, and the zoo's temporal streams."""
    return {**temporal_streams(), **REGISTERED}
