"""Tests of percept stores and their writer."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_file import PerceptFile
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.data.store_files import store_files
from keras_videolstm.errors import InputError
from tests.percept_files import numbered_store, toy_actions, write_store

CLIP = Clip(Path("a.mp4"), "run", "s1")


def test_a_store_that_was_written_anew_is_read_anew(tmp_path):
    for value, length in ((1.0, 20), (2.0, 30)):
        percepts = np.full((length, 4), value, "float32")
        store = write_store(tmp_path / "s.h5", [(percepts, "", "g")])
        np.testing.assert_array_equal(store.row_reader()(0, 16), percepts[:16])


def test_what_was_written_is_read(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [5, 3, 40])
    assert len(store) == 3
    assert store.feature_dim == 4
    assert list(store.starts) == [0, 5, 8]
    assert list(store.labels) == [-1, -1, -1]
    np.testing.assert_array_equal(store.read(1)[:, :2], [[1, 0], [1, 1], [1, 2]])
    assert store.read(2).shape == (40, 4)
    assert list(store.names) == ["video0.mp4", "video1.mp4", "video2.mp4"]
    assert store.metadata["extractor"] == "toy"


def test_groups_select_videos_and_an_unknown_group_lists_the_known(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=3)
    assert list(store.videos_of_groups(("g02", "g00"))) == [0, 1, 4, 5]
    assert list(store.videos_of_groups(None)) == list(range(6))
    with pytest.raises(InputError, match=r"g00, g01, g02.*Received: g7"):
        store.videos_of_groups(("g7",))


def test_both_readers_give_the_same_rows(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [30, 50])
    file = PerceptFile(store.path)
    fast, plain = file._tensorflow_io_reader(), file._h5py_reader()
    assert fast is not None
    for start, length in ((0, 1), (28, 5), (64, 16)):
        expected = np.concatenate([store.read(0), store.read(1)])[start : start + length]
        np.testing.assert_array_equal(plain(start, length), expected)
        np.testing.assert_array_equal(fast(start, length), expected)


def test_without_tensorflow_io_h5py_reads(tmp_path, monkeypatch):
    store = numbered_store(tmp_path / "s.h5", [30])
    monkeypatch.setattr(PerceptFile, "_tensorflow_io_reader", lambda self: None)
    np.testing.assert_array_equal(store.row_reader()(3, 4), store.read(0)[3:7])


def test_the_store_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "s.h5"
    with PerceptStoreWriter(path, 3, ("run",), {}) as writer:
        writer.append(np.ones((5, 3), "float32"))
        assert writer.end_video(CLIP) == 5
        assert not path.exists()
    assert [p.name for p in path.parent.iterdir()] == ["s.h5"]


def test_an_error_leaves_the_older_store_and_nothing_else(tmp_path):
    path = tmp_path / "s.h5"
    older = numbered_store(path, [7])
    before = path.read_bytes()
    with (
        pytest.raises(RuntimeError, match="stopped"),
        PerceptStoreWriter(path, 3, ("run",), {}) as writer,
    ):
        writer.append(np.ones((5, 3), "float32"))
        raise RuntimeError("stopped")
    assert path.read_bytes() == before
    assert older.read(0).shape == (7, 4)
    assert list(tmp_path.iterdir()) == [path]


def test_a_video_without_percepts_is_refused(tmp_path):
    with (
        pytest.raises(InputError, match=r"Expected percepts.*a\.mp4"),
        PerceptStoreWriter(tmp_path / "s.h5", 3, ("run",), {}) as writer,
    ):
        writer.end_video(CLIP)


def rewrite(path: Path, **changes: object) -> None:
    """Write a store's parts anew; metadata is given as its changed keys."""
    with h5py.File(path, "r+") as file:
        for name, value in changes.items():
            if name == "metadata":
                value = {**json.loads(bytes(file["metadata"][()])), **value}
                value = np.frombuffer(json.dumps(value).encode(), "uint8")
            del file[name]
            if value is not None:
                file[name] = value


BAD_STORES = {
    "newer format": ({"metadata": {"format": 2}}, "format 1. Received: .* of format 2"),
    "no videos named": ({"metadata": {"videos": []}}, "videos of"),
    "videos of another shape": ({"metadata": {"videos": 3}}, "Expected a percept store"),
    "video without group": ({"metadata": {"videos": [{}, {}]}}, "Expected a percept store"),
    "no class names": ({"metadata": {"class_names": None}}, "Expected a percept store"),
    "too few rows": ({"percepts": np.zeros((9, 4), "float32")}, "12 frames in all.*9 frames"),
    "too few labels": ({"labels": np.array([-1], "int32")}, "2 videos.*1 labels"),
    "too few counts": ({"frame_counts": np.array([12])}, "2 videos.*1 counts"),
    "negative count": ({"frame_counts": np.array([-3, 15])}, "2 videos"),
    "label out of range": ({"labels": np.array([0, 5], "int32")}, "labels from -1"),
    "half precision": ({"percepts": np.zeros((12, 4), "float16")}, "float32.*float16"),
    "percepts flat": ({"percepts": np.zeros(12, "float32")}, r"\(frames, features\)"),
    "part missing": ({"labels": None}, "Expected a percept store"),
}


@pytest.mark.parametrize("kind", BAD_STORES)
def test_an_inconsistent_store_is_refused_and_named(kind, tmp_path):
    changes, words = BAD_STORES[kind]
    path = tmp_path / "s.h5"
    numbered_store(path, [5, 7])
    rewrite(path, **changes)
    with pytest.raises(InputError, match=words) as refusal:
        PerceptStore(path)
    assert "s.h5" in str(refusal.value)


def test_a_store_whose_metadata_is_no_json_is_refused(tmp_path):
    path = tmp_path / "s.h5"
    numbered_store(path, [5])
    with h5py.File(path, "r+") as file:
        del file["metadata"]
        file["metadata"] = np.frombuffer(b"{not json", "uint8")
    with pytest.raises(InputError, match=r"Expected a percept store .*s\.h5"):
        PerceptStore(path)


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(50)])
def test_a_file_that_is_no_store_is_refused(content, tmp_path):
    path = tmp_path / "s.h5"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"Expected a percept store .*s\.h5"):
        PerceptStore(path)


def test_a_truncated_or_missing_store_is_refused(tmp_path):
    path = tmp_path / "s.h5"
    numbered_store(path, [500])
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="Expected a percept store"):
        PerceptStore(path)
    with pytest.raises(InputError, match="does not exist"):
        PerceptStore(tmp_path / "none.h5")


def sharded(folder: Path) -> tuple[PerceptStore, PerceptStore]:
    """Return a store of three files, one of them without a video, and the same in one file."""
    counts = [5, 30, 40]
    whole = numbered_store(folder / "whole.h5", counts)
    places = [(), (0, 1), (2,)]
    for path, videos in zip(store_files(folder / "store", 3), places, strict=True):
        with PerceptStoreWriter(path, 4, (), {"extractor": "toy"}) as writer:
            for video in videos:
                writer.append(whole.read(video))
                writer.end_video(Clip(Path(whole.names[video]), "", whole.groups[video]))
    return PerceptStore(folder / "store"), whole


@pytest.mark.parametrize("with_tensorflow_io", [True, False])
def test_several_files_are_read_as_one(with_tensorflow_io, tmp_path, monkeypatch):
    store, whole = sharded(tmp_path)
    assert (len(store), store.shape) == (3, (75, 4))
    for name in ("starts", "names", "groups", "labels", "frame_counts"):
        np.testing.assert_array_equal(getattr(store, name), getattr(whole, name))
    for video in range(3):
        np.testing.assert_array_equal(store.read(video), whole.read(video))
    if not with_tensorflow_io:
        monkeypatch.setattr(PerceptFile, "_tensorflow_io_reader", lambda self: None)
    one, several = whole.row_reader(), tf.function(store.row_reader())
    for start, length in ((0, 5), (5, 30), (20, 7), (35, 40), (74, 1)):
        at = tf.constant(start, tf.int64)
        np.testing.assert_array_equal(several(at, length), one(at, length))


def test_a_store_of_which_files_are_missing_says_which(tmp_path):
    sharded(tmp_path)
    folder = tmp_path / "store"
    (folder / "shard-00001-of-00003.h5").unlink()
    with pytest.raises(InputError, match=r"3 files.*shard-00001-of-00003\.h5"):
        PerceptStore(folder)
    (folder / "shard-00000-of-00002.h5").touch()
    with pytest.raises(InputError, match=r"1 of 2 \S+ and 2 of 3 \S+; delete shard-"):
        PerceptStore(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="a folder without any"):
        PerceptStore(tmp_path / "empty")


def test_files_of_different_kinds_are_no_store(tmp_path):
    sharded(tmp_path)
    other = store_files(tmp_path / "store", 3)[1]
    rewrite(other, metadata={"fps": 5})
    with pytest.raises(InputError, match=r"fps=None in all files.*Received: 5 in shard-00001"):
        PerceptStore(tmp_path / "store")
