"""Tests of reading the files of the paper's authors."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from keras_videolstm.data.authors_percepts import convert_authors_percepts
from keras_videolstm.errors import InputError
from tests.command_line import leftovers

COUNTS, LABELS = [3, 5, 2], [1, 0, 1]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """As emansim/unsupervised-videos has them: one data set, two lists."""
    rows = np.arange(40, dtype="float32").reshape(10, 4)
    with h5py.File(tmp_path / "features.h5", "w") as file:
        file["features"] = rows
    (tmp_path / "counts.txt").write_text("\n".join(map(str, COUNTS)) + "\n")
    (tmp_path / "labels.txt").write_text("\n".join(map(str, LABELS)))
    return {name: tmp_path / f"{name}.txt" for name in ("counts", "labels")} | {
        "features": tmp_path / "features.h5",
        "out": tmp_path / "out" / "store.h5",
    }


def convert(files, **changes):
    given = {**files, **changes}
    return convert_authors_percepts(
        given.pop("features"), given.pop("counts"), given.pop("out"), **given
    )


def test_videos_come_back_with_their_frames_and_labels(files):
    store = convert(files, class_names=["run", "walk"], groups=["a", "a", "b"])
    assert store.frame_counts.tolist() == COUNTS
    assert [store.class_names[label] for label in store.labels] == ["walk", "run", "walk"]
    assert list(store.groups) == ["a", "a", "b"]
    np.testing.assert_array_equal(store.read(1), np.arange(12, 32).reshape(5, 4))
    assert store.metadata["extractor"] == "vgg16_fc6"


def test_labels_may_be_missing_and_names_are_numbers_by_default(files):
    assert convert(files).class_names == ("0", "1")
    unlabelled = convert(files, labels=None, out=files["out"].with_name("other.h5"))
    assert (unlabelled.labels < 0).all()
    assert len(set(unlabelled.groups)) == 3


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("counts", "3\n5\n", "Expected 2 labels"),
        ("counts", "3\n5\n9\n", "Expected 17 frames"),
        ("counts", "3\nfive\n2\n", "whole numbers"),
        ("counts", "", "at least 1"),
        ("counts", "3\n0\n7\n", "at least 1"),
        ("labels", "1\n-1\n0\n", "at least 0"),
        ("features", "no HDF5", "HDF5 file"),
    ],
)
def test_files_that_do_not_fit_are_named(files, file, text, said):
    files[file].write_text(text)
    with pytest.raises(InputError, match=said):
        convert(files)
    assert not files["out"].exists() and not leftovers(files["counts"].parent)


def test_too_few_class_names_are_refused(files):
    with pytest.raises(InputError, match="labels below 1"):
        convert(files, class_names=["run"])
