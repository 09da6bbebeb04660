"""The fixed test set of moving MNIST, and the published file."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.choices import TEST_SEQUENCES as TEST_SEQUENCES
from keras_videolstm.data.digits import MNIST, Digits
from keras_videolstm.data.moving_mnist import BLOCK, SIDE, moving_mnist
from keras_videolstm.errors import InputError

TEST_SEED = 10_000
TEST_STEPS = 20
# Of the 10,000 sequences' first 20 frames, made of MNIST's test digits, byte after byte.
TEST_SHA256 = "158baba1509e3c0837cdb2fedea0919843e24ebb652c1b550542591c2802593c"
# Likewise of the first hundred, which show early that something is amiss.
FIRST_SHA256 = "07f0688ac5dfc72cdad89606a69612508bdd57cb839498b1e333e2a6563e3064"


class MovingMNISTTest:
    """The 10,000 test sequences of two digits of MNIST's test part, always the same.

    Args:
        digits: MNIST's test part, of `load_digits("test", ...)`.
        steps: frames a sequence, at least 20; default 20. The first 20 do not depend on it.
        digits_per_frame: default 2; with another number it is another set, out of domain.
        sequences: the first so many; default 10,000.

    Raises:
        InputError: if a number is out of range.

    Example:
        >>> test = MovingMNISTTest(load_digits("test", "mnist_folder"))
        >>> test.is_standard
        True
        >>> next(test.batches(100)).shape
        (100, 20, 64, 64, 1)
    """

    def __init__(
        self,
        digits: Digits,
        steps: int = TEST_STEPS,
        digits_per_frame: int = 2,
        sequences: int = TEST_SEQUENCES,
    ) -> None:
        if steps < TEST_STEPS or not 1 <= sequences <= TEST_SEQUENCES:
            raise InputError(
                f"Expected at least {TEST_STEPS} steps and 1 to {TEST_SEQUENCES} sequences. "
                f"Received: steps={steps}, sequences={sequences}"
            )
        self._digits = digits
        self.steps = steps
        self.digits_per_frame = digits_per_frame
        self.sequences = sequences

    @property
    def is_standard(self) -> bool:
        """Whether the first 20 frames are all those that the hash is of."""
        return self.sequences == TEST_SEQUENCES and self._has_hash

    @property
    def _has_hash(self) -> bool:
        return self.digits_per_frame == 2 and self._digits.source == MNIST

    @property
    def description(self) -> str:
        """What it is, for reports."""
        return (
            f"{self.sequences} sequences of {self.digits_per_frame} digits "
            f"({self._digits.source}, test part), seed {TEST_SEED}"
        )

    def batches(self, batch_size: int) -> Iterator[NDArray[Any]]:
        """Yield the sequences in order, uint8, `(batch, steps, 64, 64, 1)`.

        Raises:
            InputError: of two digits of MNIST, at once if the first hundred sequences are not those
                of their hash, and at the end of the standard set if all are not.
        """
        if self._has_hash:
            (first,) = self._made(BLOCK, TEST_STEPS, BLOCK).as_numpy_iterator()
            _check_hash(hashlib.sha256(first.data), FIRST_SHA256)
        found = hashlib.sha256()
        for batch in self._made(batch_size, self.steps, self.sequences).as_numpy_iterator():
            found.update(np.ascontiguousarray(batch[:, :TEST_STEPS]).data)
            yield batch
        if self.is_standard:
            _check_hash(found, TEST_SHA256)

    def _made(self, batch_size: int, steps: int, count: int) -> tf.data.Dataset[Any]:
        return moving_mnist(
            self._digits.images,
            seed=TEST_SEED,
            batch_size=batch_size,
            steps=steps,
            digits_per_frame=self.digits_per_frame,
            count=count,
        )


class MovingMNISTFile:
    """The published test set, `mnist_test_seq.npy`: `(20, 10000, 64, 64)` bytes, time first.

    Args:
        path: of the file.
        sequences: the first so many; default all.

    Raises:
        InputError: if it is not such a file, or has fewer sequences.

    Example:
        >>> test = MovingMNISTFile("mnist_test_seq.npy")
        >>> next(test.batches(100)).shape
        (100, 20, 64, 64, 1)
    """

    def __init__(self, path: str | os.PathLike[str], sequences: int | None = None) -> None:
        self._path = Path(path)
        try:
            self._frames = np.load(self._path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"Expected mnist_test_seq.npy. Received: {path} ({error})") from error
        if not isinstance(self._frames, np.ndarray):
            raise InputError(
                f"Expected mnist_test_seq.npy. Received: {path}, a file of several arrays"
            )
        shape, dtype = self._frames.shape, self._frames.dtype
        sides = (len(shape), *shape[:1], *shape[2:])
        if sides != (4, TEST_STEPS, SIDE, SIDE) or 0 in shape or dtype != np.uint8:
            raise InputError(
                f"Expected bytes ({TEST_STEPS}, sequences, {SIDE}, {SIDE}), time first. "
                f"Received: {path} with shape={shape}, dtype={dtype}"
            )
        self.steps = TEST_STEPS
        self.sequences = shape[1] if sequences is None else sequences
        if not 1 <= self.sequences <= shape[1]:
            raise InputError(f"Expected 1 to {shape[1]} sequences. Received: sequences={sequences}")

    @property
    def description(self) -> str:
        """What it is, for reports."""
        return f"{self.sequences} sequences of {self._path.name}"

    def batches(self, batch_size: int) -> Iterator[NDArray[Any]]:
        """Yield the sequences in order, uint8, `(batch, steps, 64, 64, 1)`."""
        for start in range(0, self.sequences, batch_size):
            part = self._frames[:, start : min(start + batch_size, self.sequences)]
            yield np.ascontiguousarray(part.swapaxes(0, 1))[..., None]


def _check_hash(found: Any, expected: str) -> None:
    if found.hexdigest() != expected:
        raise InputError(
            f"Expected test sequences with sha256 {expected}. "
            f"Received: {found.hexdigest()}; this machine makes other sequences"
        )
