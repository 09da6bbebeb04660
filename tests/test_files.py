"""Tests of writing files, on a full disk too."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from keras_videolstm.files import LateErrorFile, atomic_path, sha256_of, write_text
from keras_videolstm.half_precision import MAX_RELATIVE_ERROR, narrow, save_half
from keras_videolstm.models import VideoLSTM
from keras_videolstm.weight_files import write_weights

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_appears_whole_with_its_parents(tmp_path):
    path = tmp_path / "a" / "b" / "c.txt"
    with atomic_path(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".txt"
        temporary.write_text("abc")
        assert not path.exists()
    assert path.read_text() == "abc"
    assert sha256_of(path) == ABC
    assert [p.name for p in path.parent.iterdir()] == ["c.txt"]


def test_two_may_write_one_file_at_the_same_time(tmp_path):
    with atomic_path(tmp_path / "c.txt") as one, atomic_path(tmp_path / "c.txt") as other:
        one.write_text("one")
        other.write_text("other")
    assert [path.name for path in tmp_path.iterdir()] == ["c.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_keeps_the_older_file_and_nothing_else(error, tmp_path):
    write_text(tmp_path / "c.txt", "older, ±")
    with pytest.raises(error), atomic_path(tmp_path / "c.txt") as temporary:
        temporary.write_text("ne")
        raise error
    assert (tmp_path / "c.txt").read_text(encoding="utf-8") == "older, ±"
    assert [p.name for p in tmp_path.iterdir()] == ["c.txt"]


def test_a_late_error_file_is_an_ordinary_file_where_all_is_well(tmp_path):
    values = np.random.default_rng(0).normal(size=(500, 40))
    disk = LateErrorFile(tmp_path / "x.h5")
    with h5py.File(disk, "w") as file:
        file["a/b"] = values
        file["a/c"] = values[:3]
        file["a/b"][7] = 0
    disk.close()
    disk.check()
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["a/b"][:7], values[:7])
        assert file["a/b"][7].max() == 0
        np.testing.assert_array_equal(file["a/c"], values[:3])


def on_a_full_disk(code: str, folder: Path, most: int) -> subprocess.CompletedProcess:
    """Run code in a process that may write no more than `most` bytes into one file."""
    start = f"""
        import resource, signal, sys
        from pathlib import Path
        import numpy as np
        folder = Path({str(folder)!r})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        def fill():
            resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))
    """
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(start + code)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def test_a_percept_store_on_a_full_disk_is_an_error_and_not_a_crash(tmp_path):
    # HDF5 left to itself ends the process with a segmentation fault.
    code = """
        from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
        from keras_videolstm.data.action_clips import Clip
        fill()
        try:
            with PerceptStoreWriter(folder / "s.h5", 64, ("a",), {}) as writer:
                for _ in range(40):
                    writer.append(np.ones((64, 64)))
                    writer.end_video(Clip(Path("a.mp4"), "a", "g"))
        except OSError as error:
            print("refused:", error)
    """
    (tmp_path / "s.h5").write_bytes(b"older")
    done = on_a_full_disk(code, tmp_path, 100_000)
    assert done.returncode == 0, done.stderr
    assert "refused: [Errno 27] File too large" in done.stdout
    assert (tmp_path / "s.h5").read_bytes() == b"older"
    assert [p.name for p in tmp_path.iterdir()] == ["s.h5"]


@pytest.mark.slow
def test_a_checkpoint_on_a_full_disk_is_an_error_and_the_older_one_stays(tmp_path):
    code = """
        from keras_videolstm import checkpoints
        from keras_videolstm.models import VideoLSTM
        model = VideoLSTM("autoencoder", (16,), units=[32], activation="linear")
        checkpoints.save(model, folder / "entry", {"description": "older"})
        fill()
        try:
            checkpoints.save(model, folder / "entry", {"description": "newer"})
        except OSError as error:
            print("refused:", error)
        print(checkpoints.load_metadata(folder / "entry")["description"])
        checkpoints.verify(folder / "entry")
        print(sorted(p.name for p in folder.rglob("*")))
    """
    done = on_a_full_disk(code, tmp_path, 8_000)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("refused: [Errno 27]")
    assert lines[1] == "older"
    names = ["config.json", "entry", "golden.npz", "metadata.json", "model.weights.h5"]
    assert lines[2] == str(names)


def small_model() -> VideoLSTM:
    model = VideoLSTM("autoencoder", (3,), units=[4], activation="linear")
    model.compile("adam", loss="mse")
    return model


def test_written_weights_are_the_model_s_and_leave_out_the_optimiser(tmp_path):
    model, other = small_model(), small_model()
    frames = np.random.default_rng(0).normal(size=(2, 3, 3))
    model.fit(frames, {"reconstruction": frames}, verbose=0)
    model.save(tmp_path / "model.keras")
    write_weights(tmp_path / "model.keras", tmp_path / "w.weights.h5")
    other.load_weights(tmp_path / "w.weights.h5")
    for first, second in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert "optimizer" not in file


def test_half_precision_costs_a_thousandth_at_most(tmp_path):
    rng = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((40,)), keras.layers.Dense(30)])
    kernel = rng.normal(size=(40, 30)).astype("float32") * 10.0 ** rng.integers(-9, 3, (40, 30))
    bias = rng.normal(size=30).astype("float32")
    model.layers[0].set_weights([kernel, bias])
    assert save_half(model, tmp_path / "new" / "w.weights.h5") == 0
    restored = keras.Sequential([keras.Input((40,)), keras.layers.Dense(30)])
    restored.load_weights(tmp_path / "new" / "w.weights.h5")
    found_kernel, found_bias = restored.layers[0].get_weights()
    assert np.abs(found_kernel - kernel).max() <= MAX_RELATIVE_ERROR * np.abs(kernel).max()
    np.testing.assert_allclose(found_bias, bias, rtol=MAX_RELATIVE_ERROR)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["w.weights.h5"]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0.1, -0.3], "float16"),
        ([1e-22, 1.0], "float32"),  # a dead channel's variance would become zero
        ([1e6, 1.0], "float32"),  # larger than half precision reaches
        ([[1e-9, 1.0]], "float16"),  # in a kernel an error counts against its largest term
        ([[1e6, 1.0]], "float32"),
        ([float("nan")], "float32"),
        ([], "float16"),
    ],
)
def test_values_are_narrowed_only_where_that_costs_nothing(values, dtype):
    assert narrow(np.array(values, "float32")).dtype == dtype


def test_other_types_are_left_as_they_are():
    assert narrow(np.array([1, 2])).dtype == np.int64
