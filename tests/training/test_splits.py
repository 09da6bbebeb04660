"""Tests of splits: no source on two sides, every class in training, shots."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_videolstm.data import official_splits
from keras_videolstm.data.action_clips import Clip, _group_of
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.errors import InputError
from keras_videolstm.training.splits import Split, draw_shots, official_split, split_by_group

PARTS = ("train", "validation", "test")


class NamedTable(SimpleNamespace):
    """What an official split reads of a store."""

    path = "table.h5"


class Table(SimpleNamespace):
    """What a split reads of a store."""

    path = "table.h5"
    videos_of_groups = PerceptStore.videos_of_groups
    clips_of = PerceptStore.clips_of

    @property
    def names(self) -> np.ndarray:
        return np.arange(len(self.labels)).astype(str).astype(object)

    def __len__(self) -> int:
        return len(self.labels)


def table(labels: list[int], groups: list[str], classes: int) -> Table:
    names = tuple(f"class{i}" for i in range(classes))
    return Table(
        labels=np.array(labels, "int32"),
        groups=np.array(groups, dtype=object),
        class_names=names,
    )


def random_table(rng: np.random.Generator) -> Table:
    """A table whose groups may occur in many classes, with a few unlabelled videos."""
    classes, sources = int(rng.integers(2, 6)), int(rng.integers(4, 25))
    videos = int(rng.integers(20, 150))
    labels = rng.integers(-1 if rng.random() < 0.3 else 0, classes, videos).tolist()
    if rng.random() < 0.5:
        groups = [f"g{i:02d}" for i in rng.integers(0, sources, videos)]
    else:
        groups = [f"c{label}_{rng.integers(0, sources)}" for label in labels]
    return table(labels, groups, classes)


def test_no_source_stands_on_two_sides_whatever_the_table():
    rng = np.random.default_rng(2015)
    good = 0
    for trial in range(400):
        videos = random_table(rng)
        with_test = bool(rng.integers(2))
        try:
            split = split_by_group(videos, seed=trial, with_test=with_test)
        except InputError as error:
            assert str(error).startswith("Expected")
            continue
        good += 1
        groups = [set(videos.groups[getattr(split, part)]) for part in PARTS]
        assert not groups[0] & groups[1]
        assert not groups[0] & groups[2]
        assert not groups[1] & groups[2]
        taken = np.concatenate([getattr(split, part) for part in PARTS])
        np.testing.assert_array_equal(np.sort(taken), np.flatnonzero(videos.labels >= 0))
        wanted = PARTS if with_test else PARTS[:2]
        for part in wanted:
            present = set(videos.labels[getattr(split, part)])
            assert present == set(range(len(videos.class_names)))
        assert len(split.validation) > 0
        assert (len(split.test) > 0) == with_test
    assert good > 150


def regular(groups: int = 10, classes: int = 3) -> Table:
    """Two videos a class and group."""
    rows = [(c, f"g{g:02d}") for c in range(classes) for g in range(groups) for _ in range(2)]
    return table([c for c, _ in rows], [g for _, g in rows], classes)


def test_each_part_gets_a_fifth_of_the_sources_of_each_class():
    videos = regular()
    split = split_by_group(videos, seed=1)
    for part, groups in zip(PARTS, (6, 2, 2), strict=True):
        numbers = getattr(split, part)
        assert len(set(videos.groups[numbers])) == groups
        assert list(np.bincount(videos.labels[numbers])) == [2 * groups] * 3


@pytest.mark.parametrize("number", [1, 2, 3])
def test_shared_and_uneven_sources_of_hmdb51_leave_enough_of_each_class_to_both(number):
    clips = [Path(f"{name}.avi") for name in official_splits._hmdb51()]
    classes = sorted({clip.parent.name for clip in clips})
    labels = [classes.index(clip.parent.name) for clip in clips]
    store = NamedTable(
        names=np.array([str(clip) for clip in clips], dtype=object),
        labels=np.array(labels, "int32"),
        groups=np.array([_group_of(clip, clip.stem) for clip in clips], dtype=object),
        class_names=tuple(classes),
    )
    for seed in range(3):
        split = official_split(store, "hmdb51", number, seed=seed)
        assert not set(store.groups[split.train]) & set(store.groups[split.validation])
        # Of 70 clips a class a fifth is 14, where sources are alike.
        counts = np.bincount(store.labels[split.validation], minlength=51)
        assert 7 <= counts.min() <= counts.max() <= 28
        assert 12 <= counts.mean() <= 15


def test_a_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (split_by_group(regular(), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.test, again.test)
    assert list(first.test) != list(other.test)


def test_named_groups_are_taken_as_named():
    videos = regular()
    split = split_by_group(videos, seed=1, test_groups=("g03",), validation_groups=("g07", "g08"))
    assert set(videos.groups[split.test]) == {"g03"}
    assert set(videos.groups[split.validation]) == {"g07", "g08"}
    assert len(set(videos.groups[split.train])) == 7


def test_without_a_test_part_nothing_is_held_back_for_it():
    split = split_by_group(regular(), seed=1, with_test=False)
    assert len(split.test) == 0
    assert len(split.train) == 48


@pytest.mark.parametrize(
    ("videos", "arguments", "words"),
    [
        (table([-1, -1], ["a", "b"], 2), {}, "labelled videos of at least two classes"),
        (table([0, 0], ["a", "b"], 1), {}, r"two classes. Received: table.h5 with .* class0"),
        (table([0, 0, 0, 1, 1], list("abcde"), 2), {}, "3 sources of the class 'class1'.*d, e"),
        (
            table([0, 0, 0, 1, 1, 1, 2, 2, 2], list("abcbcdabd"), 3),
            {},
            "class 'class2' in the test",
        ),
        (table([0, 1] * 3, list("aabbcc"), 3), {}, "of every class that can be read.*class2"),
        (regular(), {"test_groups": ("g77",)}, "groups that occur in .*Received: g77"),
        (
            regular(),
            {"test_groups": ("g03",), "validation_groups": ("g03",)},
            "test groups that are not validation groups. Received: g03 in both",
        ),
        (
            regular(2),
            {"test_groups": ("g00",), "validation_groups": ("g01",)},
            "every class in the training part",
        ),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(videos, arguments, words):
    with pytest.raises(InputError, match=words):
        split_by_group(videos, seed=0, **arguments)


def test_shots_are_drawn_by_class_from_training_and_validation_alone():
    videos = regular()
    split = split_by_group(videos, seed=1)
    small = draw_shots(videos, split, shots=3, seed=5)
    assert list(np.bincount(videos.labels[small.train])) == [3, 3, 3]
    assert list(np.bincount(videos.labels[small.validation])) == [3, 3, 3]
    assert set(small.train) <= set(split.train)
    np.testing.assert_array_equal(small.test, split.test)
    assert list(draw_shots(videos, split, 3, seed=5).train) == list(small.train)
    assert list(draw_shots(videos, split, 3, seed=6).train) != list(small.train)


def test_all_views_of_a_clip_are_drawn_together(tmp_path):
    clips = [(label, group, view) for label in "ab" for group in range(6) for view in (0, 1)]
    with PerceptStoreWriter(tmp_path / "s.h5", 2, ("a", "b"), {}) as writer:
        for label, group, view in clips:
            writer.append(np.ones((3, 2)))
            writer.end_video(Clip(Path(f"{label}{group}.mp4"), label, f"g{group}", flip=bool(view)))
    store = PerceptStore(tmp_path / "s.h5")
    small = draw_shots(store, split_by_group(store, seed=0), shots=2, seed=0)
    assert len(small.train) == 8
    assert [clips[video][2] for video in small.train] == [0, 1] * 4
    assert store.count_clips(small.train) == 4


def test_more_shots_than_videos_takes_all_and_none_is_refused():
    videos = regular()
    split = split_by_group(videos, seed=1)
    np.testing.assert_array_equal(draw_shots(videos, split, 99, seed=1).train, split.train)
    with pytest.raises(InputError, match="Received: shots=0"):
        draw_shots(videos, split, 0, seed=1)
    empty = Split(split.train, np.empty(0, int), split.test)
    assert len(draw_shots(videos, empty, 2, seed=1).validation) == 0
