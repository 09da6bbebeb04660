"""Tests of saving, loading and verifying checkpoints, and of every way they can be broken."""

import hashlib
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_videolstm import checkpoints
from keras_videolstm.checkpoints import load, load_metadata, save, verify
from keras_videolstm.errors import InputError
from keras_videolstm.files import sha256_of
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.zoo_folder import find_checkpoint, list_checkpoints

CLIP = np.random.default_rng(0).random((6, 4), "float32")
MODEL = VideoLSTM("composite", (4,), units=[6], prediction_steps=3, activation="linear")
CLASSIFIER = ActionClassifier(4, ["run", "walk", "jump"], units=[6])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An entry; not to be changed."""
    folder = tmp_path_factory.mktemp("zoo") / "entry"
    percepts = {"extractor": "patches", "fps": 15, "fit": "crop"}
    metadata = {"description": "a toy", "percepts": percepts}
    save(MODEL, folder, metadata, files={"README.md": "# Toy ±\n"})
    return folder


@pytest.fixture
def entry(saved: Path, tmp_path: Path) -> Path:
    """A copy of the entry, to be broken."""
    folder = tmp_path / "entry"
    folder.mkdir()
    for path in saved.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "model.keras"
    MODEL.save(path)
    return path


def rehash(folder: Path, **changes: Any) -> None:
    """Write the metadata as a person would who knows the format: hashes right, values changed."""
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["sha256"] = {name: sha256_of(folder / name) for name in metadata["sha256"]}
    metadata.update(changes)
    (folder / "metadata.json").write_text(json.dumps(metadata))


def test_a_model_comes_back_with_its_outputs_to_half_precision(saved):
    model = load(saved)
    assert isinstance(model, VideoLSTM)
    assert model.get_config()["units"] == [6]
    for verb in ("encode", "reconstruct", "forecast"):
        expected = getattr(MODEL, verb)(CLIP)
        np.testing.assert_allclose(getattr(model, verb)(CLIP), expected, atol=3e-3)


def test_an_entry_is_complete_and_says_what_it_is(saved):
    names = {"README.md", "config.json", "golden.npz", "metadata.json", "model.weights.h5"}
    assert {path.name for path in saved.iterdir()} == names
    metadata = load_metadata(saved)
    assert metadata["format"] == 1
    assert metadata["description"] == "a toy"
    assert metadata["parameters"] == MODEL.count_params()
    assert set(metadata["sha256"]) == names - {"metadata.json"}
    assert metadata["sha256"]["README.md"] == hashlib.sha256("# Toy ±\n".encode()).hexdigest()
    assert find_checkpoint(str(saved)) == saved


def test_an_entry_gives_its_golden_outputs(saved):
    assert set(verify(saved)) == {"encode", "reconstruct", "forecast"}
    assert max(verify(saved).values()) <= 1e-5


def test_a_classifier_comes_back_with_its_classes(tmp_path):
    save(CLASSIFIER, tmp_path / "c", {})
    classifier = load(tmp_path / "c")
    assert classifier.class_names == ["run", "walk", "jump"]
    np.testing.assert_allclose(classifier.classify(CLIP), CLASSIFIER.classify(CLIP), atol=2e-3)
    assert set(verify(tmp_path / "c")) == {"classify"}


def test_other_models_are_refused(tmp_path):
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(InputError, match=r"Expected a model of VideoLSTM, ActionClassifier"):
        save(other, tmp_path / "x", {})
    assert list(tmp_path.iterdir()) == []


class Mine(VideoLSTM):
    pass


@pytest.mark.parametrize(
    ("model", "name", "metadata", "words"),
    [
        (Mine("composite", (4,), units=[6]), "x", {}, "Expected a model of VideoLSTM"),
        (MODEL, "x", {"description": object()}, "Expected metadata as JSON-like values"),
        (MODEL, "my.keras", {}, "ends in .keras is loaded as a file"),
        (MODEL, "taken", {}, "taken, which is a file"),
        (
            VideoLSTM("composite", (4,), [6], cell_arguments={"bias_initializer": np.zeros}),
            "x",
            {},
            "Expected the model's arguments as JSON-like values",
        ),
    ],
)
def test_what_cannot_be_saved_is_one_clear_error(model, name, metadata, words, tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(InputError, match=words):
        save(model, tmp_path / name, metadata)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_initialisers_numpy_numbers_and_paths_are_saved(tmp_path):
    initializer = keras.initializers.RandomNormal(stddev=0.1)
    model = VideoLSTM(
        "composite",
        (4,),
        units=[6],
        dropout=np.float32(0.25),
        cell_arguments={"kernel_initializer": initializer},
    )
    save(model, tmp_path / "x", {"data": Path("clips.h5"), "videos": np.int64(3)})
    config = load(tmp_path / "x").encoder.cells[0].kernel_initializer.get_config()
    assert config == initializer.get_config()
    assert load(tmp_path / "x").dropout == 0.25
    assert load_metadata(tmp_path / "x")["videos"] == 3


def test_an_error_while_saving_keeps_the_older_entry(entry, monkeypatch):
    before = {path.name: path.read_bytes() for path in entry.iterdir()}

    def fail(model: keras.Model) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "golden_outputs", fail)
    with pytest.raises(OSError, match=r"No space left"):
        save(CLASSIFIER, entry, {"description": "newer"})
    assert {path.name: path.read_bytes() for path in entry.iterdir()} == before


def test_an_unknown_name_lists_the_known_ones(monkeypatch, tmp_path, saved):
    monkeypatch.setattr("keras_videolstm.zoo_folder.zoo_folder", lambda: saved.parent)
    assert list_checkpoints() == ("entry",)
    assert isinstance(load("entry"), VideoLSTM)
    with pytest.raises(
        InputError, match=r"one of entry, a folder .*Received: 'entri'; is 'entry' meant\?"
    ):
        load("entri")
    with pytest.raises(InputError, match=r"Expected a checkpoint"):
        load(tmp_path)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5", "golden.npz", "README.md"])
def test_a_changed_truncated_or_missing_file_is_named(name, entry):
    whole = (entry / name).read_bytes()
    flip(entry / name)
    with pytest.raises(InputError, match=rf"Expected sha256 .* of .*{name}.*truncated or was ch"):
        load(entry)
    (entry / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=rf"{name}.*truncated or was changed"):
        load(entry)
    (entry / name).unlink()
    with pytest.raises(InputError, match=rf"Expected the file .*{name}.*incomplete"):
        load(entry)


BAD_METADATA = {
    "no JSON": "{",
    "empty": "",
    "a list": "[]",
    "nested without end": "[" * 100_000,
    "no format": '{"sha256": {}}',
    "format a word": '{"format": "new", "sha256": {}}',
    "format without end": '{"format": Infinity, "sha256": {}}',
    "no hashes": '{"format": 1}',
    "hashes a list": '{"format": 1, "sha256": []}',
    "hash a number": '{"format": 1, "sha256": {"config.json": 5}}',
    "percepts a word": '{"format": 1, "sha256": {}, "percepts": "patches"}',
    "percepts of half": '{"format": 1, "sha256": {}, "percepts": {"extractor": "patches"}}',
    "steps a word": '{"format": 1, "sha256": {}, "input_steps": "many"}',
}


@pytest.mark.parametrize("kind", BAD_METADATA)
def test_bad_metadata_is_refused_and_named(kind, entry):
    (entry / "metadata.json").write_text(BAD_METADATA[kind])
    for call in (load, load_metadata, verify):
        with pytest.raises(InputError, match=r"^Expected checkpoint metadata.*metadata\.json"):
            call(entry)


def test_metadata_that_is_no_text_is_refused(entry):
    (entry / "metadata.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match=r"Expected checkpoint metadata"):
        load(entry)


def test_a_newer_format_is_refused(entry):
    rehash(entry, format=2)
    with pytest.raises(InputError, match=r"format 1 or older.*format 2; a newer keras-videolstm"):
        load(entry)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..\\secret", "..", ""])
def test_metadata_cannot_name_files_outside_its_folder(name, entry):
    (entry.parent / "secret").write_text("x")
    hashes = {**load_metadata(entry)["sha256"], name: sha256_of(entry.parent / "secret")}
    metadata = {**load_metadata(entry), "sha256": hashes}
    (entry / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(InputError, match=r"plain file names|Expected the file"):
        load(entry)


def test_metadata_without_the_hash_of_a_needed_file_is_refused(entry):
    hashes = load_metadata(entry)["sha256"]
    del hashes["model.weights.h5"]
    metadata = {**load_metadata(entry), "sha256": hashes}
    (entry / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(InputError, match=r"sha256 of .*model\.weights\.h5"):
        load(entry)


def changed_config(entry: Path, **changes: Any) -> bytes:
    table = json.loads((entry / "config.json").read_text())
    table["config"].update(changes)
    return json.dumps(table).encode()


BAD_CONTENTS = {
    "config no JSON": ("config.json", lambda entry: b"{"),
    "config a list": ("config.json", lambda entry: b"[]"),
    "config null": ("config.json", lambda entry: b'{"model": "VideoLSTM", "config": null}'),
    "unknown model": ("config.json", lambda entry: b'{"model": "Sequential", "config": {}}'),
    "unknown variant": ("config.json", lambda entry: changed_config(entry, variant="gan")),
    "other size": ("config.json", lambda entry: changed_config(entry, units=[7])),
    "more layers": ("config.json", lambda entry: changed_config(entry, units=[6, 6])),
    "units a word": ("config.json", lambda entry: changed_config(entry, units="many")),
    "weights truncated": (
        "model.weights.h5",
        lambda entry: (entry / "model.weights.h5").read_bytes()[:3000],
    ),
    "weights no HDF5": ("model.weights.h5", lambda entry: b"weights"),
    "weights empty": ("model.weights.h5", lambda entry: b""),
}


@pytest.mark.parametrize("kind", BAD_CONTENTS)
def test_contents_that_do_not_fit_are_refused_even_with_right_hashes(kind, entry):
    name, make = BAD_CONTENTS[kind]
    (entry / name).write_bytes(make(entry))
    rehash(entry)
    with pytest.raises(InputError, match=r"Expected an architecture and weights that fit it"):
        load(entry)


def npz(**values: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.savez(data, **values)
    return data.getvalue()


def test_verification_wants_every_output(entry):
    golden = dict(np.load(entry / "golden.npz"))
    del golden["forecast"]
    (entry / "golden.npz").write_bytes(npz(**golden))
    rehash(entry)
    with pytest.raises(InputError, match=r"golden output 'forecast' of .*Received: none"):
        verify(entry)


def test_what_could_not_be_loaded_replaces_no_entry(entry):
    before = (entry / "metadata.json").read_bytes()
    with pytest.raises(InputError, match="Expected checkpoint metadata"):
        save(MODEL, entry, {"percepts": {"extractor": "x"}})
    assert (entry / "metadata.json").read_bytes() == before
    save(MODEL, entry, {"format": 99})
    assert load_metadata(entry)["format"] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Expected golden outputs"),
        (b"PK\x03\x04 no zip", "Expected golden outputs"),
        (npz(), "Expected golden outputs"),
        (npz(encode=np.array([{}], dtype=object)), "Expected golden outputs"),
        (npz(dream=np.zeros(3)), "golden output 'dream'"),
        (npz(encode=np.zeros(3)), "golden output 'encode'"),
        (npz(encode=np.zeros((0,))), "Expected golden outputs"),
        (npz(encode=np.full((1, 6), 9.0)), "within 0.002 of its golden output"),
        (npz(encode=np.full((1, 6), np.nan)), "within 0.002 of its golden output"),
    ],
)
def test_verification_refuses_golden_outputs_that_are_not_met(content, words, entry):
    (entry / "golden.npz").write_bytes(content)
    rehash(entry)
    load(entry)
    with pytest.raises(InputError, match=words):
        verify(entry)


def test_a_keras_file_is_loaded_and_its_hash_checked(keras_file):
    np.testing.assert_array_equal(load(keras_file).encode(CLIP), MODEL.encode(CLIP))
    digest = sha256_of(keras_file)
    assert isinstance(load(str(keras_file), sha256=digest.upper()), VideoLSTM)
    with pytest.raises(InputError, match=r"Expected sha256 0000.*model\.keras"):
        load(keras_file, sha256="0" * 64)


def test_a_hash_that_would_not_be_checked_is_refused(saved):
    with pytest.raises(InputError, match=r"URL or a \.keras file alone"):
        load(saved, sha256="0" * 64)


@pytest.mark.parametrize("error", [RuntimeError, OverflowError, NotImplementedError])
def test_whatever_a_damaged_keras_file_raises_is_one_sentence(error, keras_file, monkeypatch):
    def fail(path: Path) -> None:
        raise error("damaged")

    monkeypatch.setattr(keras.saving, "load_model", fail)
    with pytest.raises(InputError, match=r"^Expected a complete \.keras file.*damaged"):
        load(keras_file)


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"half"])
def test_a_bad_keras_file_is_refused(content, keras_file, tmp_path):
    path = tmp_path / "m.keras"
    if content is not None:
        whole = keras_file.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if content == b"half" else content)
    with pytest.raises(InputError, match=r"^Expected a .*\.keras file.*m\.keras"):
        load(path)


def zipped(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def contents_of(entry: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in entry.iterdir()}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras' cache in a folder of its own; KERAS_HOME itself is read when Keras is imported."""
    folder = tmp_path / "cache"
    get_file = keras.utils.get_file
    monkeypatch.setattr(
        keras.utils,
        "get_file",
        lambda *args, **kwargs: get_file(*args, **kwargs, cache_dir=str(folder)),
    )
    return folder


def test_a_url_of_a_keras_file_or_of_a_zipped_entry_is_loaded_and_cached(
    saved, keras_file, cache, tmp_path
):
    archive = zipped(tmp_path / "entry.zip", contents_of(saved))
    for path in (keras_file, archive):
        model = load(path.as_uri(), sha256=sha256_of(path))
        np.testing.assert_allclose(model.encode(CLIP), MODEL.encode(CLIP), atol=3e-3)
    digest = sha256_of(archive)
    archive.unlink()
    assert isinstance(load(archive.as_uri(), sha256=digest.upper()), VideoLSTM)


def test_threads_load_one_url_at_the_same_time(saved, cache, tmp_path):
    archive = zipped(tmp_path / "entry.zip", contents_of(saved))
    digest = sha256_of(archive)
    with ThreadPoolExecutor(4) as threads:
        models = list(threads.map(lambda _: load(archive.as_uri(), sha256=digest), range(4)))
    assert all(isinstance(model, VideoLSTM) for model in models)


def test_a_zip_may_hold_the_entry_in_a_folder(saved, cache, tmp_path):
    contents = {f"my/entry/{name}": data for name, data in contents_of(saved).items()}
    archive = zipped(tmp_path / "entry.zip", contents)
    assert isinstance(load(archive.as_uri(), sha256=sha256_of(archive)), VideoLSTM)


@pytest.mark.parametrize(
    ("sha256", "words"),
    [
        (None, "Expected sha256= with a URL"),
        ("0" * 64, "Expected a file of sha256 0000"),
        ("../../x", "64 hexadecimal digits"),
        ("", "64 hexadecimal digits"),
    ],
)
def test_a_url_without_its_right_hash_is_refused(sha256, words, keras_file, cache):
    with pytest.raises(InputError, match=words):
        load(keras_file.as_uri(), sha256=sha256)


def test_a_url_that_leads_nowhere_is_refused(cache, tmp_path):
    with pytest.raises(InputError, match=r"Expected a file of sha256 .*none\.keras"):
        load((tmp_path / "none.keras").as_uri(), sha256="0" * 64)


def test_a_zip_cannot_write_outside_its_folder(saved, cache, tmp_path):
    contents = {"../../escaped.txt": b"x", "/tmp/kvl_escaped.txt": b"x", **contents_of(saved)}
    archive = zipped(tmp_path / "entry.zip", contents)
    load(archive.as_uri(), sha256=sha256_of(archive))
    outside = [
        p for p in tmp_path.rglob("*escaped.txt") if p.parent.parent.name != "keras_videolstm"
    ]
    assert outside == []
    assert not Path("/tmp/kvl_escaped.txt").exists()


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({}, "Expected a checkpoint"),
        ({"a/..": b"x"}, r"plain file names in the zip. Received: 'a/..'"),
        ({"readme.txt": b"no entry"}, "Expected a checkpoint"),
        ({"metadata.json": b"{}"}, "Expected checkpoint metadata"),
    ],
)
def test_a_zip_without_an_entry_is_refused(contents, words, cache, tmp_path):
    archive = zipped(tmp_path / "entry.zip", contents)
    with pytest.raises(InputError, match=words):
        load(archive.as_uri(), sha256=sha256_of(archive))


def test_a_broken_or_bloated_zip_is_refused(cache, tmp_path, monkeypatch, saved):
    archive = tmp_path / "entry.zip"
    archive.write_bytes(b"no zip at all")
    with pytest.raises(InputError, match=r"Expected a zipped checkpoint"):
        load(archive.as_uri(), sha256=sha256_of(archive))
    monkeypatch.setattr(checkpoints, "_LARGEST_ENTRY", 100)
    zipped(tmp_path / "large.zip", contents_of(saved))
    with pytest.raises(InputError, match=r"below 500 MB"):
        load((tmp_path / "large.zip").as_uri(), sha256=sha256_of(tmp_path / "large.zip"))
