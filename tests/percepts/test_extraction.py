"""Tests of extraction: an extractor of one's own, bad files, atomic stores, the cache."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data.action_clips import Clip, find_clips
from keras_videolstm.data.figures import write_clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import (
    PerceptExtractor,
    cached_percepts,
    clip_percepts,
    extract,
    get_extractor,
    register_extractor,
)
from keras_videolstm.percepts import extractor as extractor_table
from tests.video_files import LEVELS, cut, level_frames, noise_frames


class MeanColour(PerceptExtractor):
    name, feature_dim, size, short_side = "mean_colour", 3, 16, 16
    calls = 0

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        type(self).calls += 1
        assert frames.shape[1:] == (16, 16, 3)
        assert frames.dtype == np.uint8
        return frames.mean(axis=(1, 2), dtype="float32") / 255


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(extractor_table, "_EXTRACTORS", dict(extractor_table._EXTRACTORS))
    monkeypatch.setattr(MeanColour, "calls", 0)
    register_extractor(MeanColour)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    write_clip(folder / "run" / "a.mp4", level_frames(), fps=10)
    write_clip(folder / "walk" / "b.avi", np.repeat(level_frames()[::-1], 25, axis=0), fps=10)
    return folder


def add_bad_files(folder: Path) -> None:
    (folder / "run" / "empty.mp4").touch()
    (folder / "run" / "text.mp4").write_text("no video")
    write_clip(folder / "walk" / "cut.avi", noise_frames(150), fps=10)
    cut(folder / "walk" / "cut.avi", 0.7)


def test_an_extractor_of_ones_own_goes_through_to_a_store(videos, tmp_path):
    seen = []
    report = extract(
        find_clips(videos),
        tmp_path / "s.h5",
        get_extractor("mean_colour"),
        fps=10,
        progress=lambda *state: seen.append(state),
    )
    store = PerceptStore(tmp_path / "s.h5")
    assert (report.videos, report.frames, report.skipped) == (2, 156, [])
    assert store.class_names == ("run", "walk")
    assert list(store.labels) == [0, 1]
    assert list(store.frame_counts) == [6, 150]
    assert {key: store.metadata[key] for key in ("extractor", "fps", "fit", "size")} == {
        "extractor": "mean_colour",
        "fps": 10,
        "fit": "crop",
        "size": 16,
    }
    expected = np.array(LEVELS)[:, None] / 255
    np.testing.assert_allclose(store.read(0), np.repeat(expected, 3, axis=1), atol=0.03)
    assert seen[-1] == (2, 2, 156)


def test_a_clip_alone_gives_the_same_percepts_as_the_store(videos, tmp_path):
    extractor = get_extractor("mean_colour")
    clips = find_clips(videos)
    extract(clips, tmp_path / "s.h5", extractor, fps=15)
    store = PerceptStore(tmp_path / "s.h5")
    for index, clip in enumerate(clips):
        alone = clip_percepts(clip.path, extractor, extractor.frame_format(15))
        np.testing.assert_array_equal(alone, store.read(index))


def test_bad_files_are_left_out_and_named_and_the_good_ones_kept(videos, tmp_path):
    add_bad_files(videos)
    report = extract(find_clips(videos), tmp_path / "s.h5", get_extractor("mean_colour"), fps=10)
    assert report.videos == 2
    named = {Path(path).name: reason for path, reason in report.skipped}
    assert set(named) == {"empty.mp4", "text.mp4", "cut.avi"}
    assert "0 bytes" in named["empty.mp4"]
    assert "truncated" in named["cut.avi"]
    store = PerceptStore(tmp_path / "s.h5")
    # The first 64 frames of the cut clip were extracted before its end was seen.
    assert list(store.frame_counts) == [6, 150]
    assert [Path(name).name for name in store.names] == ["a.mp4", "b.avi"]


def test_strict_stops_at_the_first_bad_file_and_keeps_the_older_store(videos, tmp_path):
    path = tmp_path / "s.h5"
    extract(find_clips(videos), path, get_extractor("mean_colour"))
    before = path.read_bytes()
    add_bad_files(videos)
    with pytest.raises(InputError, match=r"empty\.mp4"):
        extract(find_clips(videos), path, get_extractor("mean_colour"), strict=True)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.h5", "videos"]


def test_no_good_file_at_all_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / "a.mp4").touch()
    with pytest.raises(InputError, match=r"at least one readable video.*a\.mp4"):
        extract(find_clips(tmp_path), tmp_path / "s.h5", get_extractor("mean_colour"))
    with pytest.raises(InputError, match="at least one clip"):
        extract([], tmp_path / "s.h5", get_extractor("mean_colour"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_impossible_names_are_left_out_like_other_bad_files(videos, tmp_path):
    names = ["x" * 300 + ".mp4", os.fsdecode(b"not_there_\xff.mp4")]
    clips = find_clips(videos) + [Clip(videos / name, "run", "x") for name in names]
    report = extract(clips, tmp_path / "s.h5", get_extractor("mean_colour"), fps=10)
    assert [path for path, _ in report.skipped] == [str(videos / name) for name in names]
    assert report.videos == 2


def test_percepts_that_are_no_numbers_are_refused_and_nothing_is_left(videos, tmp_path):
    class Broken(MeanColour):
        def __call__(self, frames: np.ndarray) -> np.ndarray:
            return np.full((len(frames), 3), np.nan, "float32")

    with pytest.raises(InputError, match="finite percepts"):
        extract(find_clips(videos), tmp_path / "s.h5", Broken())
    assert [p.name for p in tmp_path.iterdir()] == ["videos"]


def cached(videos: Path, store: Path, **changes: object) -> tuple:
    arguments = {"extractor": "mean_colour", "fps": 10, "fit": "crop", **changes}
    return cached_percepts(find_clips(videos), store, **arguments)


def test_the_cache_extracts_once_and_again_when_anything_changes(videos, tmp_path):
    path = tmp_path / "p.h5"
    first, _ = cached(videos, path)
    calls = MeanColour.calls
    again, report = cached(videos, path)
    assert MeanColour.calls == calls
    assert report.skipped == []
    np.testing.assert_array_equal(again.read(0), first.read(0))
    for change in ({"fps": 5}, {"fps": 5, "fit": "pad"}):
        before = MeanColour.calls
        cached(videos, path, **change)
        assert MeanColour.calls > before
    before = MeanColour.calls
    write_clip(videos / "run" / "a.mp4", level_frames()[::-1], fps=10)
    changed, _ = cached(videos, path, fps=5, fit="pad")
    assert MeanColour.calls > before
    assert changed.read(0)[0].mean() > changed.read(0)[-1].mean()


def test_the_cache_remembers_bad_files(videos, tmp_path):
    add_bad_files(videos)
    _, first = cached(videos, tmp_path / "p.h5")
    calls = MeanColour.calls
    _, again = cached(videos, tmp_path / "p.h5")
    assert MeanColour.calls == calls
    assert again.skipped == first.skipped
    assert len(first.skipped) == 3
    with pytest.raises(InputError, match=r"empty\.mp4"):
        cached(videos, tmp_path / "p.h5", strict=True)


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"key": 1}', "\x00", "[" * 20])
def test_a_damaged_note_only_costs_an_extraction(note, videos, tmp_path):
    cached(videos, tmp_path / "p.h5")
    (tmp_path / "p.json").write_text(note)
    calls = MeanColour.calls
    store, _ = cached(videos, tmp_path / "p.h5")
    assert MeanColour.calls > calls
    assert len(store) == 2


def test_a_store_that_the_note_does_not_mean_is_not_taken(videos, tmp_path):
    """A run that is killed between store and note leaves the older note beside a newer store."""
    path = tmp_path / "p.h5"
    cached(videos, path)
    older_note = (tmp_path / "p.json").read_text()
    cached(videos, path, fps=5)
    (tmp_path / "p.json").write_text(older_note)
    store, _ = cached(videos, path)
    assert list(store.frame_counts) == [6, 150]
    assert store.metadata["fps"] == 10
    assert json.loads((tmp_path / "p.json").read_text())["key"]["fps"] == 10
