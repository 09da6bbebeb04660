"""Handwritten digits for moving MNIST, from wherever they are to be had."""

import gzip
import hashlib
import logging
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

_SIDE = 28
_PARTS = {"train": "train-images-idx3-ubyte", "test": "t10k-images-idx3-ubyte"}
_LABELS = {"train": "train-labels-idx1-ubyte", "test": "t10k-labels-idx1-ubyte"}
_CLASSES = 10
_FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral", "cmr10", "cmss10")
_DRAWN = {"train": 6000, "test": 1000}
MNIST = "MNIST"
# Of the official images, byte after byte.
_SHA256 = {
    "train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
}


@dataclass(frozen=True)
class Digits:
    """Images of digits.

    Attributes:
        images: `(count, 28, 28)`, uint8, white on black.
        source: where they come from, for cards and logs; `"MNIST"` if they are the official ones.
    """

    images: NDArray[Any]
    source: str


def load_digits(part: str = "train", mnist: str | os.PathLike[str] | None = None) -> Digits:
    """Load the digits of a part of MNIST, or draw some.

    Without `mnist` the file `mnist.npz` of Keras' cache is taken where it is there; otherwise
    digits are drawn with matplotlib's own fonts, and a warning says so. Images that are not the
    official ones are named so in `source`.

    Args:
        part: `"train"` or `"test"`.
        mnist: `mnist.npz`, or a folder with MNIST's four idx files (gzipped or not).

    Raises:
        InputError: if `part` is unknown or `mnist` is not MNIST.

    Example:
        >>> load_digits("test", "mnist_folder").images.shape
        (10000, 28, 28)
    """
    path = _place(part, mnist)
    if path is not None:
        return _named(_read(path, part), part, path)
    logging.getLogger(__name__).warning(
        "MNIST is not in Keras' cache (%s) and --mnist names no file: drawing digits with "
        "matplotlib's fonts instead. Numbers made with them are not comparable to the paper's.",
        _cached(),
    )
    return Digits(_drawn(part), "digits drawn with matplotlib's fonts, not MNIST")


def load_digit_labels(
    part: str = "train", mnist: str | os.PathLike[str] | None = None
) -> NDArray[Any]:
    """Return which digit each image of `load_digits` shows, `(count,)` from 0 to 9.

    Args:
        part, mnist: as in `load_digits`.

    Raises:
        InputError: as `load_digits`; and if the labels are not there.

    Example:
        >>> load_digit_labels("test", "mnist_folder")[:3]
        array([7, 2, 1], dtype=uint8)
    """
    path = _place(part, mnist)
    if path is None:
        return (np.arange(_DRAWN[part]) % _CLASSES).astype(np.uint8)
    if path.is_dir():
        return _read_idx_labels(path, part)
    labels = _read_npz(path, f"y_{part}")
    whole = labels.ndim == 1 and labels.dtype.kind in "iu" and len(labels)
    if not whole or labels.min() < 0 or labels.max() >= _CLASSES:
        raise InputError(
            f"Expected labels from 0 to 9. "
            f"Received: {path} with shape={labels.shape}, dtype={labels.dtype}"
        )
    return labels.astype(np.uint8)


def _place(part: str, mnist: str | os.PathLike[str] | None) -> Path | None:
    """Return where MNIST is; `None` if digits have to be drawn."""
    if part not in _PARTS:
        raise InputError(f"Expected part 'train' or 'test'. Received: {part!r}")
    if mnist is not None:
        return Path(mnist)
    return _cached() if _cached().is_file() else None


def _cached() -> Path:
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    return home / "datasets" / "mnist.npz"


def _named(images: NDArray[Any], part: str, path: Path) -> Digits:
    found = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
    return Digits(images, MNIST if found == _SHA256[part] else f"{path.name}, not MNIST")


def _read(path: Path, part: str) -> NDArray[Any]:
    if path.is_dir():
        return _read_idx(path, part)
    if not path.is_file():
        missing = "" if path.exists() else ", which does not exist"
        raise InputError(f"Expected mnist.npz or a folder of idx files. Received: {path}{missing}")
    return _checked(_read_npz(path, f"x_{part}"), path)


def _read_npz(path: Path, name: str) -> NDArray[Any]:
    try:
        return np.load(path, allow_pickle=False)[name]
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        IndexError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(f"Expected mnist.npz. Received: {path} ({error})") from error


def _read_idx(folder: Path, part: str) -> NDArray[Any]:
    path, data = _idx_data(folder, _PARTS[part])
    count = int.from_bytes(data[4:8], "big")
    header = b"\x00\x00\x08\x03" + data[4:8] + 2 * _SIDE.to_bytes(4, "big")
    if data[:16] != header or len(data) != 16 + count * _SIDE**2 or not count:
        raise InputError(
            f"Expected a complete idx file of images of 28x28 bytes. "
            f"Received: {path}, {len(data)} bytes"
        )
    return _checked(np.frombuffer(data, np.uint8, offset=16).reshape(-1, _SIDE, _SIDE), path)


def _read_idx_labels(folder: Path, part: str) -> NDArray[Any]:
    path, data = _idx_data(folder, _LABELS[part])
    labels = np.frombuffer(data[8:], np.uint8)
    good = data[:4] == b"\x00\x00\x08\x01" and len(labels) == int.from_bytes(data[4:8], "big")
    if not good or not len(labels) or labels.max() >= _CLASSES:
        raise InputError(
            f"Expected a complete idx file of labels from 0 to 9. "
            f"Received: {path}, {len(data)} bytes"
        )
    return labels


def _idx_data(folder: Path, name: str) -> tuple[Path, bytes]:
    for path, opened in ((folder / f"{name}.gz", gzip.open), (folder / name, open)):
        if not path.is_file():
            continue
        try:
            with opened(path, "rb") as file:
                return path, file.read()
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"Expected an idx file. Received: {path} ({error})") from error
    raise InputError(f"Expected {name} or {name}.gz in the folder. Received: {folder}")


def _checked(images: NDArray[Any], path: Path) -> NDArray[Any]:
    if images.dtype != np.uint8 or images.shape[1:] != (_SIDE, _SIDE) or not len(images):
        raise InputError(
            f"Expected digits (count, 28, 28) of uint8. "
            f"Received: {path} with shape={images.shape}, dtype={images.dtype}"
        )
    return images


def _drawn(part: str) -> NDArray[Any]:
    """Draw digits of varied font, slant and size; train and test differ in all of these draws."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rng = np.random.default_rng(list(_PARTS).index(part))
    figure = Figure(figsize=(1, 1), dpi=_SIDE, facecolor="black")
    canvas = FigureCanvasAgg(figure)
    text = figure.text(0.5, 0.47, "", color="white", ha="center", va="center")
    images = np.empty((_DRAWN[part], _SIDE, _SIDE), np.uint8)
    for index in range(len(images)):
        text.set_text(str(index % 10))
        text.set_fontfamily(_FONTS[rng.integers(len(_FONTS))])
        text.set_fontsize(rng.uniform(44, 60))
        text.set_rotation(rng.uniform(-20, 20))
        canvas.draw()
        images[index] = np.asarray(canvas.buffer_rgba())[..., 0]
    return images
