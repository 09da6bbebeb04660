"""Tests of training on optical flow, and of fusion."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.errors import InputError
from keras_videolstm.training.finetune_settings import FinetuneSettings
from keras_videolstm.training.fusion import best_weight, fused
from keras_videolstm.training.fusion_trials import Stream, fusion_trials, with_common_videos
from keras_videolstm.training.splits import Split, split_by_group
from keras_videolstm.training.temporal_stream import (
    TemporalStreamSettings,
    _varied,
    stream_probabilities,
    train_temporal_stream,
)
from keras_videolstm.training.video_probabilities import VideoProbabilities
from tests.percept_files import PROVENANCE, toy_actions, write_store

FLOW = {**PROVENANCE, "extractor": "optical_flow"}


def growing_and_shrinking(path: Path, groups: int = 4) -> PerceptStore:
    """Write flows away from a point and towards it, each video's point and noise its own."""
    rng = np.random.default_rng(0)
    videos = []
    for group in range(groups):
        for sign, label in ((1, "grow"), (-1, "shrink")):
            middle = rng.uniform(24, 40, 2)
            away = (np.moveaxis(np.indices((64, 64)), 0, -1) - middle)[..., ::-1] / 16
            flows = sign * away + rng.normal(0, 0.3, (12, 64, 64, 2))
            videos.append((flows.reshape(12, -1).astype("float32"), label, f"g{group}"))
    return write_store(path, videos, FLOW)


@pytest.mark.slow
def test_a_stream_learns_what_moves_away_and_what_comes(tmp_path):
    store = growing_and_shrinking(tmp_path / "flow.h5")
    split = split_by_group(store, seed=0)
    told = []
    settings = TemporalStreamSettings(stack=2, features=16, steps=60, batch_size=8, check_every=30)
    stream, history = train_temporal_stream(store, split, settings, lambda *n: told.append(n))
    assert told[-1] == (60, 60)
    assert len(history["val_loss"]) == 2
    assert history["loss"][1] < min(history["loss"][0], 0.95 * np.log(2))
    result = stream_probabilities(stream, store, split.test)
    # Running means have followed: what it learned shows outside of training, too.
    assert result.nats < 0.95 * np.log(2)
    assert result.confusion.sum() == len(split.test) == len(result.labels)
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, rtol=1e-5)
    by_hand = stream.predict(
        np.stack([store.read(split.test[0])[place : place + 2] for place in (0, 8)]), verbose=0
    )["action"].mean(axis=0)
    np.testing.assert_allclose(result.probabilities[0], by_hand, atol=1e-5)


def test_variation_mirrors_motion_too_and_shifts_all_flows_alike():
    flows = np.zeros((8, 2, 64, 64, 2), "float32")
    flows[:, :, 20:30, 10:15] = (3, 1)
    varied = _varied(flows.reshape(8, 2, -1), (0, 1)).numpy().reshape(flows.shape)
    lit = varied[..., 1] == 1
    assert lit.sum() == 8 * 2 * 50
    mirrored = (varied[..., 0] == -3).any(axis=(1, 2, 3))
    assert 0 < mirrored.sum() < 8
    columns = [set(np.nonzero(clip)[2]) for clip in lit]
    assert all((min(c) > 32) == m for c, m in zip(columns, mirrored, strict=True))
    np.testing.assert_array_equal(varied[:, 0], varied[:, 1])


def test_other_percepts_and_numbers_out_of_range_are_refused(tmp_path):
    store = toy_actions(tmp_path / "s.h5")
    with pytest.raises(InputError, match=r"percepts of 'optical_flow'.*'toy'"):
        train_temporal_stream(store, split_by_group(store, seed=0), TemporalStreamSettings())
    for wrong in ({"stack": 0}, {"learning_rate": 0}, {"dropout": 1}):
        with pytest.raises(InputError, match="Expected"):
            TemporalStreamSettings(**wrong)


def said(names: str, labels: list[int], right: list[float]) -> VideoProbabilities:
    classes = np.array(labels)
    probabilities = np.stack([right, 1 - np.array(right)], axis=1)
    probabilities[classes == 1] = probabilities[classes == 1, ::-1]
    return VideoProbabilities(np.array(list(names), dtype=object), classes, probabilities)


def test_fusion_averages_the_same_videos_and_picks_the_weight_of_least_nats():
    first = said("abc", [0, 1, 0], [0.9, 0.2, 0.6])
    second = said("cab", [0, 0, 1], [0.3, 0.5, 0.9])
    both = fused(first, second, 0.25)
    np.testing.assert_allclose(
        both.probabilities[:, 0], [0.75 * 0.9 + 0.25 * 0.5, 1 - 0.375, 0.75 * 0.6 + 0.25 * 0.3]
    )
    assert list(both.names) == list("abc")
    weight = best_weight(first, second)
    nats = {w: fused(first, second, w).nats for w in np.linspace(0, 1, 21)}
    assert nats[weight] == min(nats.values()) < min(nats[0.0], nats[1.0])
    assert fused(first, second, 0).nats == pytest.approx(-np.log([0.9, 0.2, 0.6]).mean())


def test_fusion_of_other_videos_or_classes_is_refused():
    first = said("abc", [0, 1, 0], [0.9, 0.4, 0.6])
    with pytest.raises(InputError, match="a is in one alone"):
        fused(first, said("xbc", [0, 1, 0], [0.9, 0.4, 0.6]), 0.5)
    with pytest.raises(InputError, match="the same classes"):
        fused(first, said("abc", [1, 1, 0], [0.9, 0.4, 0.6]), 0.5)


def test_streams_are_of_the_same_videos_wherever_these_lay(tmp_path):
    def stream(folder: str, names: str) -> Stream:
        with PerceptStoreWriter(
            tmp_path / f"{folder}.h5", 1, ("run", "walk"), PROVENANCE
        ) as writer:
            for number, name in enumerate(names):
                writer.append(np.ones((20, 1), "float32"))
                writer.end_video(
                    Clip(Path(folder, name), ("run", "walk")[number % 2], f"g{number}")
                )
        store = PerceptStore(tmp_path / f"{folder}.h5")
        part = np.arange(len(store))
        return Stream(None, store, [Split(part, part, part)])

    first = stream("here/set", "abcd")
    assert len(fusion_trials(first, stream("there/set", "abcd"), FinetuneSettings())) == 4
    shorter = stream("else/set", "bca")
    with pytest.raises(InputError, match=r"the same videos in both.*only one has set/d in its tra"):
        fusion_trials(first, shorter, FinetuneSettings())
    # What one alone has is left out; the others stand where those of the first stand.
    parts = Split(np.array([0, 3]), np.array([1]), np.array([2]))
    held, beside = with_common_videos(dataclasses.replace(first, folds=[parts]), shorter)
    assert len(fusion_trials(held, beside, FinetuneSettings())) == 4
    for part, names in (("train", "a"), ("validation", "b"), ("test", "c")):
        for one in (held, beside):
            videos = getattr(one.folds[0], part)
            assert [Path(one.store.names[video]).name for video in videos] == list(names)
    twice = stream("twice/set", "abb")
    with pytest.raises(InputError, match="3 clips of 2 names"):
        with_common_videos(first, twice)
