"""Clips of TensorFlow Datasets, by the name of their builder; needs the extra `tfds`."""

import io
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_videolstm.errors import InputError

# Commands ask `is_of_builder` before anything heavy is there.
if TYPE_CHECKING:
    import av

_PREFIX = "tfds:"
_DIGITS = 6
# How FFmpeg calls a stream of such images, by what each begins with.
_IMAGES = {b"\x89PNG": "png_pipe", b"\xff\xd8\xff": "jpeg_pipe"}

_thread = threading.local()


def is_of_builder(source: str | os.PathLike[str]) -> bool:
    """Whether a source is a data set of TensorFlow Datasets, or a clip of one.

    Example:
        >>> is_of_builder("tfds:ucf101/ucf101_1@train")
        True
    """
    return os.fspath(source).startswith(_PREFIX)


def labelled_examples(source: str | os.PathLike[str]) -> list[tuple[Path, str]]:
    """Return what stands for each clip of a prepared data set, and the name of its class.

    Nothing is downloaded; data is looked for where `TFDS_DATA_DIR` says. No frame is decoded, but
    all files are read once, for the labels.

    Args:
        source: `tfds:` and the name of a builder, as `tfds.builder` takes it; with `@` and the name
            of a split that alone, and else all.

    Returns:
        Paths such as `tfds:ucf101/ucf101_1:2.0.0@train/000012`, which `example_images` opens, and
        labels, `""` where the data set has none.

    Raises:
        InputError: if TensorFlow Datasets is not installed, or has not prepared such a data set; if
            there is no such split; if examples have no video, or several.

    Example:
        >>> labelled_examples("tfds:ucf101/ucf101_1@train")[0]
        (PosixPath('tfds:ucf101/ucf101_1:2.0.0@train/000000'), 'Archery')
    """
    name, _, split = os.fspath(source).removeprefix(_PREFIX).partition("@")
    builder = _builder(name)
    _video_key(builder)
    known = sorted(builder.info.splits)
    if split and split not in known:
        raise InputError(f"Expected a split of {name}: {', '.join(known)}. Received: {split!r}")
    return [
        (Path(f"{_PREFIX}{_exact_name(builder)}@{each}") / f"{number:0{_DIGITS}}", label)
        for each in ([split] if split else known)
        for number, label in enumerate(_labels(builder, each))
    ]


@contextmanager
def example_images(path: Path, fps: float) -> "Iterator[av.container.InputContainer]":
    """Open the images of one clip as a video.

    Args:
        path: as `labelled_examples` gives it.
        fps: how many of them are a second.

    Raises:
        InputError: as `labelled_examples`; if they are no PNG or JPEG.

    Example:
        >>> with example_images(Path("tfds:ucf101/ucf101_1:2.0.0@train/000012"), 25) as container:
        ...     frames = list(container.decode(video=0))
    """
    import av

    images = _encoded_images(path)
    kinds = {kind for image in images for magic, kind in _IMAGES.items() if image.startswith(magic)}
    if len(kinds) != 1:
        raise InputError(f"Expected a video of PNG or JPEG images. Received: {path} of others")
    options = {"framerate": str(fps), "protocol_whitelist": ""}
    try:
        container = av.open(io.BytesIO(b"".join(images)), format=kinds.pop(), options=options)
    except av.error.FFmpegError as error:
        raise InputError(
            f"Expected images that FFmpeg can open. Received: {path} ({error.strerror})"
        ) from error
    with container:
        yield container


def _builder(name: str) -> Any:
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise InputError(
            f"Expected TensorFlow Datasets, which the extra `tfds` brings. Received: {error}"
        ) from error
    folder = os.environ.get("TFDS_DATA_DIR")
    fault = ""
    try:
        builder = tfds.builder(name, data_dir=folder, try_gcs=False)
    except (tfds.core.DatasetNotFoundError, OSError, ValueError, RuntimeError) as error:
        fault = next(iter(str(error).splitlines()), "")
    if fault or not builder.is_prepared():
        raise InputError(
            f"Expected a data set that TensorFlow Datasets has prepared (`tfds build {name}`; "
            f"TFDS_DATA_DIR says where it lies). "
            f"Received: {name!r}, which is not{f' ({fault})' * bool(fault)}"
        )
    return builder


def _exact_name(builder: Any) -> str:
    config = builder.builder_config
    return f"{builder.name}{f'/{config.name}' if config else ''}:{builder.version}"


def _video_key(builder: Any) -> str:
    import tensorflow_datasets as tfds

    features = dict(builder.info.features)
    keys = [key for key, kind in features.items() if isinstance(kind, tfds.features.Video)]
    if len(keys) != 1:
        raise InputError(
            f"Expected a data set of videos, one an example. Received: {builder.info.full_name} "
            f"of {', '.join(sorted(features))}, with {len(keys)} videos"
        )
    return keys[0]


def _labels(builder: Any, split: str) -> Iterator[str]:
    import tensorflow_datasets as tfds

    features = dict(builder.info.features)
    keys = [key for key, kind in features.items() if isinstance(kind, tfds.features.ClassLabel)]
    if not keys:
        return iter([""] * builder.info.splits[split].num_examples)
    key = "label" if "label" in keys else keys[0]
    wanted = tfds.decode.PartialDecoding({key: True})
    examples = _examples(builder, split, decoders=wanted)
    return (features[key].int2str(int(example[key])) for example in examples)


def _examples(builder: Any, split: str, decoders: Any) -> Iterator[dict[str, Any]]:
    """Give examples in the order of their files, which is that of all slices of a split, too."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    in_order = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    dataset = builder.as_dataset(
        split=split, shuffle_files=False, read_config=in_order, decoders=decoders
    )
    try:
        yield from dataset.as_numpy_iterator()
    except tf.errors.OpError as error:
        raise InputError(
            f"Expected a data set that can be read to its end. Received: "
            f"{builder.info.full_name} ({error.message.splitlines()[0]})"
        ) from error


def _encoded_images(path: Path) -> list[bytes]:
    """Return the images of a clip, still encoded.

    Each thread goes on in the files from the clip that it read before, as clips are asked for in
    their order, and what lies between is not decoded.
    """
    import tensorflow_datasets as tfds

    text, _, digits = os.fspath(path).rpartition("/")
    number = int(digits)
    if getattr(_thread, "of", "") != text or number < _thread.number:
        name, _, split = text.removeprefix(_PREFIX).partition("@")
        builder = _builder(name)
        key = _video_key(builder)
        decoders = {key: tfds.decode.SkipDecoding()}
        there = split in builder.info.splits and number < builder.info.splits[split].num_examples
        examples = _examples(builder, f"{split}[{number}:]", decoders) if there else iter(())
        _thread.videos, _thread.number = (example[key] for example in examples), number
    _thread.of = ""  # After a fault nothing is gone on with.
    video = next(itertools.islice(_thread.videos, number - _thread.number, None), None)
    if video is None:
        raise InputError(f"Expected a clip that the data set has. Received: {path}")
    _thread.of, _thread.number = text, number + 1
    return [bytes(image) for image in video]
