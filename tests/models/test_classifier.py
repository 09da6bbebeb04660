import functools
from typing import Any

import keras
import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.objectives import StepCrossentropy
from tests.references import encode, encoder_weights, randomize

FEATURES = 3
CLASSES = ["jump", "run", "walk"]
UNITS = [6, 5]


def made_classifier(units: Any = tuple(UNITS), **options: Any) -> ActionClassifier:
    classifier = ActionClassifier(FEATURES, CLASSES, units=units, **options)
    randomize(classifier)
    if classifier.slow is not None:
        rng = np.random.default_rng(2)
        classifier.slow.set_directions(*(rng.normal(size=w.shape) for w in classifier.slow.weights))
    if classifier.drift is not None:
        directions = np.random.default_rng(3).normal(size=classifier.drift.directions.shape)
        classifier.drift.set_directions(directions)
    if classifier.state_standardizer is not None:
        size = classifier.units[-1]
        classifier.state_standardizer.set_statistics(np.full(size, 0.1), np.full(size, 0.3))
    return classifier


def all_but_the_head(classifier: ActionClassifier) -> list[keras.layers.Layer]:
    names = ("standardizer", "slow", "drift", "encoder", "state_standardizer")
    return [part for name in names if (part := getattr(classifier, name)) is not None]


@functools.cache
def ready() -> ActionClassifier:
    """Return a classifier that several tests may read."""
    return made_classifier()


def made_percepts(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((*shape, FEATURES)).astype("float32")


def probabilities_by_hand(classifier: ActionClassifier, clip: np.ndarray) -> np.ndarray:
    """Return the softmax at each step of one clip `(time, features)`, from the equations."""
    percepts = clip.astype("float64")
    beside = [percepts]
    if classifier.slow is not None:
        directions, mean, changed = (np.asarray(w) for w in classifier.slow.weights)
        changes = np.abs(np.diff(percepts, axis=0, prepend=percepts[:1])) - mean
        beside += [percepts @ directions, changes @ changed]
    if classifier.drift is not None:
        shares = (1 - classifier.drift_rate) ** np.maximum(
            np.subtract.outer(*[range(len(clip))] * 2), 0
        )
        shares = np.tril(shares) / np.tril(shares).sum(axis=1, keepdims=True)
        beside.append((percepts - shares @ percepts) @ np.asarray(classifier.drift.directions))
    own = beside if classifier.slow is None else beside[1:]
    read = np.concatenate(own, axis=-1)
    parts = beside if classifier.skip else own
    if classifier.skip and classifier.slow is not None and not classifier.skip_slow:
        parts = [beside[0], *beside[2:]]
    if classifier.encoder is not None:
        encoded = encode(encoder_weights(classifier.encoder), read[None])[0][0]
        if classifier.state_standardizer is not None:
            encoded = (encoded - 0.1) / 0.3
        parts = [*parts, encoded] if classifier.skip else [encoded]
    if classifier.normalize:
        size = np.sqrt(percepts.shape[-1] / len(parts))
        # The first frame has not drifted.
        norms = [np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9) for x in parts]
        parts = [size * x / norm for x, norm in zip(parts, norms, strict=True)]
    features = np.concatenate(parts, axis=-1)
    kernel, bias = (np.asarray(w).astype("float64") for w in classifier.head.weights)
    scores = np.exp(features @ kernel + bias)
    return scores / scores.sum(-1, keepdims=True)


@pytest.mark.parametrize("units", [(), (4,), (6, 5)])
def test_a_softmax_at_every_step_and_their_mean(units: tuple[int, ...]) -> None:
    classifier = made_classifier(units)
    clips = made_percepts(2, 7)
    outputs = classifier(clips)
    assert set(outputs) == {"steps", "action"}
    for clip in range(2):
        steps = probabilities_by_hand(classifier, clips[clip])
        np.testing.assert_allclose(outputs["steps"][clip], steps, atol=1e-5)
        np.testing.assert_allclose(outputs["action"][clip], steps.mean(0), atol=1e-5)
    np.testing.assert_allclose(np.sum(outputs["steps"], axis=-1), np.ones((2, 7)), atol=1e-6)


@pytest.mark.parametrize("units", [(), (6, 5)])
@pytest.mark.parametrize(
    "options",
    [
        {"normalize": True},
        {"skip": True, "normalize": True},
        {"slow_features": 2},
        {"slow_features": 2, "skip": True, "normalize": True},
        {"slow_features": 2, "skip": True, "skip_slow": False},
        {"drift_features": 2, "drift_rate": 0.1},
        {"slow_features": 2, "drift_features": 2, "skip": True, "normalize": True},
        {
            "slow_features": 2,
            "drift_features": 2,
            "skip": True,
            "skip_slow": False,
            "normalize": True,
        },
        {"standardize_state": True, "skip": True, "normalize": True},
    ],
)
def test_what_the_softmax_reads_can_be_of_one_size_and_have_the_percepts_beside_it(
    units: tuple[int, ...], options: dict[str, Any]
) -> None:
    classifier = made_classifier(units, **options)
    clips = 9 * made_percepts(1, 7)
    steps = probabilities_by_hand(classifier, clips[0])
    np.testing.assert_allclose(classifier(clips)["steps"][0], steps, atol=1e-5)
    again = ActionClassifier.from_config(classifier.get_config())
    again.set_weights(classifier.get_weights())
    np.testing.assert_array_equal(again(clips)["steps"], classifier(clips)["steps"])


@pytest.mark.parametrize("units", [(), (6, 5)])
@pytest.mark.parametrize("chosen", [False, True])
def test_padding_leaves_no_trace(units: tuple[int, ...], chosen: bool) -> None:
    few = 2 * chosen
    options = {"slow_features": few, "drift_features": few, "standardize_state": chosen}
    classifier = made_classifier(units, normalize=chosen, skip=chosen, **options)
    classifier.standardizer.set_statistics(np.full(FEATURES, 0.5), np.full(FEATURES, 0.2))
    clips, lengths = made_percepts(3, 7), (7, 4, 1)
    padded = clips.copy()
    for clip, length in enumerate(lengths):
        padded[clip, length:] = -1
    outputs = classifier(padded)
    for clip, length in enumerate(lengths):
        alone = classifier(clips[clip : clip + 1, :length])
        np.testing.assert_allclose(outputs["action"][clip], alone["action"][0], atol=1e-6)
        np.testing.assert_allclose(outputs["steps"][clip, :length], alone["steps"][0], atol=1e-6)


def test_a_single_frame_classifier_is_blind_to_the_order_of_frames() -> None:
    clips = made_percepts(1, 6)
    one = made_classifier(())
    np.testing.assert_allclose(one(clips)["action"], one(clips[:, ::-1])["action"], atol=1e-6)
    assert one.count_params() - 2 * FEATURES == (FEATURES + 1) * len(CLASSES)
    lstm = made_classifier()
    difference = np.asarray(lstm(clips)["action"]) - np.asarray(lstm(clips[:, ::-1])["action"])
    assert np.abs(difference).max() > 1e-4


# --- One video ---


@pytest.mark.parametrize("frames", [1, 5, 16, 24, 45])
def test_classify_is_the_mean_over_blocks_of_sixteen_at_a_stride_of_eight(frames: int) -> None:
    classifier = ready()
    video = made_percepts(frames)
    starts = [s for s in range(0, frames, 8) if s + 16 <= frames] or [0]
    blocks = [probabilities_by_hand(classifier, video[s : s + 16]).mean(0) for s in starts]
    np.testing.assert_allclose(classifier.classify_blocks(video), blocks, atol=1e-5)
    result = classifier.classify(video)
    assert isinstance(result, np.ndarray)
    assert result.shape == (len(CLASSES),)
    np.testing.assert_allclose(result, np.mean(blocks, axis=0), atol=1e-5)
    assert classifier.label(result) == CLASSES[int(np.argmax(result))]


def test_block_length_and_stride_can_be_chosen() -> None:
    classifier = ready()
    video = made_percepts(10)
    blocks = [probabilities_by_hand(classifier, video[s : s + 4]).mean(0) for s in (0, 3, 6)]
    np.testing.assert_allclose(
        classifier.classify_blocks(video, block_steps=4, stride=3), blocks, atol=1e-5
    )


@pytest.mark.parametrize(
    "percepts",
    [
        np.full((5, FEATURES), np.nan),
        np.zeros((5, FEATURES + 1)),
        np.zeros((0, FEATURES)),
        np.zeros(FEATURES),
        "a file name",
    ],
)
def test_unusable_percepts_are_one_clear_error(percepts: Any) -> None:
    with pytest.raises(InputError, match="Expected"):
        ready().classify(percepts)


def test_a_frame_that_would_be_taken_for_padding_is_refused() -> None:
    percepts = np.concatenate([np.zeros((5, 3)), np.full((1, 3), -1.0)])
    with pytest.raises(InputError, match="no frame of -1 in every feature"):
        ActionClassifier(3, ["run", "walk"], units=[4]).classify(percepts)


@pytest.mark.parametrize("names", [[], ["one"], ["same", "same"]])
def test_there_are_two_classes_or_more_of_different_names(names: list[str]) -> None:
    with pytest.raises(ValueError, match="at least two classes"):
        ActionClassifier(FEATURES, names)


# --- From another model ---


@pytest.mark.parametrize(
    ("peepholes", "standardize", "slow_features", "drift_features"),
    [(True, True, 0, 0), (False, True, 0, 0), (True, "root", 0, 3), (True, "root", 2, 3)],
)
def test_it_starts_from_a_video_lstms_encoder_and_what_that_reads(
    peepholes: bool, standardize: bool | str, slow_features: int, drift_features: int
) -> None:
    model = VideoLSTM(
        "composite",
        (FEATURES,),
        units=UNITS,
        activation="linear",
        standardize=standardize,
        peepholes=peepholes,
        slow_features=slow_features,
        trace_rates=[1.0, 0.25],
        drift_features=drift_features,
    )
    randomize(model)
    if drift_features:
        model.drift.set_directions(np.random.default_rng(0).normal(size=(FEATURES, FEATURES)))
    model.set_statistics(np.array([0.5, 0.4, 0.3]), np.array([0.1, 0.2, 0.3]))
    classifier = ActionClassifier.from_video_lstm(model, CLASSES, dropout=0.25)
    assert (classifier.dropout, classifier.units) == (0.25, UNITS)
    parts = [*["slow"] * bool(slow_features), *["drift"] * bool(drift_features)]
    for part in ("encoder", "standardizer", *parts):
        ours, theirs = getattr(classifier, part).weights, getattr(model, part).weights
        assert len(ours) == len(theirs) > 0
        for weight, source in zip(ours, theirs, strict=True):
            assert weight is not source
            np.testing.assert_array_equal(weight, source)
    clips = made_percepts(2, 5)
    seen = classifier.standardizer(clips)
    read = [classifier.slow(seen) if slow_features else seen]
    if drift_features:
        assert classifier.drift_rate == 0.25
        read.append(classifier.drift(seen))
    sequence, _ = classifier.encoder(np.concatenate(read, axis=-1))
    np.testing.assert_allclose(sequence, model.encode(clips, every_step=True), atol=1e-6)


def test_a_model_of_images_becomes_a_classifier_of_their_pixels() -> None:
    model = VideoLSTM("autoencoder", (4, 4, 1), units=[4], standardize=True)
    randomize(model)
    model.set_statistics(np.full((4, 4, 1), 0.2), np.full((4, 4, 1), 0.5))
    classifier = ActionClassifier.from_video_lstm(model, CLASSES)
    clips = np.random.default_rng(0).random((2, 5, 4, 4, 1)).astype("float32")
    sequence, _ = classifier.encoder(classifier.standardizer(clips.reshape(2, 5, 16)))
    np.testing.assert_allclose(sequence, model.encode(clips, every_step=True), atol=1e-6)


@functools.cache
def convolutional() -> VideoLSTM:
    model = VideoLSTM(
        "composite",
        (8, 16, 2),
        units=[4, 5],
        activation="linear",
        standardize="channel",
        convolution={"patch_size": 2, "strides": [1, 2], "max_displacement": 1},
    )
    randomize(model)
    model.set_statistics(np.full((8, 16, 2), 0.2), np.full((8, 16, 2), 0.5))
    return model


def made_frames(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random((*shape, 8 * 16 * 2)).astype("float32")


@pytest.mark.parametrize("standardize_state", [False, True])
def test_a_convolutional_model_becomes_a_classifier_of_its_maps(standardize_state: bool) -> None:
    classifier = ActionClassifier.from_video_lstm(
        convolutional(), CLASSES, standardize_state=standardize_state
    )
    randomize(classifier.head)
    maps = convolutional().encode(made_frames(2, 5).reshape(2, 5, 8, 16, 2), every_step=True)
    assert maps.shape == (2, 5, 2, 4, 5)
    features = maps.reshape(2, 5, 40)
    if standardize_state:
        classifier.state_standardizer.set_statistics(np.full(40, 0.1), np.full(40, 0.3))
        features = (features - 0.1) / 0.3
    kernel, bias = (np.asarray(w) for w in classifier.head.weights)
    scores = np.exp(features @ kernel + bias)
    expected = scores / scores.sum(-1, keepdims=True)
    np.testing.assert_allclose(classifier(made_frames(2, 5))["steps"], expected, atol=1e-5)


def test_a_convolutional_classifier_takes_padding_and_survives_a_file(tmp_path: Any) -> None:
    classifier = ActionClassifier.from_video_lstm(convolutional(), CLASSES, skip=True)
    randomize(classifier.head)
    clips = made_frames(2, 6)
    padding = np.full((2, 3, clips.shape[-1]), -1, "float32")
    outputs = classifier(clips)
    for parts in ((clips, padding), (padding, clips), (clips[:, :2], padding, clips[:, 2:])):
        padded = classifier(np.concatenate(parts, axis=1))
        np.testing.assert_allclose(padded["action"], outputs["action"], atol=1e-6)
    classifier.encoder.cells[0].trainable = False
    classifier.save(tmp_path / "c.keras")
    again = keras.models.load_model(tmp_path / "c.keras")
    np.testing.assert_array_equal(again(clips)["steps"], outputs["steps"])
    assert not again.encoder.cells[0].trainable
    other = again.with_classes(["kick", "wave"])
    np.testing.assert_array_equal(other.encoder.weights[0], classifier.encoder.weights[0])


@pytest.mark.slow
def test_a_convolutional_classifier_learns() -> None:
    classifier = ActionClassifier.from_video_lstm(convolutional(), CLASSES)
    clips, labels = made_frames(6, 4), np.arange(6) % 3
    before = np.asarray(classifier.encoder.weights[0])
    classifier.compile(keras.optimizers.Adam(0.01), loss={"steps": StepCrossentropy()})
    losses = classifier.fit(clips, {"steps": labels}, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert np.any(np.asarray(classifier.encoder.weights[0]) != before)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"frame_shape": (2, 2, 1)},
            "whose sides multiply to feature_dim=3. Received: frame_shape=.2, 2, 1.",
        ),
        ({"convolution": {"patch_size": 1}}, "Expected frames .height, width, channels"),
        (
            {"frame_shape": (1, 1, 3), "convolution": {"patch_size": 1}, "drift_features": 2},
            "no slow or drift features",
        ),
    ],
)
def test_a_convolution_needs_frames_that_have_places(
    options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        ActionClassifier(FEATURES, CLASSES, units=[4], **options)


def test_a_config_of_before_there_were_convolutions_still_makes_a_classifier() -> None:
    config = ready().get_config()
    del config["frame_shape"], config["convolution"]
    assert ActionClassifier.from_config(config).frame_shape == (FEATURES,)


@pytest.mark.parametrize("units", [(), (6, 5)])
def test_other_classes_keep_the_encoder_and_drop_the_head(units: tuple[int, ...]) -> None:
    options = {"slow_features": 2, "drift_features": 2, "standardize_state": True}
    old = made_classifier(units, dropout=0.3, **options)
    old.standardizer.set_statistics(np.full(FEATURES, 0.5), np.full(FEATURES, 0.2))
    new = old.with_classes(["kick", "wave"])
    assert new.class_names == ["kick", "wave"]
    assert new.get_config() == {**old.get_config(), "class_names": ["kick", "wave"]}
    assert new.head.kernel.shape[-1] == 2
    assert not np.asarray(new.head.bias).any()
    kept, before = (
        [w for part in all_but_the_head(which) for w in part.get_weights()] for which in (new, old)
    )
    assert len(kept) == len(before) > 0
    for weight, source in zip(kept, before, strict=True):
        np.testing.assert_array_equal(weight, source)
    assert old.class_names == CLASSES


# --- Training ---


def toy_videos(clips: int = 24, time: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return clips that rise or fall: no single frame tells which."""
    rng = np.random.default_rng(seed)
    labels = np.arange(clips) % 2
    slopes = np.where(labels, 0.15, -0.15)[:, None, None]
    starts = rng.uniform(0, 1, (clips, 1, FEATURES))
    return (starts + slopes * np.arange(time)[:, None]).astype("float32"), labels


@functools.cache
def trained() -> tuple[ActionClassifier, dict[str, list[float]]]:
    keras.utils.set_random_seed(0)
    classifier = ActionClassifier(FEATURES, ["fall", "rise"], units=[8])
    classifier.compile(
        keras.optimizers.Adam(0.03),
        {"steps": StepCrossentropy(), "action": None},
        metrics={"action": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]},
    )
    clips, labels = toy_videos()
    targets = {"steps": labels, "action": labels}
    history = classifier.fit(clips, targets, epochs=40, batch_size=24, verbose=0)
    return classifier, history.history


def test_it_learns_what_only_time_tells() -> None:
    classifier, history = trained()
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    clips, labels = toy_videos(seed=1)
    guesses = classifier.predict(clips, verbose=0)["action"].argmax(-1)
    assert (guesses == labels).mean() > 0.9
    names = {classifier.label(classifier.classify(clips[i])) for i in np.flatnonzero(labels)}
    assert names == {"rise"}


def test_its_loss_counts_the_steps_that_are_not_padding() -> None:
    classifier, _ = trained()
    clips, labels = toy_videos(4)
    clips[1, 2:] = -1
    targets = {"steps": labels, "action": labels}
    measured = classifier.evaluate(clips, targets, verbose=0, return_dict=True)["loss"]
    nats = [
        -np.log(probabilities_by_hand(classifier, clip[: 2 if number == 1 else 4])[:, label])
        for number, (clip, label) in enumerate(zip(clips, labels, strict=True))
    ]
    assert measured == pytest.approx(np.concatenate(nats).mean(), rel=1e-4)


def test_dropout_acts_in_training_alone() -> None:
    clips = made_percepts(2, 5)
    plain, dropping = made_classifier(), made_classifier(dropout=0.5)
    np.testing.assert_array_equal(plain(clips)["steps"], dropping(clips)["steps"])
    difference = np.asarray(dropping(clips, training=True)["steps"]) - np.asarray(
        plain(clips)["steps"]
    )
    assert np.abs(difference).max() > 1e-3


def test_mixed_bfloat16_gives_float32_probabilities_near_the_exact_ones() -> None:
    clips = made_percepts(2, 5)
    low, exact = made_classifier(dtype="mixed_bfloat16"), made_classifier()
    for key, output in low(clips).items():
        assert keras.backend.standardize_dtype(output.dtype) == "float32"
        np.testing.assert_allclose(output, exact(clips)[key], atol=0.05)
    assert low.get_config()["dtype"] == "mixed_bfloat16"


def test_a_batch_of_videos_is_refused_and_so_are_impossible_blocks() -> None:
    with pytest.raises(InputError, match=r"one video \(time, 3\). Received: shape=\(2, 5, 3\)"):
        ready().classify(np.zeros((2, 5, 3)))
    for wrong in ({"stride": 0}, {"block_steps": 0}, {"block_steps": -3}, {"block_steps": 2.5}):
        (name, value), *_ = wrong.items()
        with pytest.raises(InputError, match=f"positive number of steps. Received: {name}={value}"):
            ready().classify(np.zeros((5, 3)), **wrong)


def test_percepts_are_standardised_in_float32_under_a_global_policy() -> None:
    exact = made_classifier(units=())
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = made_classifier(units=())
    finally:
        keras.config.set_dtype_policy("float32")
    percepts = 100 + 0.1 * np.random.default_rng(0).normal(size=(20, 3))
    for each in (exact, mixed):
        each.standardizer.set_statistics(np.full(3, 100.0), np.full(3, 0.1))
    np.testing.assert_allclose(mixed.classify(percepts), exact.classify(percepts), atol=1e-5)
