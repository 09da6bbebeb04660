"""Tests of finding MNIST's digits, and of the digits that stand in for them."""

import gzip
import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data import digits
from keras_videolstm.data.digits import load_digit_labels, load_digits
from keras_videolstm.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 28, 28)).astype("uint8")
TRAIN, TEST = "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"


def idx(images: np.ndarray) -> bytes:
    header = (0x803, *images.shape)
    return b"".join(n.to_bytes(4, "big") for n in header) + images.tobytes()


def test_a_folder_of_idx_files_is_read_gzipped_or_not(tmp_path):
    (tmp_path / TRAIN).write_bytes(idx(IMAGES))
    (tmp_path / f"{TEST}.gz").write_bytes(gzip.compress(idx(IMAGES[:5])))
    train, test = load_digits("train", tmp_path), load_digits("test", tmp_path)
    np.testing.assert_array_equal(train.images, IMAGES)
    np.testing.assert_array_equal(test.images, IMAGES[:5])
    assert train.source == f"{tmp_path.name}, not MNIST"


def test_keras_own_file_is_read(tmp_path):
    np.savez(tmp_path / "mnist.npz", x_train=IMAGES, x_test=IMAGES[:3])
    np.testing.assert_array_equal(load_digits("train", tmp_path / "mnist.npz").images, IMAGES)
    assert len(load_digits("test", str(tmp_path / "mnist.npz")).images) == 3


def test_keras_cache_is_looked_into(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    np.savez(tmp_path / "datasets" / "mnist.npz", x_train=IMAGES, x_test=IMAGES)
    assert load_digits().source == "mnist.npz, not MNIST"


def test_without_mnist_digits_are_drawn_and_a_warning_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(digits, "_DRAWN", {"train": 40, "test": 20})
    with caplog.at_level(logging.WARNING):
        train, test = load_digits("train"), load_digits("test")
    assert "not comparable to the paper" in caplog.text
    assert "not MNIST" in train.source
    assert train.images.shape == (40, 28, 28)
    assert train.images.dtype == np.uint8
    assert (train.images.reshape(40, -1).max(axis=1) > 200).all()
    assert 0.03 < (train.images > 127).mean() < 0.4
    assert (train.images[:20] != test.images).any()
    np.testing.assert_array_equal(load_digits("train").images, train.images)


BAD_IDX = {
    "empty": b"",
    "header alone": idx(IMAGES)[:16],
    "cut inside an image": idx(IMAGES)[:-100],
    "cut between images": idx(IMAGES)[: -28 * 28],
    "too long": idx(IMAGES) + b"\0" * 28 * 28,
    "labels": (0x801).to_bytes(4, "big") + (12).to_bytes(4, "big") + bytes(12),
    "other side": (0x803).to_bytes(4, "big") + idx(IMAGES.reshape(-1, 14, 56))[4:],
}


@pytest.mark.parametrize("kind", BAD_IDX)
def test_a_bad_idx_file_is_refused_and_named(kind, tmp_path):
    (tmp_path / TRAIN).write_bytes(BAD_IDX[kind])
    with pytest.raises(InputError, match=rf"Expected .*idx.*{TRAIN}"):
        load_digits("train", tmp_path)


def damaged(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(40) + data[middle + 40 :]


@pytest.mark.parametrize(
    "content",
    # Without the time, so that the tests' names are the same in all processes.
    [
        b"no gzip",
        gzip.compress(idx(IMAGES), mtime=0)[:-2000],
        damaged(gzip.compress(idx(IMAGES), mtime=0)),
        gzip.compress(b"", mtime=0),
    ],
)
def test_a_bad_gzipped_idx_file_is_refused(content, tmp_path):
    (tmp_path / f"{TRAIN}.gz").write_bytes(content)
    with pytest.raises(InputError, match=rf"Expected .*idx.*{TRAIN}\.gz"):
        load_digits("train", tmp_path)


def npz(path: Path, **arrays: np.ndarray) -> bytes:
    np.savez_compressed(path, **arrays)
    return path.read_bytes()


def idx_labels(labels: np.ndarray) -> bytes:
    return b"\x00\x00\x08\x01" + len(labels).to_bytes(4, "big") + labels.tobytes()


def test_labels_are_read_from_both_forms(tmp_path):
    labels = np.array([3, 1, 4, 1, 5], "uint8")
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_labels(labels))
    packed = gzip.compress(idx_labels(labels[:2]))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(packed)
    np.testing.assert_array_equal(load_digit_labels("train", tmp_path), labels)
    np.testing.assert_array_equal(load_digit_labels("test", tmp_path), labels[:2])
    np.savez(tmp_path / "mnist.npz", y_train=labels.astype("int64"))
    np.testing.assert_array_equal(load_digit_labels("train", tmp_path / "mnist.npz"), labels)


@pytest.mark.parametrize(
    "content",
    [b"", idx_labels(np.arange(5, dtype="uint8"))[:-1], idx_labels(np.array([3, 10], "uint8"))],
)
def test_bad_labels_are_refused_and_named(content, tmp_path):
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(InputError, match=r"labels from 0 to 9.*train-labels-idx1-ubyte"):
        load_digit_labels("train", tmp_path)
    np.savez(tmp_path / "mnist.npz", y_train=np.array([0.5, 1]), y_test=np.array([-1, 3]))
    for part in ("train", "test"):
        with pytest.raises(InputError, match=r"labels from 0 to 9.*mnist\.npz"):
            load_digit_labels(part, tmp_path / "mnist.npz")
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte"):
        load_digit_labels("test", tmp_path)


def test_drawn_digits_have_labels(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    images, labels = load_digits("test").images.astype(float), load_digit_labels("test")
    assert len(images) == len(labels)
    # A one has less ink than an eight, in every font.
    assert images[labels == 1].mean() < 0.75 * images[labels == 8].mean()


def test_a_bad_npz_is_refused(tmp_path):
    path = tmp_path / "mnist.npz"
    good = npz(path, x_train=IMAGES)
    np.save(tmp_path / "plain.npy", IMAGES)
    contents = {
        "empty": b"",
        "text": b"hello",
        "truncated": good[: len(good) // 2],
        "damaged": damaged(good),
        "other array": npz(path, images=IMAGES),
        "floats": npz(path, x_train=IMAGES / 255),
        "colour": npz(path, x_train=np.zeros((3, 32, 32, 3), "uint8")),
        "none": npz(path, x_train=IMAGES[:0]),
        "pickle": npz(path, x_train=np.array([{}], dtype=object)),
        "no zip": (tmp_path / "plain.npy").read_bytes(),
    }
    for kind, content in contents.items():
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"^Expected .*mnist\.npz"):
            pytest.fail(f"{kind}: {load_digits('train', path)}")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"Expected mnist.npz or a folder"):
        load_digits("train", tmp_path / "none")
    with pytest.raises(InputError, match=rf"Expected {TRAIN} or {TRAIN}.gz"):
        load_digits("train", tmp_path)
    with pytest.raises(InputError, match=r"'train' or 'test'"):
        load_digits("validation")


def test_only_the_official_images_are_mnist(tmp_path, monkeypatch):
    np.savez(tmp_path / "mnist.npz", x_train=IMAGES, x_test=IMAGES)
    official = hashlib.sha256(IMAGES.tobytes()).hexdigest()
    monkeypatch.setitem(digits._SHA256, "test", official)
    assert load_digits("test", tmp_path / "mnist.npz").source == "MNIST"
    assert load_digits("train", tmp_path / "mnist.npz").source == "mnist.npz, not MNIST"
