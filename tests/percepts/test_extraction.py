"""Tests of extraction: an extractor of one's own, bad files, resumed runs."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data.action_clips import Clip, find_clips
from keras_videolstm.data.figures import write_clip
from keras_videolstm.data.percept_file import PerceptFile
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import (
    PerceptExtractor,
    clip_percepts,
    decoding,
    extract,
    get_extractor,
)
from keras_videolstm.percepts.extractor import REGISTERED
from keras_videolstm.percepts.kept_percepts import (
    DeletedMeanwhileError,
    KeptPercepts,
    places_in,
)
from keras_videolstm.percepts.store_extraction import StoreExtraction
from tests.video_files import LEVELS, cut, level_frames, noise_frames


class MeanColour(PerceptExtractor):
    name, feature_dim, size, short_side = "mean_colour", 3, 16, 16
    calls = 0

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        type(self).calls += 1
        assert frames.shape[1:] == (16, 16, 3)
        assert frames.dtype == np.uint8
        return frames.mean(axis=(1, 2), dtype="float32") / 255


class Sides(PerceptExtractor):
    name, feature_dim, size, short_side = "sides", 2, 16, 16

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        return frames[:, :, [2, -3]].mean(axis=(1, 3), dtype="float32") / 255


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(MeanColour, "calls", 0)
    monkeypatch.setitem(REGISTERED, MeanColour.name, MeanColour)


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
    assert seen[-1] == (2, 2, 156, 156)


def test_a_clip_alone_gives_the_same_percepts_as_the_store(videos, tmp_path):
    extractor = get_extractor("mean_colour")
    clips = find_clips(videos)
    extract(clips, tmp_path / "s.h5", extractor, fps=15)
    store = PerceptStore(tmp_path / "s.h5")
    for index, clip in enumerate(clips):
        alone = clip_percepts(clip.path, extractor, extractor.frame_format(15))
        np.testing.assert_array_equal(alone, store.read(index))


def test_views_are_extracted_each_for_itself(videos, tmp_path):
    frame = np.zeros((20, 60, 3), np.uint8)
    frame[:, 30:] = 255
    write_clip(videos / "run" / "edge.mp4", frame[None].repeat(3, axis=0), fps=10)
    clips = [clip for clip in find_clips(videos) if clip.path.stem == "edge"]
    views = [dataclasses.replace(clips[0], place=(0.5, share)) for share in (0.5, 0.0, 1.0)]
    extract(views, tmp_path / "s.h5", Sides())
    store = PerceptStore(tmp_path / "s.h5")
    lit = [store.read(number)[0].round(1).tolist() for number in range(3)]
    assert lit == [[0, 1], [0, 0], [1, 1]]
    flipped = [dataclasses.replace(view, flip=True) for view in views]
    report = extract([*views, *flipped], tmp_path / "s.h5", Sides())
    assert report.new_frames == 9
    store = PerceptStore(tmp_path / "s.h5")
    lit = [store.read(number)[0].round(1).tolist() for number in range(3, 6)]
    assert lit == [[1, 0], [0, 0], [1, 1]]
    assert list(store.clips_of(range(6))) == [0] * 6


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


def test_strict_stops_at_a_bad_file_and_keeps_the_older_store(videos, tmp_path):
    path = tmp_path / "s.h5"
    extract(find_clips(videos), path, get_extractor("mean_colour"))
    before = path.read_bytes()
    add_bad_files(videos)
    # Files are decoded side by side: any of the three may come first.
    with pytest.raises(InputError, match=r"(empty|text)\.mp4|cut\.avi"):
        extract(find_clips(videos), path, get_extractor("mean_colour"), strict=True)
    assert path.read_bytes() == before


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


def test_percepts_that_are_no_numbers_are_a_fault_like_others(videos, tmp_path):
    class Broken(MeanColour):
        def __call__(self, frames: np.ndarray) -> np.ndarray:
            percepts = super().__call__(frames)
            return percepts if len(frames) == 6 else percepts * np.nan

    report = extract(find_clips(videos), tmp_path / "s.h5", Broken(), fps=10)
    assert (report.videos, report.frames) == (1, 6)
    ((path, reason),) = report.skipped
    assert path.endswith("b.avi")
    assert "finite percepts" in reason


def test_a_second_call_does_nothing_and_any_change_is_seen(videos, tmp_path):
    path = tmp_path / "p.h5"
    first = extract(find_clips(videos), path, "mean_colour", fps=10)
    assert (first.new_frames, first.frames) == (156, 156)
    calls = MeanColour.calls
    again = extract(find_clips(videos), path, "mean_colour", fps=10)
    assert (again.videos, again.frames, again.new_frames, again.skipped) == (2, 156, 0, [])
    assert MeanColour.calls == calls
    for change in ({"fps": 5}, {"fps": 5, "fit": "pad"}):
        assert extract(find_clips(videos), path, "mean_colour", **change).new_frames > 0
    write_clip(videos / "run" / "a.mp4", level_frames()[::-1], fps=10)
    changed = extract(find_clips(videos), path, "mean_colour", fps=5, fit="pad")
    assert 0 < changed.new_frames < changed.frames
    store = PerceptStore(path)
    assert store.read(0)[0].mean() > store.read(0)[-1].mean()


def test_a_set_that_grew_or_was_labelled_anew_costs_its_new_videos_only(videos, tmp_path):
    path = tmp_path / "s.h5"
    extract(find_clips(videos), path, "mean_colour", fps=10)
    before = PerceptStore(path).read(1)
    write_clip(videos / "jump" / "c.mp4", level_frames(), fps=10)
    report = extract(find_clips(videos), path, "mean_colour", fps=10)
    assert (report.videos, report.new_frames) == (3, 6)
    store = PerceptStore(path)
    assert store.class_names == ("jump", "run", "walk")
    np.testing.assert_array_equal(store.read(2), before)
    relabelled = [Clip(clip.path, "all", clip.group) for clip in find_clips(videos)]
    assert extract(relabelled, path, "mean_colour", fps=10).new_frames == 0
    assert PerceptStore(path).class_names == ("all",)


def test_bad_files_are_tried_again_and_the_store_is_left_until_one_is_good(videos, tmp_path):
    path = tmp_path / "p.h5"
    add_bad_files(videos)
    first = extract(find_clips(videos), path, "mean_colour", fps=10)
    before = path.stat().st_mtime_ns
    again = extract(find_clips(videos), path, "mean_colour", fps=10)
    assert path.stat().st_mtime_ns == before
    assert again.skipped == first.skipped
    assert len(first.skipped) == 3
    with pytest.raises(InputError, match=r"(empty|text)\.mp4|cut\.avi"):
        extract(find_clips(videos), path, "mean_colour", fps=10, strict=True)


def test_a_passing_fault_passes(videos, tmp_path, monkeypatch):
    path = tmp_path / "s.h5"
    clips = find_clips(videos)

    def unreadable(source, frame_format, one_thread):
        raise InputError(f"Expected a file that can be read. Received: {source}, which cannot")

    with monkeypatch.context() as away:
        opened = decoding.iter_frames
        away.setattr(
            decoding,
            "iter_frames",
            lambda source, *rest, **options: (unreadable if "a.mp4" in str(source) else opened)(
                source, *rest, **options
            ),
        )
        report = extract(clips, path, "mean_colour", fps=10)
        assert (report.videos, len(report.skipped)) == (1, 1)
    report = extract(clips, path, "mean_colour", fps=10)
    assert (report.videos, report.new_frames, report.skipped) == (2, 6, [])


@pytest.mark.parametrize("shards", [1, 2])
def test_two_extractions_into_one_store_lose_nothing(shards, videos, tmp_path):
    clips = find_clips(videos)
    whole, store = tmp_path / "whole", tmp_path / "store"
    extract(clips, whole, "mean_colour", fps=10, shards=shards)
    others = []

    def other_one(done: int, total: int, frames: int, expected: int) -> None:
        # In the middle of the long video, of which 64 frames are kept, another begins and ends.
        if not others and frames >= 70:
            others.append(extract(clips, store, "mean_colour", fps=10, shards=shards))

    ours = extract(
        clips, store, "mean_colour", fps=10, shards=shards, workers=1, progress=other_one
    )
    assert [report.videos for report in (*others, ours)] == [2, 2]
    for index in range(2):
        expected = PerceptStore(whole).read(index)
        np.testing.assert_array_equal(PerceptStore(store).read(index), expected)
    assert not [path.name for path in tmp_path.rglob(".*")]


def test_another_extraction_of_other_videos_into_the_same_store_is_told(videos, tmp_path):
    clips = find_clips(videos)

    def other_one(done: int, total: int, frames: int, expected: int) -> None:
        if 70 <= frames < 150:
            extract(clips[:1], tmp_path / "s.h5", "mean_colour", fps=10)

    with pytest.raises(InputError, match="one extraction into a store at a time"):
        extract(clips, tmp_path / "s.h5", "mean_colour", fps=10, workers=1, progress=other_one)
    assert extract(clips, tmp_path / "s.h5", "mean_colour", fps=10).videos == 2


def test_an_extractor_that_gives_other_vectors_than_it_says_is_refused(videos, tmp_path):
    class Wide(MeanColour):
        def __call__(self, frames: np.ndarray) -> np.ndarray:
            return super().__call__(frames).repeat(2, axis=1)

    wide, clips = Wide(), find_clips(videos)
    with pytest.raises(InputError, match=r"shape \(6, 3\).*'mean_colour'.*Received: \(6, 6\)"):
        clip_percepts(clips[0].path, wide, wide.frame_format(10))
    with pytest.raises(InputError, match=r"shape \(6, 3\).*Received: \(6, 6\)"):
        extract(clips, tmp_path / "s.h5", wide, fps=10, workers=1)
    assert not list(tmp_path.glob("s.h5")) + list(tmp_path.glob(".*"))


def test_a_frame_that_would_be_padding_is_a_fault(videos, tmp_path):
    class Signed(MeanColour):
        def __call__(self, frames: np.ndarray) -> np.ndarray:
            return np.where(super().__call__(frames) > 0.5, 1, -1)

    with pytest.raises(InputError, match="stands for padding"):
        extract(find_clips(videos), tmp_path / "s.h5", Signed(), fps=10)


def test_another_version_of_an_extractor_makes_new_percepts(videos, tmp_path, monkeypatch):
    path = tmp_path / "s.h5"
    assert extract(find_clips(videos), path, "mean_colour", fps=10).new_frames == 156
    monkeypatch.setattr(MeanColour, "version", "2")
    assert extract(find_clips(videos), path, "mean_colour", fps=10).new_frames == 156
    assert extract(find_clips(videos), path, "mean_colour", fps=10).new_frames == 0


class Killed(BaseException):
    """What no code catches."""


@pytest.mark.parametrize("shards", [1, 3])
def test_a_killed_extraction_goes_on_with_the_next_video_to_the_same_store(shards, tmp_path):
    for number in range(6):
        frames = np.roll(level_frames(), number, axis=0)
        write_clip(tmp_path / "videos" / f"{number}.mp4", frames, fps=10)
    clips = find_clips(tmp_path / "videos")
    extract(clips, tmp_path / "whole", "mean_colour", fps=10, shards=shards)

    def kill(done: int, *rest: int) -> None:
        if done == 4:
            raise Killed

    broken = tmp_path / "broken"
    with pytest.raises(Killed):
        extract(clips, broken, "mean_colour", fps=10, shards=shards, workers=1, progress=kill)
    # What a kill leaves of the video it met.
    leftovers = broken if shards == 1 else broken / "shard-00002-of-00003.h5"
    work = leftovers.with_name(f".{leftovers.name}.work")
    work.mkdir(exist_ok=True)
    (work / f"half.float32.{os.getpid()}").write_bytes(b"abc")
    report = extract(clips, broken, "mean_colour", fps=10, shards=shards, workers=1)
    assert (report.videos, report.new_frames) == (6, 12)
    expected, found = PerceptStore(tmp_path / "whole"), PerceptStore(broken)
    assert list(found.names) == list(expected.names)
    for index in range(6):
        np.testing.assert_array_equal(found.read(index), expected.read(index))
    assert not [path.name for path in tmp_path.rglob(".*")]


def made_videos(folder: Path, numbers: range) -> list[Clip]:
    for number in numbers:
        path = folder / f"{number:02d}.mp4"
        if not path.exists():
            write_clip(path, np.roll(level_frames(), number, axis=0), fps=10)
    return find_clips(folder)


def same_store(path: Path, expected: Path) -> bool:
    found, wanted = PerceptStore(path), PerceptStore(expected)
    return list(found.names) == list(wanted.names) and all(
        np.array_equal(found.read(index), wanted.read(index)) for index in range(len(wanted))
    )


def test_a_store_of_several_files_that_grows_costs_its_new_videos_only(tmp_path):
    store = tmp_path / "store"
    clips = made_videos(tmp_path / "videos", range(3, 13))
    extract(clips, store, "mean_colour", fps=10, shards=4)
    clips = made_videos(tmp_path / "videos", range(13))  # three more, at the front
    report = extract(clips, store, "mean_colour", fps=10, shards=4)
    assert (report.videos, report.frames, report.new_frames) == (13, 78, 18)
    extract(clips, tmp_path / "whole", "mean_colour", fps=10, shards=4)
    assert same_store(store, tmp_path / "whole")
    assert len(list(store.iterdir())) == 4
    written = [path.stat().st_mtime_ns for path in sorted(store.iterdir())]
    assert extract(clips, store, "mean_colour", fps=10, shards=4).new_frames == 0
    assert [path.stat().st_mtime_ns for path in sorted(store.iterdir())] == written


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize(("ended", "new"), [(2, 24), (4, 18)])
def test_a_growing_store_that_is_killed_loses_nothing(ended, new, links, tmp_path, monkeypatch):
    def refuse(*paths: Path) -> None:
        raise OSError("no links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    store = tmp_path / "store"
    extract(made_videos(tmp_path / "videos", range(4, 12)), store, "mean_colour", fps=10, shards=4)
    clips = made_videos(tmp_path / "videos", range(12))

    def kill(done: int, *rest: int) -> None:
        if done == ended:
            raise Killed

    # The first file has three of the four new videos, and is replaced before the fourth.
    with pytest.raises(Killed):
        extract(clips, store, "mean_colour", fps=10, shards=4, workers=1, progress=kill)
    # It grows again before it goes on.
    clips = made_videos(tmp_path / "videos", range(14))
    report = extract(clips, store, "mean_colour", fps=10, shards=4, workers=1)
    assert (report.videos, report.new_frames) == (14, new)
    extract(clips, tmp_path / "whole", "mean_colour", fps=10, shards=4)
    assert same_store(store, tmp_path / "whole")
    assert not [path.name for path in tmp_path.rglob(".*")]


def test_files_are_replaced_in_any_order_and_more_than_once(tmp_path):
    store = tmp_path / "store"
    extract(made_videos(tmp_path / "videos", range(3, 9)), store, "mean_colour", fps=10, shards=3)
    clips = made_videos(tmp_path / "videos", range(9))
    whole = StoreExtraction(clips, store, "mean_colour", fps=10, shards=3)
    whole.prepare()
    late = whole.part(2)  # has looked at what is there before others are done
    for number in (1, 2, 0, 1):
        whole.part(number).run(lambda: get_extractor("mean_colour"), workers=1)
    late.run(lambda: get_extractor("mean_colour"), workers=1)
    whole.finish()
    extract(clips, tmp_path / "whole", "mean_colour", fps=10, shards=3)
    assert same_store(store, tmp_path / "whole")


def test_a_store_of_another_number_of_files_is_replaced_and_costs_nothing(tmp_path):
    store = tmp_path / "store"
    clips = made_videos(tmp_path / "videos", range(6))
    extract(clips, store, "mean_colour", fps=10, shards=4)
    assert extract(clips, store, "mean_colour", fps=10, shards=2).new_frames == 0
    assert [path.name for path in sorted(store.iterdir())] == [
        "shard-00000-of-00002.h5",
        "shard-00001-of-00002.h5",
    ]
    assert len(PerceptStore(store)) == 6


@pytest.mark.parametrize("shards", [1, 2])
def test_a_path_that_is_spelled_otherwise_is_the_same_video(shards, videos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "store"
    extract(find_clips("videos"), store, "mean_colour", fps=10, shards=shards)
    (tmp_path / "link").symlink_to(videos)
    for spelled in (videos, "link", "videos"):
        report = extract(find_clips(spelled), store, "mean_colour", fps=10, shards=shards)
        assert report.new_frames == 0
        assert PerceptStore(store).names[0] == str(Path(spelled) / "run" / "a.mp4")


def test_a_file_that_is_replaced_while_it_is_taken_over_is_not_mixed_with_it(videos, tmp_path):
    path = tmp_path / "s.h5"
    extract(find_clips(videos), path, "mean_colour", fps=10)
    kept = KeptPercepts(tmp_path / "work", 3, places_in([PerceptFile(path)]))
    key = PerceptStore(path).keys[1]
    assert len(kept.read(key)) == 150
    extract(find_clips(videos)[::-1], path, "mean_colour", fps=10)
    with pytest.raises(DeletedMeanwhileError, match="one extraction into a store at a time"):
        kept.read(key)


@pytest.mark.parametrize("shards", [1, 2])
def test_what_a_kill_left_of_a_file_long_ago_is_deleted(shards, videos, tmp_path):
    store = tmp_path / "store"
    extract(find_clips(videos), store, "mean_colour", fps=10, shards=shards)
    folder, name = (store, "shard-00001-of-00002.h5") if shards == 2 else (tmp_path, "store")
    old = [folder / f".{name}.{mark}.part" for mark in ("24473", "0a1b2c3d4e5f6071")]
    new, other = folder / f".{name}.7.part", folder / ".notes.7.part"
    for path in (*old, new, other):
        path.write_bytes(b"half")
    for path in (*old, other):
        os.utime(path, (0, 0))
    assert extract(find_clips(videos), store, "mean_colour", fps=10, shards=shards).new_frames == 0
    # Another process may be writing the new one.
    assert {path for path in folder.glob(".*") if path.is_file()} == {new, other}


def test_a_file_without_a_good_video_does_not_stop_the_others(videos, tmp_path):
    add_bad_files(videos)
    clips = find_clips(videos)
    report = extract(clips, tmp_path / "store", "mean_colour", fps=10, shards=len(clips))
    assert (report.videos, report.frames, len(report.skipped)) == (2, 156, 3)
    store = PerceptStore(tmp_path / "store")
    assert list(store.frame_counts) == [6, 150]


def test_a_video_listed_twice_is_extracted_once(videos, tmp_path):
    clip = find_clips(videos)[0]
    report = extract([clip, clip], tmp_path / "s.h5", "mean_colour", fps=10)
    assert (report.videos, report.frames, report.new_frames) == (2, 12, 6)


@pytest.mark.parametrize("shards", [0, 3])
def test_more_files_than_videos_are_refused(shards, videos, tmp_path):
    with pytest.raises(InputError, match=f"1 to 2 shards.*Received: {shards}"):
        extract(find_clips(videos), tmp_path / "store", "mean_colour", shards=shards)


def test_a_file_that_is_no_store_is_not_replaced(videos, tmp_path):
    path = tmp_path / "notes.h5"
    path.write_text("mine")
    with pytest.raises(InputError, match="Expected a percept store"):
        extract(find_clips(videos), path, "mean_colour")
    assert path.read_text() == "mine"
