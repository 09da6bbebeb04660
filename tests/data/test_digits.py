"""Tests of finding MNIST's digits, and of the digits that stand in for them."""

import gzip
import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data import digits
from keras_videolstm.data.digits import load_digits
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
    [
        b"no gzip",
        gzip.compress(idx(IMAGES))[:-2000],
        damaged(gzip.compress(idx(IMAGES))),
        gzip.compress(b""),
    ],
)
def test_a_bad_gzipped_idx_file_is_refused(content, tmp_path):
    (tmp_path / f"{TRAIN}.gz").write_bytes(content)
    with pytest.raises(InputError, match=rf"Expected .*idx.*{TRAIN}\.gz"):
        load_digits("train", tmp_path)


def npz(path: Path, **arrays: np.ndarray) -> bytes:
    np.savez_compressed(path, **arrays)
    return path.read_bytes()


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
