import hashlib
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data import moving_mnist_test
from keras_videolstm.data.digits import Digits, load_digits
from keras_videolstm.data.moving_mnist_test import MovingMNISTFile, MovingMNISTTest
from keras_videolstm.errors import InputError

SHA256_OF_DRAWN = "8eb1f71dad9689e4c248aa1466adb65c37be05f315d56ef24a6badb96e2d54bf"
DRAWN = Digits(np.random.default_rng(0).integers(0, 256, (7, 28, 28)).astype("uint8"), "drawn")


def frames_of(test: MovingMNISTTest | MovingMNISTFile, batch_size: int = 8) -> np.ndarray:
    return np.concatenate(list(test.batches(batch_size)))


def test_the_set_does_not_depend_on_batches_horizon_or_number() -> None:
    few = frames_of(MovingMNISTTest(DRAWN, sequences=20))
    assert few.shape == (20, 20, 64, 64, 1)
    long = frames_of(MovingMNISTTest(DRAWN, steps=30, sequences=30), batch_size=7)
    np.testing.assert_array_equal(long[:20, :20], few)


def test_other_bytes_than_the_hash_says_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = Digits(DRAWN.images, "MNIST")
    with pytest.raises(InputError, match="this machine makes other sequences"):
        next(MovingMNISTTest(digits, sequences=5).batches(5))
    # The whole set is checked, too.
    monkeypatch.setattr(moving_mnist_test, "FIRST_SHA256", SHA256_OF_DRAWN)
    monkeypatch.setattr(moving_mnist_test, "TEST_SEQUENCES", 10)
    test = MovingMNISTTest(digits, sequences=10)
    assert test.is_standard
    with pytest.raises(InputError, match="this machine makes other sequences"):
        frames_of(test)


def test_the_same_digits_give_the_same_sequences_on_every_machine() -> None:
    made = frames_of(MovingMNISTTest(DRAWN, sequences=100), 100)
    assert hashlib.sha256(made.data).hexdigest() == SHA256_OF_DRAWN


@pytest.mark.slow
def test_of_mnist_it_is_the_set_of_the_hash_and_the_truth_has_86_nats() -> None:
    digits = load_digits("test")
    if digits.source != "MNIST":
        pytest.skip("MNIST is not in Keras' cache")
    entropies = []
    for batch in MovingMNISTTest(digits).batches(100):  # Raises at the end if the hash differs.
        levels = np.arange(256) / 255
        both = np.clip(np.stack([levels, 1 - levels]), 1e-12, 1)
        bits = -(both * np.log(both)).sum(axis=0)
        entropies.append(bits[batch[:, 10:]].sum(axis=(2, 3, 4)).mean())
    assert np.mean(entropies) == pytest.approx(86.3, abs=0.05)


def test_only_the_whole_set_of_mnist_digits_is_the_standard_one() -> None:
    assert not MovingMNISTTest(DRAWN).is_standard
    digits = Digits(DRAWN.images, "MNIST")
    assert MovingMNISTTest(digits).is_standard
    assert not MovingMNISTTest(digits, sequences=100).is_standard
    assert not MovingMNISTTest(digits, digits_per_frame=3).is_standard


@pytest.mark.parametrize("arguments", [{"steps": 19}, {"sequences": 0}, {"sequences": 10_001}])
def test_impossible_numbers_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(InputError, match="Expected at least 20 steps"):
        MovingMNISTTest(DRAWN, **arguments)


def test_the_published_layout_is_read(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (20, 5, 64, 64)).astype("uint8")
    np.save(tmp_path / "mnist_test_seq.npy", frames)
    test = MovingMNISTFile(tmp_path / "mnist_test_seq.npy")
    assert (test.sequences, test.steps) == (5, 20)
    np.testing.assert_array_equal(frames_of(test, 2)[..., 0], frames.swapaxes(0, 1))
    assert frames_of(MovingMNISTFile(tmp_path / "mnist_test_seq.npy", 3)).shape[0] == 3


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((20, 5, 64, 63), "uint8"),
        np.zeros((20, 5, 64, 64), "float32"),
        np.zeros((20, 0, 64, 64), "uint8"),
        np.zeros((5, 20, 64, 64), "uint8"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, frames: np.ndarray) -> None:
    np.save(tmp_path / "other.npy", frames)
    with pytest.raises(InputError, match="Expected bytes"):
        MovingMNISTFile(tmp_path / "other.npy")


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_what_is_no_array_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"Expected mnist_test_seq.npy"):
        MovingMNISTFile(path)


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"Expected mnist_test_seq.npy"):
        MovingMNISTFile(tmp_path / "objects.npy")


def test_an_archive_under_that_name_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "frames.npz", a=np.zeros(3))
    (tmp_path / "frames.npz").rename(tmp_path / "mnist_test_seq.npy")
    with pytest.raises(InputError, match="several arrays"):
        MovingMNISTFile(tmp_path / "mnist_test_seq.npy")


@pytest.mark.parametrize("sequences", [0, 6])
def test_more_sequences_than_there_are_are_refused(tmp_path: Path, sequences: int) -> None:
    np.save(tmp_path / "mnist_test_seq.npy", np.zeros((20, 5, 64, 64), "uint8"))
    with pytest.raises(InputError, match="Expected 1 to 5 sequences"):
        MovingMNISTFile(tmp_path / "mnist_test_seq.npy", sequences)
