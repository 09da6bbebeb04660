"""What percepts must have in common to be learned from, or measured, together."""

from collections.abc import Mapping
from typing import Any

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError

KIND = ("extractor", "version", "fps", "fit")


def kind_of(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what says how percepts were made, of a store's metadata or a checkpoint's percepts.

    Example:
        >>> kind_of({"extractor": "patches", "fps": 15, "fit": "crop", "size": 32})
        {'extractor': 'patches', 'fps': 15, 'fit': 'crop'}
    """
    return {key: metadata[key] for key in KIND if metadata.get(key) is not None}


def kind_in_words(metadata: Mapping[str, Any]) -> str:
    """Return the kind as text.

    Example:
        >>> kind_in_words({"extractor": "patches", "fps": 15, "fit": "crop"})
        "extractor='patches', fps=15, fit='crop'"
    """
    return ", ".join(f"{key}={value!r}" for key, value in kind_of(metadata).items())


def check_one_kind(stores: Mapping[str, PerceptStore]) -> PerceptStore:
    """Return the first store, of whose percepts all others must be.

    Args:
        stores: by the names that a person gave them.

    Raises:
        InputError: if one is of another kind.

    Example:
        >>> check_one_kind({"a.h5": PerceptStore("a.h5"), "b.h5": PerceptStore("b.h5")})
    """
    (path, first), *others = stores.items()
    for other, store in others:
        for key in KIND:
            kind, expected = store.metadata.get(key), first.metadata.get(key)
            if kind != expected:
                raise InputError(
                    f"Expected stores of one kind, {key}={expected!r} as in {path}. "
                    f"Received: {other} with {key}={kind!r}"
                )
    return first
