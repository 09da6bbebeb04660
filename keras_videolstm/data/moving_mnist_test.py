"""The fixed test set of moving MNIST, and the published file."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_videolstm.data.digits import Digits
from keras_videolstm.data.moving_mnist import SIDE, moving_mnist
from keras_videolstm.errors import InputError

TEST_SEED = 10_000
TEST_SEQUENCES = 10_000
TEST_STEPS = 20
# Of the 10,000 sequences' first 20 frames, made of MNIST's test digits, byte after byte.
TEST_SHA256 = "158baba1509e3c0837cdb2fedea0919843e24ebb652c1b550542591c2802593c"


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
        whole = self.sequences == TEST_SEQUENCES and self.digits_per_frame == 2
        return whole and self._digits.source == "MNIST"

    @property
    def description(self) -> str:
        """What it is, for reports."""
        return (
            f"{self.sequences} sequences of {self.digits_per_frame} digits "
            f"({self._digits.source}, test part), seed {TEST_SEED}"
        )

    def batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Yield the sequences in order, uint8, `(batch, steps, 64, 64, 1)`.

        Raises:
            InputError: at the end of the standard set, if its bytes are not those of the hash.
        """
        made = moving_mnist(
            self._digits.images,
            seed=TEST_SEED,
            batch_size=batch_size,
            steps=self.steps,
            digits_per_frame=self.digits_per_frame,
            count=self.sequences,
        )
        found = hashlib.sha256()
        for batch in made.as_numpy_iterator():
            found.update(np.ascontiguousarray(batch[:, :TEST_STEPS]).data)
            yield batch
        if self.is_standard and found.hexdigest() != TEST_SHA256:
            raise InputError(
                f"Expected the test set with sha256 {TEST_SHA256}. Received: "
                f"{found.hexdigest()}; this machine makes other sequences"
            )


class MovingMNISTFile:
    """The published test set, `mnist_test_seq.npy`: `(20, 10000, 64, 64)` bytes, time first.

    Args:
        path: of the file.
        sequences: the first so many; default all.

    Raises:
        InputError: if it is not such a file.

    Example:
        >>> test = MovingMNISTFile("mnist_test_seq.npy")
        >>> next(test.batches(100)).shape
        (100, 20, 64, 64, 1)
    """

    def __init__(self, path: str | os.PathLike, sequences: int | None = None) -> None:
        self._path = Path(path)
        try:
            self._frames = np.load(self._path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"Expected mnist_test_seq.npy. Received: {path} ({error})") from error
        shape, dtype = self._frames.shape, self._frames.dtype
        if len(shape) != 4 or shape[2:] != (SIDE, SIDE) or 0 in shape or dtype != np.uint8:
            raise InputError(
                f"Expected bytes (time, sequences, {SIDE}, {SIDE}). "
                f"Received: {path} with shape={shape}, dtype={dtype}"
            )
        self.steps = shape[0]
        self.sequences = min(sequences or shape[1], shape[1])

    @property
    def description(self) -> str:
        """What it is, for reports."""
        return f"{self.sequences} sequences of {self._path.name}"

    def batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Yield the sequences in order, uint8, `(batch, steps, 64, 64, 1)`."""
        for start in range(0, self.sequences, batch_size):
            part = self._frames[:, start : min(start + batch_size, self.sequences)]
            yield np.ascontiguousarray(part.swapaxes(0, 1))[..., None]
