"""Tests of clips of TensorFlow Datasets, on data sets that it has itself prepared."""

import itertools
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_videolstm.data.action_clips import find_clips, is_its_own_source
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.video import FrameFormat, iter_frames
from keras_videolstm.errors import InputError
from tests.command_line import done, refused

COUNTS = {"test": 3, "train": 9}
CLASSES = ["run", "walk"]
FEATURES = {
    "video": tfds.features.Video(shape=(None, None, None, 3)),
    "label": tfds.features.ClassLabel(names=CLASSES),
}


def made_video(split: str, number: int) -> np.ndarray:
    rng = np.random.default_rng((len(split), number))
    return rng.integers(0, 256, (4 + number, 32, 40, 3), dtype=np.uint8)


class TinyActions(tfds.core.GeneratorBasedBuilder):
    """A data set as people write one: videos and labels."""

    VERSION = tfds.core.Version("1.0.0")
    KEYS = ("label", "video")

    def _info(self) -> tfds.core.DatasetInfo:
        features = tfds.features.FeaturesDict({key: FEATURES[key] for key in self.KEYS})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, _):
        return {split: self._generate_examples(split) for split in COUNTS}

    def _generate_examples(self, split: str):
        for number in range(COUNTS[split]):
            example = {"video": made_video(split, number), "label": number % 2}
            yield number, {key: example[key] for key in self.KEYS}


class TinyFilms(TinyActions):
    """Without labels."""

    KEYS = ("video",)


class TinyLabels(TinyActions):
    """Without videos."""

    KEYS = ("label",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tfds")
    for kind in (TinyActions, TinyFilms, TinyLabels):
        # Several files a split, whose order is not that of the numbers.
        settings = tfds.download.DownloadConfig(num_shards=2)
        kind(data_dir=folder).download_and_prepare(download_config=settings)
    return folder


@pytest.fixture(autouse=True)
def known(folder, monkeypatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder))


def as_tfds_reads(split: str, folder: Path) -> list[tuple[np.ndarray, str]]:
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    dataset = tfds.load("tiny_actions", split=split, data_dir=folder, read_config=in_order)
    return [(x["video"], CLASSES[x["label"]]) for x in tfds.as_numpy(dataset)]


def test_every_clip_has_its_frames_and_label_in_whichever_order_it_is_asked_for(folder):
    clips = find_clips("tfds:tiny_actions@train")
    expected = as_tfds_reads("train", folder)
    assert [clip.label for clip in clips] == [label for _, label in expected]
    assert sorted(len(video) for video, _ in expected) == list(range(4, 13))
    for number in (0, 1, 5, 8, 2, 2, 3):
        frames = np.stack(list(iter_frames(clips[number].path)))
        np.testing.assert_array_equal(frames, expected[number][0])


def test_threads_do_not_disturb_each_other(folder):
    clips = find_clips("tfds:tiny_actions@train")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda clip: np.stack(list(iter_frames(clip.path))), clips))
    for frames, (video, _) in zip(found, as_tfds_reads("train", folder), strict=True):
        np.testing.assert_array_equal(frames, video)


def test_without_a_split_all_are_taken_and_each_clip_is_its_own_source():
    clips = find_clips("tfds:tiny_actions")
    assert len({clip.group for clip in clips}) == len(clips) == 12
    assert [clip.group for clip in clips[2:4]] == ["test-000002", "train-000000"]
    assert all(is_its_own_source(str(clip.path), clip.group) for clip in clips)
    assert str(clips[0].path) == "tfds:tiny_actions:1.0.0@test/000000"


def test_a_data_set_without_labels_has_none():
    assert {clip.label for clip in find_clips("tfds:tiny_films@test")} == {""}


def test_frames_have_the_time_that_is_said_of_them():
    paths = [clip.path for clip in find_clips("tfds:tiny_actions@test")]
    path, frames = max(((p, list(iter_frames(p))) for p in paths), key=lambda pair: len(pair[1]))
    assert len(frames) == 6
    half = list(iter_frames(path, FrameFormat(fps=15, untimed_fps=30)))
    np.testing.assert_array_equal(half, frames[::2])
    assert len(list(iter_frames(path, FrameFormat(fps=15)))) == 6
    assert next(iter_frames(path, FrameFormat(size=16))).shape == (16, 16, 3)


def test_extract_takes_a_builder_and_does_nothing_twice(tmp_path):
    arguments = ("extract", "tfds:tiny_actions", "--percepts", "patches", "--untimed-fps", 30)
    arguments += ("--out", tmp_path / "s.h5")
    assert "12 videos" in done(*arguments)
    store = PerceptStore(tmp_path / "s.h5")
    assert store.class_names == ("run", "walk")
    lengths = itertools.chain(*([4 + n for n in range(count)] for count in COUNTS.values()))
    assert sorted(store.frame_counts) == sorted(-(-length // 2) for length in lengths)
    assert "(0 new" in done(*arguments)


def test_a_rate_of_images_is_part_of_what_percepts_depend_on(tmp_path):
    arguments = ("extract", "tfds:tiny_actions@test", "--percepts", "patches")
    arguments += ("--out", tmp_path / "s.h5")
    done(*arguments)
    assert "Received: untimed_fps=30" in refused(*arguments, "--untimed-fps", 30)
    assert "(0 new" not in done(*arguments, "--untimed-fps", 30, "--overwrite")
    assert "0<x<=1000" in refused(*arguments, "--untimed-fps", 0, code=2)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("tfds:tiny_actions@trian", r"split of tiny_actions: test, train.*'trian'"),
        ("tfds:tiny_acts", r"has prepared.*tfds build tiny_acts.*Received: 'tiny_acts'"),
        ("tfds:", "has prepared.*Received: ''"),
        ("tfds:tiny_labels", "data set of videos.*of label, with 0 videos"),
    ],
)
def test_a_data_set_that_is_none_of_clips_is_refused(source, words):
    with pytest.raises(InputError, match=words):
        find_clips(source)


def test_a_data_set_that_is_known_but_not_prepared_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match=r"has prepared.*tfds build tiny_actions"):
        find_clips("tfds:tiny_actions")


def test_a_damaged_file_is_said_in_a_sentence(folder, monkeypatch, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "copy"))
    path = find_clips("tfds:tiny_actions@train")[-1].path
    last = sorted((tmp_path / "copy").rglob("tiny_actions-train.tfrecord*"))[-1]
    last.write_bytes(last.read_bytes()[:-100])
    for _ in range(2):
        with pytest.raises(InputError, match=r"read to its end.*tiny_actions/1\.0\.0"):
            next(iter_frames(path))
    with pytest.raises(InputError, match="read to its end"):
        find_clips("tfds:tiny_actions")


def test_a_clip_that_is_not_there_is_said_in_a_sentence():
    path = Path("tfds:tiny_actions:1.0.0@test/000007")
    with pytest.raises(InputError, match="a clip that the data set has"):
        next(iter_frames(path))


def test_without_tensorflow_datasets_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(InputError, match="the extra `tfds`"):
        find_clips("tfds:tiny_actions")
