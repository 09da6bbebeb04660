"""Which digits train and which validate."""

import hashlib
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from keras_videolstm.data.digits import load_digits
from keras_videolstm.errors import InputError

_MOST_HELD_OUT = 5_000
_FEWEST_DIGITS = 10


@dataclass(frozen=True)
class DigitParts:
    """Digits of MNIST's training part, `(count, 28, 28)`, uint8.

    Attributes:
        train: those that train.
        validation: the last 5,000 (of fewer than 50,000 the last tenth), which never train.
        source: as in `Digits`.
    """

    train: NDArray[Any]
    validation: NDArray[Any]
    source: str

    @property
    def fingerprint(self) -> str:
        """A hash of the digits."""
        of_both = (hashlib.sha256(part.tobytes()) for part in (self.train, self.validation))
        return " ".join(part.hexdigest() for part in of_both)


def digit_parts(mnist: str | None = None) -> DigitParts:
    """Return the digits that train and those that validate.

    Args:
        mnist: as `load_digits` takes it.

    Raises:
        InputError: as `load_digits`, or if there are too few.

    Example:
        >>> len(digit_parts("mnist_folder").validation)
        5000
    """
    digits = load_digits("train", mnist)
    images = digits.images
    if len(images) < _FEWEST_DIGITS:
        raise InputError(
            f"Expected at least {_FEWEST_DIGITS} digits. "
            f"Received: {len(images)} from {digits.source}"
        )
    count = held_out(len(images))
    return DigitParts(images[:-count], images[-count:], digits.source)


def held_out(digits: int) -> int:
    """Return how many of so many digits, the last ones, validate.

    Example:
        >>> held_out(60_000)
        5000
    """
    return min(_MOST_HELD_OUT, digits // 10)
