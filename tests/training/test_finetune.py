"""Tests of fine-tuning and its scores."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_store_writer import PerceptStoreWriter
from keras_videolstm.errors import InputError
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.training.comparison import (
    FINETUNED,
    SCRATCH,
    SINGLE_FRAME,
    compare,
    starts_from,
)
from keras_videolstm.training.finetune import (
    FinetuneSettings,
    finetune,
    pretrained_classifier,
    single_frame_classifier,
)
from keras_videolstm.training.scores import score_videos
from keras_videolstm.training.splits import Split, split_by_group
from tests.percept_files import PROVENANCE, numbered_store, toy_actions, write_store

QUICK = FinetuneSettings(
    steps=60,
    head_steps=20,
    batch_size=8,
    learning_rate=1e-2,
    dropout=0.2,
    check_every=20,
    patience=3,
)


def toy_model() -> VideoLSTM:
    return VideoLSTM("composite", (4,), units=[8], activation="linear")


@pytest.mark.parametrize(
    "method",
    [FINETUNED, *(pytest.param(m, marks=pytest.mark.slow) for m in (SCRATCH, SINGLE_FRAME))],
)
def test_every_method_learns_what_a_line_separates(method, tmp_path):
    store = toy_actions(tmp_path / "s.h5")
    split = split_by_group(store, seed=0)
    (result,) = compare({method: starts_from(toy_model())[method]}, store, split, QUICK)
    assert result.name == method
    assert result.mean_and_std("video_accuracy") == (1.0, 0.0)
    assert result.test[0].videos == len(split.test)
    assert result.history["val_loss"][-1] < result.history["val_loss"][0]
    # The softmax alone, and up to three looks.
    assert {len(values) for values in result.history.values()} <= {2, 3, 4}
    np.testing.assert_array_equal(result.test[0].confusion, np.eye(2))


def test_the_test_part_may_be_a_store_of_its_own(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=3)
    other = toy_actions(tmp_path / "other.h5", groups=2, seed=1)
    split = split_by_group(store, seed=0, with_test=False)
    settings = FinetuneSettings(steps=20, head_steps=5, check_every=20, learning_rate=1e-2)
    starts = {SINGLE_FRAME: single_frame_classifier}
    (result,) = compare(starts, store, split, settings, test_store=other)
    assert result.test[0].videos == 4
    videos = [(other.read(i), "run" if i % 2 else "jump", f"g{i}") for i in range(4)]
    classes = write_store(tmp_path / "classes.h5", videos)
    with pytest.raises(InputError, match=r"classes run, walk. Received: jump, run"):
        compare(starts, store, split, settings, test_store=classes)
    videos = [(other.read(i), "walk" if i % 2 else "run", f"g{i}") for i in range(4)]
    faster = write_store(tmp_path / "faster.h5", videos, {**PROVENANCE, "fps": 30})
    with pytest.raises(InputError, match=r"fps=15. Received: fps=30"):
        compare(starts, store, split, settings, test_store=faster)


@pytest.mark.parametrize("standardize", [True, "channel", "root"])
def test_baselines_read_frames_as_the_model_does_by_statistics_of_their_own(tmp_path, standardize):
    store = toy_actions(tmp_path / "s.h5", groups=3)
    split = split_by_group(store, seed=0)
    arguments = {"units": [3], "activation": "linear", "standardize": standardize}
    model = VideoLSTM("autoencoder", (2, 1, 2), **arguments)
    model.set_statistics(np.full((2, 1, 2), 9.0), np.full((2, 1, 2), 7.0))
    starts = starts_from(model)
    frames = np.concatenate([store.read(video) for video in split.train])
    frames = np.sign(frames) * np.sqrt(np.abs(frames)) if standardize == "root" else frames
    for method in (SINGLE_FRAME, SCRATCH):
        layer = starts[method](store, split, QUICK).standardizer
        pooled = standardize == "channel" and method == SCRATCH
        mean = np.tile(frames.reshape(-1, 2).mean(0), 2) if pooled else frames.mean(0)
        np.testing.assert_allclose(layer.mean, mean, rtol=1e-4, atol=1e-5)
        assert layer.kind == ("root" if standardize == "root" else "feature")
    weights = starts[FINETUNED](store, split, QUICK).standardizer.get_weights()
    np.testing.assert_array_equal(weights, [np.full(4, 9.0), np.full(4, 7.0)])


@pytest.mark.slow
def test_convolutional_baselines_and_what_begins_with_the_model_read_its_maps(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=3)
    split = split_by_group(store, seed=0)
    convolution = {"patch_size": 1, "kernel_size": 1}
    model = VideoLSTM(
        "composite", (2, 2, 1), units=[3], activation="linear", convolution=convolution
    )
    made = {name: start(store, split, QUICK) for name, start in starts_from(model).items()}
    assert made[SINGLE_FRAME].encoder is None
    for method in (SCRATCH, FINETUNED):
        # The maps alone, of 2x2 places and 3 filters.
        assert made[method].head.kernel.shape == (12, 2)
        assert made[method].convolution == model.convolution
    learned, fresh, own = (
        m.encoder.get_weights()[0] for m in (made[FINETUNED], made[SCRATCH], model)
    )
    np.testing.assert_array_equal(learned, own)
    assert np.any(fresh != own)
    (result,) = compare({FINETUNED: starts_from(model)[FINETUNED]}, store, split, QUICK)
    assert result.mean_and_std("video_accuracy") == (1.0, 0.0)


def test_the_softmax_reads_the_state_standardised_on_the_training_part(tmp_path):
    videos = [
        (toy(length), ("run", "walk")[i % 2], f"g{i // 2}") for i, length in enumerate(LENGTHS)
    ]
    store = write_store(tmp_path / "s.h5", videos)
    split = split_by_group(store, seed=0)
    model = toy_model_of_seed()
    classifier = pretrained_classifier(store, split, QUICK, model)
    # One block a video; what a short one lacks is padding, which no statistic counts.
    states = [model.encode(store.read(video), every_step=True) for video in split.train]
    states = np.concatenate(states)
    mean, deviation = classifier.state_standardizer.get_weights()
    np.testing.assert_allclose(mean, states.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(deviation, states.std(axis=0), atol=1e-5)


LENGTHS = [16, 9, 5, 16, 12, 7]


def toy(length: int) -> np.ndarray:
    return np.random.default_rng(length).normal(size=(length, 4)).astype("float32")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_classifier(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=3)
    split = split_by_group(store, seed=0)
    settings = FinetuneSettings(steps=10, head_steps=5, check_every=5, dropout=0.5, seed=3)
    weights = []
    for _ in range(2):
        classifier = pretrained_classifier(store, split, settings, toy_model_of_seed())
        finetune(classifier, store, split, settings)
        weights.append(classifier.get_weights())
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def toy_model_of_seed() -> VideoLSTM:
    model = toy_model()
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.slow
def test_few_labels_teach_the_softmax_nothing_about_what_they_do_not_show(tmp_path):
    # Two clips differ in one feature; the others never vary, so that no weight may stand on them.
    rows = np.zeros((2, 20, 4), "float32")
    rows[:, :, 0] = [[1.0], [3.0]]
    videos = [(rows[i], ("run", "walk")[i], f"g{i}") for i in range(2)]
    store = write_store(tmp_path / "s.h5", videos)
    split = Split(np.arange(2), np.empty(0, int), np.empty(0, int))
    classifier = single_frame_classifier(store, split, FinetuneSettings(steps=20))
    finetune(classifier, store, split, FinetuneSettings(steps=20))
    kernel = np.abs(np.asarray(classifier.head.kernel))
    assert kernel[0].min() > 0.1
    assert kernel[1:].max() == 0


@pytest.mark.slow
def test_of_several_rates_the_softmax_that_validates_best_is_kept(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=4)
    split = split_by_group(store, seed=0)
    losses, first = [], []
    # A rate of nearly nothing teaches nothing; it is kept only where it is all there is.
    for rates in ((1e-9,), (1e-9, 1e-2), (1e-2, 1e-9)):
        settings = dataclasses.replace(QUICK, steps=1, dropout=0.0, head_learning_rates=rates)
        told: list[tuple[int, int]] = []
        classifier = single_frame_classifier(store, split, settings)
        history = finetune(
            classifier, store, split, settings, progress=lambda *at, told=told: told.append(at)
        )
        losses.append(history["val_loss"][0])
        first.append(told[0])
    assert losses[0] == pytest.approx(np.log(2), abs=1e-4)
    assert losses[1] == pytest.approx(losses[2])
    assert losses[1] < 0.6
    assert first == [(1, 21), (1, 41), (1, 41)]


def test_the_encoder_is_kept_where_training_it_does_not_help(tmp_path):
    toy = toy_actions(tmp_path / "toy.h5", groups=3)
    split = split_by_group(toy, seed=0)
    # What helps on the training part is wrong on a validation part whose labels are exchanged.
    swapped = {"run": "walk", "walk": "run"}
    labels = [toy.class_names[label] for label in toy.labels]
    labels = [swapped[x] if i in split.validation else x for i, x in enumerate(labels)]
    videos = [(toy.read(i), labels[i], toy.groups[i]) for i in range(len(toy))]
    store = write_store(tmp_path / "s.h5", videos)
    classifier = pretrained_classifier(store, split, QUICK, toy_model_of_seed())
    pretrained = classifier.encoder.get_weights()
    finetune(classifier, store, split, QUICK)
    for kept, weight in zip(classifier.encoder.get_weights(), pretrained, strict=True):
        np.testing.assert_array_equal(kept, weight)


def test_a_frozen_encoder_stays_as_it_is(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=3)
    split = split_by_group(store, seed=0)
    classifier = pretrained_classifier(store, split, QUICK, toy_model_of_seed())
    classifier.encoder.trainable = False
    pretrained = classifier.encoder.get_weights()
    finetune(classifier, store, split, QUICK)
    assert not classifier.encoder.trainable
    for kept, weight in zip(classifier.encoder.get_weights(), pretrained, strict=True):
        np.testing.assert_array_equal(kept, weight)


def test_a_frozen_cell_stays_as_it_is(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=3)
    classifier = ActionClassifier(store.feature_dim, store.class_names, units=[4, 3])
    frozen, learning = classifier.encoder.cells
    frozen.trainable = False
    before = [cell.get_weights() for cell in (frozen, learning)]
    settings = FinetuneSettings(steps=3, head_steps=5, check_every=50)
    finetune(classifier, store, Split(np.arange(len(store)), np.arange(0), np.arange(0)), settings)
    assert not frozen.trainable and learning.trainable
    np.testing.assert_array_equal(frozen.get_weights()[0], before[0][0])
    assert np.abs(learning.get_weights()[0] - before[1][0]).max() > 0


def test_no_more_steps_are_taken_than_were_asked_for(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=3)
    settings = FinetuneSettings(steps=3, head_steps=5, check_every=50)
    split = split_by_group(store, seed=0)
    classifier = single_frame_classifier(store, split, settings)
    finetune(classifier, store, split, settings)
    assert int(classifier.optimizer.iterations) == 3


def test_a_model_of_other_features_and_a_loss_without_end_are_refused(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=3, features=5)
    split = split_by_group(store, seed=0)
    with pytest.raises(InputError, match=r"shape \(4,\).*s\.h5 with 5 features"):
        compare(starts_from(toy_model()), store, split, QUICK)
    settings = FinetuneSettings(steps=2, head_steps=2, check_every=1)
    classifier = single_frame_classifier(store, split, settings)
    classifier.head.kernel.assign(np.full((5, 2), np.nan))
    with pytest.raises(InputError, match=r"finite loss"):
        finetune(classifier, store, split, settings)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"steps": 0}, "at least 1. Received: steps=0"),
        ({"head_steps": 0}, "at least 1. Received: head_steps=0"),
        ({"head_learning_rates": (-1,)}, "positive learning rate"),
        ({"head_learning_rates": ()}, "learning rate of the softmax"),
        ({"batch_size": -1}, "at least 1. Received: batch_size=-1"),
        ({"learning_rate": 0}, "positive learning rate"),
        ({"learning_rate": float("nan")}, "positive learning rate"),
        ({"learning_rate": float("inf")}, "positive learning rate"),
        ({"dropout": 1.0}, "dropout rate"),
        ({"dropout": -0.1}, "dropout rate"),
        ({"dropout": float("nan")}, "dropout rate"),
        ({"seed": -1}, "seed from 0"),
        ({"seed": 2**32}, "seed from 0"),
    ],
)
def test_impossible_settings_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        FinetuneSettings(**arguments)


class Told(ActionClassifier):
    """Says at each step a probability of the first class that stands in the percepts."""

    def predict(self, blocks: object, **kwargs: object) -> dict[str, np.ndarray]:
        percepts = np.concatenate([batch for batch, _ in blocks.as_numpy_iterator()])
        first = percepts[:, :, 0]
        steps = np.stack([first, 1 - first], axis=-1)
        return {"steps": steps, "action": steps.mean(axis=1)}


def test_scores_are_those_counted_by_hand(tmp_path):
    def told(length: int, *probabilities: float) -> np.ndarray:
        values = np.resize(probabilities, length)
        return np.stack([values, np.zeros(length)], axis=1).astype("float32")

    store = write_store(
        tmp_path / "s.h5",
        [
            (told(24, 0.9), "run", "a"),  # two blocks, both right
            (told(16, 0.75, 0.25), "run", "b"),  # one block at 0.5, half of its steps right
            (told(16, 0.8), "walk", "c"),  # one block, wrong
        ],
    )
    scores = score_videos(Told(2, ["run", "walk"], units=()), store, [0, 1, 2])
    assert scores.videos == 3
    assert scores.frame_accuracy == pytest.approx((32 + 8 + 0) / 64)
    # At 0.5 each the first class counts as the likeliest.
    assert scores.block_accuracy == pytest.approx(3 / 4)
    assert scores.video_accuracy == pytest.approx(2 / 3)
    np.testing.assert_array_equal(scores.confusion, [[2, 0], [1, 0]])
    nats = -np.log([0.9, 0.5, 0.2]).mean()
    assert scores.video_nats == pytest.approx(nats, rel=1e-5)
    assert scores.as_dict()["confusion"] == [[2, 0], [1, 0]]


def test_views_of_one_clip_are_averaged_to_one_video(tmp_path):
    clip = Clip(Path("a.mp4"), "run", "a")
    with PerceptStoreWriter(tmp_path / "s.h5", 2, ("run", "walk"), PROVENANCE) as writer:
        for level, view in ((0.2, clip), (0.9, dataclasses.replace(clip, flip=True))):
            writer.append(np.full((16, 2), level, "float32"))
            writer.end_video(view)
    store = PerceptStore(tmp_path / "s.h5")
    scores = score_videos(Told(2, ["run", "walk"], units=()), store, [0, 1])
    assert (scores.videos, scores.block_accuracy, scores.video_accuracy) == (1, 0.5, 1.0)
    assert scores.video_nats == pytest.approx(-np.log(0.55), rel=1e-5)


def test_padding_counts_for_no_frame(tmp_path):
    store = write_store(
        tmp_path / "s.h5",
        [
            (np.full((4, 2), 0.9, "float32"), "run", "a"),
            (np.full((4, 2), 0.9, "float32"), "walk", "b"),
        ],
    )
    scores = score_videos(Told(2, ["run", "walk"], units=()), store, [0, 1])
    assert scores.frame_accuracy == pytest.approx(0.5)


def test_unlabelled_stores_cannot_be_split(tmp_path):
    store = numbered_store(tmp_path / "s.h5", [20, 20])
    with pytest.raises(InputError, match=r"labelled videos"):
        split_by_group(store, seed=0)
