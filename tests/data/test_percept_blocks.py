"""Tests of cutting videos into blocks and of drawing labelled blocks."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.blocks import PADDING, block_starts, video_blocks
from keras_videolstm.data.percept_blocks import all_blocks, random_blocks
from keras_videolstm.data.percept_store import PerceptStore
from tests.percept_files import write_store

LENGTHS = (40, 5, 16, 23)


@pytest.fixture
def store(tmp_path: Path) -> PerceptStore:
    videos = []
    for number, length in enumerate(LENGTHS):
        percepts = np.stack([np.full(length, number), np.arange(length)], axis=1)
        label = "walk" if number % 2 else "run"
        videos.append((percepts.astype("float32"), label, f"g{number}"))
    return write_store(tmp_path / "s.h5", videos)


def test_blocks_start_every_eight_frames_and_stay_inside():
    assert [list(block_starts(n)) for n in (1, 16, 23, 24, 40)] == [
        [0],
        [0],
        [0],
        [0, 8],
        [0, 8, 16, 24],
    ]
    assert list(block_starts(10, steps=4, stride=3)) == [0, 3, 6]


def test_a_short_video_is_padded_behind():
    blocks = video_blocks(np.ones((5, 2), "float32"))
    assert blocks.shape == (1, 16, 2)
    assert (blocks[0, :5] == 1).all()
    assert (blocks[0, 5:] == PADDING).all()


def test_all_blocks_come_in_order_with_their_labels(store):
    order = [3, 0, 1]
    batches = list(all_blocks(store, order, batch_size=2).as_numpy_iterator())
    blocks = np.concatenate([b for b, _ in batches])
    labels = np.concatenate([label for _, label in batches])
    expected = np.concatenate([video_blocks(store.read(v)) for v in order])
    np.testing.assert_array_equal(blocks, expected)
    counts = [len(block_starts(LENGTHS[v])) for v in order]
    assert counts == [1, 4, 1]
    np.testing.assert_array_equal(labels, np.repeat(store.labels[order], counts))


def taken(store: PerceptStore, seed: int, batch_size: int, count: int = 96) -> tuple:
    stream = random_blocks(store, [0, 1, 2], seed=seed, batch_size=batch_size)
    batches = list(itertools.islice(stream.as_numpy_iterator(), count // batch_size))
    return tuple(np.concatenate(part) for part in zip(*batches, strict=True))


def test_random_blocks_are_runs_of_one_video_with_its_label(store):
    blocks, labels = taken(store, seed=1, batch_size=8)
    videos = blocks[:, 0, 0].astype(int)
    assert set(videos) == {0, 1, 2}
    np.testing.assert_array_equal(labels, store.labels[videos])
    for block, video in zip(blocks, videos, strict=True):
        real = block[: min(LENGTHS[video], 16)]
        assert (real[:, 0] == video).all()
        assert (np.diff(real[:, 1]) == 1).all()
        assert (block[len(real) :] == PADDING).all()
    assert {int(b[0, 1]) for b in blocks[videos == 0]} <= set(range(25))
    assert len({int(b[0, 1]) for b in blocks[videos == 0]}) > 8


def test_random_block_i_depends_on_seed_and_i_alone(store):
    blocks, labels = taken(store, seed=1, batch_size=8)
    again, labels_again = taken(store, seed=1, batch_size=12)
    np.testing.assert_array_equal(again, blocks)
    np.testing.assert_array_equal(labels_again, labels)
    assert (taken(store, seed=2, batch_size=8)[0] != blocks).any()


@pytest.mark.parametrize("blocks", [all_blocks, random_blocks])
def test_no_thread_tunes_a_short_lived_iterator_which_would_wait_for_it(store, blocks):
    seed = {"seed": 1} if blocks is random_blocks else {}
    dataset = blocks(store, [0], batch_size=2, **seed)
    assert dataset.options().autotune.enabled is False
