"""A check that Keras leaves out."""

from typing import Any

_TAKEN = ("name", "trainable")


def check_keywords(model: str, keywords: dict[str, Any]) -> None:
    """Refuse keyword arguments that nobody reads: Keras would drop them without a word.

    Args:
        model: name of the class, for the message.
        keywords: what is left for `keras.Model`.

    Raises:
        TypeError: if there is another one than `name` and `trainable`.

    Example:
        >>> check_keywords("VideoLSTM", {"unit": [8]})
        Traceback (most recent call last):
        TypeError: Expected the documented arguments of VideoLSTM. Received: unit
    """
    unknown = sorted(set(keywords) - set(_TAKEN))
    if unknown:
        raise TypeError(
            f"Expected the documented arguments of {model}. Received: {', '.join(unknown)}"
        )
