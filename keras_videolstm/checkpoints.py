"""Load, verify and save checkpoints: zoo entries, folders, files, URLs."""

import hashlib
import io
import json
import os
import re
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlparse

import keras
import numpy as np
from numpy.typing import NDArray

# Files name these classes, so that they have to be registered before one is read.
import keras_videolstm.cosine_cycles
import keras_videolstm.fused_adam
import keras_videolstm.muon
import keras_videolstm.objectives  # noqa: F401
from keras_videolstm._version import __version__
from keras_videolstm.errors import InputError
from keras_videolstm.files import DAMAGED, atomic_path, sha256_of, write_text
from keras_videolstm.half_precision import save_half
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.percepts import TemporalStream, efficientnet_lite0
from keras_videolstm.zoo_folder import METADATA, find_checkpoint

FORMAT = 1
CONFIG, WEIGHTS, GOLDEN = "config.json", "model.weights.h5", "golden.npz"
# Outputs of the same weights on another processor differ by rounding, no more.
_GOLDEN_TOLERANCE = 2e-3
_LARGEST_ENTRY = 500_000_000
# Keras downloads straight into the cache.
_ONE_AT_A_TIME = threading.Lock()

_BUILDERS: dict[str, Callable[[dict[str, Any]], keras.Model]] = {
    "VideoLSTM": VideoLSTM.from_config,
    "ActionClassifier": ActionClassifier.from_config,
    "TemporalStream": TemporalStream.from_config,
    "EfficientNetLite0": lambda config: efficientnet_lite0(**config),
}


# Any: which class it is, only the file says, and no caller should have to narrow a union.
def load(name: str | os.PathLike[str], sha256: str | None = None) -> Any:
    """Load a pretrained model, ready to use; no network is needed for the zoo.

    Args:
        name: a name of the zoo; a folder in the zoo's format (a published entry, a fine-tuned
            classifier); a `.keras` file; or the URL of a `.keras` file or of a zipped entry, which
            is kept in Keras' cache.
        sha256: of the file, 64 hexadecimal digits; needed with a URL.

    Returns:
        A `VideoLSTM`, an `ActionClassifier`, a `TemporalStream` or, for EfficientNet-Lite0, a
        functional `keras.Model`.

    Raises:
        InputError: if the name is unknown, a hash is wrong, the format is newer, or a file is
            missing or truncated.

    Example:
        >>> model = load("composite_youtube")
        >>> model.forecast(percepts, steps=30)
    """
    text = os.fspath(name)
    if urlparse(text).scheme in ("http", "https", "file"):
        return _load_url(text, sha256)
    if sha256 is not None:
        if not text.endswith(".keras"):
            raise InputError(
                f"Expected sha256= with a URL or a .keras file alone; a folder names its own in "
                f"{METADATA}. Received: {text!r}"
            )
        _check_sha256(Path(text), sha256)
    if text.endswith(".keras"):
        return _load_keras(Path(text))
    return _load_entry(find_checkpoint(text))


def load_metadata(name: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a checkpoint's metadata: training data, protocol, metrics, percepts it reads.

    Raises:
        InputError: as `load`.

    Example:
        >>> load_metadata("composite_youtube")["percepts"]["extractor"]
        'efficientnet_lite0'
    """
    return _read_metadata(find_checkpoint(os.fspath(name)))


def metadata_of(name: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a checkpoint's metadata; of a `.keras` file, which has none, nothing.

    Raises:
        InputError: as `load`.

    Example:
        >>> metadata_of("model.keras")
        {}
    """
    return {} if os.fspath(name).endswith(".keras") else load_metadata(name)


def save(
    model: keras.Model,
    folder: str | os.PathLike[str],
    metadata: Mapping[str, Any],
    files: Mapping[str, str | bytes] | None = None,
) -> None:
    """Save a model as an entry in the zoo's format.

    All is written aside first, and the metadata is moved in last: an error leaves an older entry
    as it was, and a folder with metadata is complete.

    Args:
        model: a `VideoLSTM`, an `ActionClassifier`, a `TemporalStream` or EfficientNet-Lite0.
        folder: of the entry; other files in it stay.
        metadata: JSON-like; format, hashes, versions and parameter count are added.
        files: further files, contents by name, that are hashed with the rest.

    Raises:
        InputError: if the model is of a class of your own, it or the metadata cannot be written as
            JSON, the metadata is not such that `load` reads it, or the folder is a file or named
            like one.

    Example:
        >>> save(model, "my_entry", {"description": "trained on my videos"})
        >>> load("my_entry")
    """
    folder = _checked_folder(Path(folder))
    kind = _kind_of(model)
    config = {} if kind == "EfficientNetLite0" else model.get_config()
    contents: dict[str, str | bytes] = dict(files or {})
    contents[CONFIG] = _as_json({"model": kind, "config": config}, "the model's arguments")
    config = json.loads(contents[CONFIG])["config"]
    _as_json(dict(metadata), "metadata")  # asked before the work
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as aside:
        staging = Path(aside)
        save_half(model, staging / WEIGHTS)
        restored = _BUILDERS[kind](config)
        restored.load_weights(staging / WEIGHTS)
        golden = io.BytesIO()
        np.savez_compressed(golden, **golden_outputs(restored))
        contents[GOLDEN] = golden.getvalue()
        for name, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            (staging / name).write_bytes(data)
        names = sorted([*contents, WEIGHTS])
        complete = {
            **metadata,
            "format": FORMAT,
            "parameters": model.count_params(),
            "versions": {"keras_videolstm": __version__, "keras": keras.__version__},
            "sha256": {name: sha256_of(staging / name) for name in names},
        }
        write_text(staging / METADATA, _as_json(complete, "metadata"))
        _read_metadata(staging)  # what cannot be loaded replaces nothing
        (folder / METADATA).unlink(missing_ok=True)
        for name in (*names, METADATA):
            (staging / name).replace(folder / name)


def _checked_folder(folder: Path) -> Path:
    if folder.suffix == ".keras":
        raise InputError(
            f"Expected the name of a folder; one that ends in .keras is loaded as a file. "
            f"Received: {folder}"
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"Expected a folder to write. Received: {folder}, which is a file")
    return folder


def _as_json(content: dict[str, Any], what: str) -> str:
    try:
        return json.dumps(content, indent=2, default=_plain) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"Expected {what} as JSON-like values. Received: {error}") from error


def _plain(value: Any) -> Any:
    """Return what stands in JSON for a value that it does not know."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, keras.initializers.Initializer):
        return keras.saving.serialize_keras_object(value)
    raise TypeError(f"{value!r}, of type {type(value).__name__}")


def verify(name: str | os.PathLike[str]) -> dict[str, float]:
    """Check an entry: every hash, that it loads, and that it gives its golden outputs.

    Returns:
        The largest difference from each golden output, relative to that output's largest value.

    Raises:
        InputError: at the first thing that is wrong.

    Example:
        >>> verify("composite_youtube")
        {'encode': 0.0, 'forecast': 0.0, 'reconstruct': 0.0}
    """
    folder = find_checkpoint(os.fspath(name))
    model = _load_entry(folder)
    expected = _read_golden(folder / GOLDEN)
    found = golden_outputs(model)
    differences = {}
    for key, values in expected.items():
        if key not in found or found[key].shape != values.shape:
            raise InputError(f"Expected the golden output {key!r} of {folder}. Received: another")
        scale = max(float(np.abs(values).max()), 1e-6)
        differences[key] = float(np.abs(found[key] - values).max()) / scale
        if not differences[key] <= _GOLDEN_TOLERANCE:
            raise InputError(
                f"Expected {key} of {folder} within {_GOLDEN_TOLERANCE} of its golden output. "
                f"Received: a difference of {differences[key]:.2g}"
            )
    if missing := sorted(found.keys() - expected.keys()):
        raise InputError(f"Expected the golden output {missing[0]!r} of {folder}. Received: none")
    return differences


def _read_golden(path: Path) -> dict[str, NDArray[Any]]:
    try:
        expected = dict(np.load(path, allow_pickle=False))
        if not expected or not all(values.size for values in expected.values()):
            raise ValueError("no values")
    except DAMAGED as error:
        raise InputError(f"Expected golden outputs. Received: {path} ({error})") from error
    return expected


def golden_outputs(model: keras.Model) -> dict[str, NDArray[Any]]:
    """Return the outputs of a model on a small input that is the same on every machine.

    Example:
        >>> sorted(golden_outputs(load("composite_youtube")))
        ['encode', 'forecast', 'reconstruct']
    """
    rng = np.random.default_rng(2015)
    if isinstance(model, ActionClassifier):
        percepts = rng.random((24, model.feature_dim), "float32")
        return {"classify": model.classify_blocks(percepts)}
    if isinstance(model, TemporalStream):
        # A field that is the same everywhere is no motion, and tells nothing.
        flows = rng.standard_normal((model.stack + 1, *model.input_shape[2:])).astype("float32")
        return {"percepts": model.percepts(flows)}
    if not isinstance(model, VideoLSTM):
        images = rng.integers(0, 256, (2, 224, 224, 3)).astype("uint8")
        return {"features": np.asarray(model.predict_on_batch(images)["features"])}
    frames = rng.random((1, 8, *model.frame_shape), "float32")
    outputs = {"encode": model.encode(frames)}
    if "reconstruction" in model.decoders:
        outputs["reconstruct"] = model.reconstruct(frames)
    if "prediction" in model.decoders:
        outputs["forecast"] = model.forecast(frames, steps=4)
    return outputs


def _kind_of(model: keras.Model) -> str:
    # `load` would make a model of our class, not of a subclass.
    if type(model) in (VideoLSTM, ActionClassifier, TemporalStream):
        return type(model).__name__
    if model.name == "efficientnet_lite0":
        return "EfficientNetLite0"
    raise InputError(f"Expected a model of {', '.join(_BUILDERS)}. Received: {type(model)}")


def _load_entry(folder: Path) -> keras.Model:
    metadata = _read_metadata(folder)
    for name, expected in metadata["sha256"].items():
        if PurePosixPath(name).name != name or "\\" in name:
            raise InputError(
                f"Expected plain file names in {folder / METADATA}. Received: {name!r}"
            )
        _check_sha256(folder / name, expected)
    missing = {CONFIG, WEIGHTS, GOLDEN} - set(metadata["sha256"])
    if missing:
        raise InputError(f"Expected a sha256 of {missing} in {folder / METADATA}. Received: none")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        model = _BUILDERS[config["model"]](config["config"])
        model.load_weights(folder / WEIGHTS)
    except DAMAGED as error:
        raise InputError(
            f"Expected an architecture and weights that fit it. Received: {folder} ({error})"
        ) from error
    return model


def _read_metadata(folder: Path) -> dict[str, Any]:
    path = folder / METADATA
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        found = int(metadata["format"])
        _check_metadata(metadata)
    except DAMAGED as error:
        raise InputError(f"Expected checkpoint metadata. Received: {path} ({error!r})") from error
    if found > FORMAT:
        raise InputError(
            f"Expected checkpoint format {FORMAT} or older. Received: {folder} of format {found}; "
            f"a newer keras-videolstm reads it"
        )
    return metadata


def _check_metadata(metadata: dict[str, Any]) -> None:
    """Check what our own code reads; the rest is for people."""
    hashes, percepts = metadata["sha256"], metadata.get("percepts", {})
    if not isinstance(hashes, dict) or not all(isinstance(v, str) for v in hashes.values()):
        raise TypeError("sha256 must be a table of texts")
    if not isinstance(percepts, dict):
        raise TypeError("percepts must be a table")
    if percepts and not {"extractor", "fps", "fit"} <= set(percepts):
        raise KeyError("percepts must have extractor, fps and fit")
    if type(metadata.get("input_steps", 1)) is not int:
        raise TypeError("input_steps must be a number")


def _check_sha256(path: Path, expected: str) -> None:
    if not path.is_file():
        raise InputError(f"Expected the file {path}. Received: none, the checkpoint is incomplete")
    found = sha256_of(path)
    if found != expected.lower():
        raise InputError(
            f"Expected sha256 {expected} of {path}. Received: {found}; "
            f"the file is truncated or was changed"
        )


def _load_keras(path: Path) -> keras.Model:
    if not path.is_file():
        raise InputError(f"Expected a .keras file. Received: {path}, which does not exist")
    try:
        return keras.saving.load_model(path)
    except DAMAGED as error:
        raise InputError(
            f"Expected a complete .keras file of ours. Received: {path} ({error})"
        ) from error


def _load_url(url: str, sha256: str | None) -> keras.Model:
    if sha256 is None:
        raise InputError(f"Expected sha256= with a URL. Received: {url!r} without one")
    sha256 = sha256.lower()
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise InputError(f"Expected a sha256 of 64 hexadecimal digits. Received: {sha256!r}")
    ending = ".keras" if urlparse(url).path.endswith(".keras") else ".zip"
    name = f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{sha256[:16]}{ending}"
    with _ONE_AT_A_TIME:
        path = _fetched(name, url, sha256)
        folder = None if ending == ".keras" else _unzipped(path)
    return _load_keras(path) if folder is None else _load_entry(folder)


def _fetched(name: str, url: str, sha256: str) -> Path:
    try:
        path = keras.utils.get_file(
            name, url, file_hash=sha256, hash_algorithm="sha256", cache_subdir="keras_videolstm"
        )
    except Exception as error:  # get_file raises bare Exceptions for URL errors
        raise InputError(
            f"Expected a file of sha256 {sha256}. Received: {url} ({error})"
        ) from error
    _check_sha256(Path(path), sha256)
    return Path(path)


def _unzipped(path: Path) -> Path:
    """Unpack a zipped entry beside it; only plain file names are taken out of it."""
    folder = path.with_suffix("")
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > _LARGEST_ENTRY:
                raise InputError(f"Expected an entry below 500 MB. Received: {path}")
            for member in members:
                if PurePosixPath(member.filename).name in ("", ".."):
                    raise InputError(
                        f"Expected plain file names in the zip. Received: {member.filename!r}"
                    )
                _write_once(folder / PurePosixPath(member.filename).name, archive.read(member))
    except InputError:
        raise
    except DAMAGED as error:
        raise InputError(f"Expected a zipped checkpoint. Received: {path} ({error})") from error
    return find_checkpoint(str(folder))


def _write_once(path: Path, content: bytes) -> None:
    """Write a file unless it is there already, as another process may be reading it."""
    if path.is_file() and path.read_bytes() == content:
        return
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
