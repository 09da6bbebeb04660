import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.fused_adam import FusedAdam
from keras_videolstm.models import VARIANTS, VideoLSTM
from keras_videolstm.objectives import BernoulliNatsPerFrame, HalfSquaredErrorPerFrame
from tests.references import (
    decode_feedback,
    decode_forced,
    decode_unconditioned,
    decoder_weights,
    encode,
    encoder_weights,
    identity,
    randomize,
)

FEATURES, TIME, AHEAD = 3, 4, 2
KEYS = {
    "autoencoder": {"reconstruction"},
    "future_predictor": {"prediction"},
    "composite": {"reconstruction", "prediction"},
}
# What is fed to a decoder: the prediction, or in the autoencoder the reconstruction.
FED = {
    "conditional_autoencoder": "reconstruction",
    "conditional_future_predictor": "prediction",
    "conditional_composite": "prediction",
}
# Half of the variants have every kind of output, input and loss between them; the others, where
# graphs are compiled, only take time.
QUICK = ("future_predictor", "conditional_autoencoder", "conditional_composite")
COMPILED_VARIANTS = [
    pytest.param(variant, marks=() if variant in QUICK else pytest.mark.slow)
    for variant in VARIANTS
]
PREDICTING = [variant for variant in VARIANTS if "autoencoder" not in variant]
RECONSTRUCTING = [variant for variant in VARIANTS if "predictor" not in variant]


def keys_of(variant: str) -> set[str]:
    return KEYS[variant.removeprefix("conditional_")]


def made_model(variant: str = "composite", **options: Any) -> VideoLSTM:
    settings = {"units": [6, 5], "prediction_steps": AHEAD, "activation": "linear"}
    model = VideoLSTM(variant, (FEATURES,), **{**settings, **options})
    randomize(model, scale=0.4)
    return model


def with_slow_features() -> VideoLSTM:
    model = made_model(slow_features=2, standardize=True)
    rng = np.random.default_rng(2)
    model.set_statistics(np.full(FEATURES, 0.2), np.full(FEATURES, 0.5))
    model.slow.set_directions(*(rng.normal(size=weight.shape) for weight in model.slow.weights))
    return model


RATES = [1.0, 0.3, 0.0]


def with_traces(variant: str = "composite") -> VideoLSTM:
    model = made_model(variant, standardize=True, trace_rates=RATES)
    model.set_statistics(np.full(FEATURES, 0.2), np.full(FEATURES, 0.5))
    return model


def with_drift() -> VideoLSTM:
    model = made_model(slow_features=2, standardize=True, trace_rates=RATES[:2], drift_features=2)
    rng = np.random.default_rng(2)
    model.set_statistics(np.full(FEATURES, 0.2), np.full(FEATURES, 0.5))
    for layer in (model.slow, model.drift):
        layer.set_directions(*(rng.normal(size=weight.shape) for weight in layer.weights))
    return model


def ramps(clips: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return features that move at a constant velocity, and how they go on."""
    rng = np.random.default_rng(seed)
    start, velocity = (rng.uniform(-s, s, (clips, 1, FEATURES)) for s in (1, 0.2))
    whole = (start + velocity * np.arange(TIME + AHEAD)[:, None]).astype("float32")
    return whole[:, :TIME], whole[:, TIME:]


def data_for(variant: str, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return inputs and targets of a variant."""
    frames, future = ramps(**options)
    inputs = {"frames": frames}
    if FED.get(variant) == "prediction":
        inputs["future"] = future
    targets = {"reconstruction": frames, "prediction": future}
    return inputs, {key: targets[key] for key in keys_of(variant)}


@functools.cache
def ready(variant: str) -> VideoLSTM:
    """Return a model that several tests may read."""
    return made_model(variant)


@functools.cache
def trained(variant: str) -> tuple[VideoLSTM, dict[str, list[float]]]:
    keras.utils.set_random_seed(0)
    model = VideoLSTM(variant, (FEATURES,), units=[12], prediction_steps=AHEAD, activation="linear")
    model.compile(keras.optimizers.Adam(0.03), HalfSquaredErrorPerFrame())
    inputs, targets = data_for(variant)
    history = model.fit(inputs, targets, epochs=25, batch_size=16, verbose=0, shuffle=False)
    return model, history.history


def by_hand(model: VideoLSTM, frames: np.ndarray, steps: int = AHEAD) -> dict[str, np.ndarray]:
    """Return each key's free-running output, from the equations."""
    _, state = encode(encoder_weights(model.encoder), frames)
    outputs = {}
    for key, decoder in model.decoders.items():
        free = decode_feedback if decoder.conditional else decode_unconditioned
        number = frames.shape[1] if key == "reconstruction" else steps
        written = free(decoder_weights(decoder), state, number, identity)
        outputs[key] = written[:, ::-1] if key == "reconstruction" else written
    return outputs


def forced_by_hand(model: VideoLSTM, frames: np.ndarray, future: np.ndarray) -> np.ndarray:
    """Return the teacher-forced output of the decoder that is fed."""
    _, state = encode(encoder_weights(model.encoder), frames)
    weights = decoder_weights(model.decoders[model.conditional_key])
    if model.conditional_key == "prediction":
        return decode_forced(weights, state, future, identity)
    return decode_forced(weights, state, frames[:, ::-1], identity)[:, ::-1]


def half_squared(truth: np.ndarray, guess: np.ndarray) -> float:
    return float((0.5 * (truth.astype("float64") - guess) ** 2).sum(-1).mean())


# --- Outputs ---


def test_the_variants_are_the_six_of_the_paper() -> None:
    assert set(VARIANTS) == set(KEYS) | {f"conditional_{base}" for base in KEYS}


@pytest.mark.parametrize("variant", VARIANTS)
def test_outputs_are_exactly_the_variants_own_and_equal_the_equations(variant: str) -> None:
    model = made_model(variant)
    frames, _ = ramps(2)
    outputs = model({"frames": frames})
    assert set(outputs) == set(model.output_names) == set(model.decoders) == keys_of(variant)
    for key, expected in by_hand(model, frames).items():
        np.testing.assert_allclose(outputs[key], expected, atol=1e-5)
        assert keras.backend.standardize_dtype(outputs[key].dtype) == "float32"


@pytest.mark.parametrize("variant", FED)
def test_training_forces_the_decoder_that_is_fed_and_only_that(variant: str) -> None:
    model = made_model(variant)
    inputs, _ = data_for(variant, clips=2)
    frames, future = ramps(2)
    outputs = model(inputs, training=True)
    expected = by_hand(model, frames)
    expected[FED[variant]] = forced_by_hand(model, frames, future)
    for key in keys_of(variant):
        np.testing.assert_allclose(outputs[key], expected[key], atol=1e-5)
    free = model(inputs, training=False)[FED[variant]]
    assert np.abs(np.asarray(free) - expected[FED[variant]]).max() > 1e-3


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_the_decoder_that_is_fed_has_input_weights(variant: str) -> None:
    fed = {
        key
        for key, part in made_model(variant).decoders.items()
        if part.cells[0].kernel is not None
    }
    assert fed == ({FED[variant]} if variant in FED else set())


def test_encoder_and_decoders_share_no_weight() -> None:
    model = made_model("composite")
    parts = [model.encoder, *model.decoders.values()]
    assert sum(len(part.weights) for part in parts) == len(model.weights)


PARAMETERS = {
    "future_predictor": 142_667_776,
    "conditional_future_predictor": 176_222_208,
    "composite": 201_420_800,
    "conditional_composite": 234_975_232,
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", PARAMETERS)
def test_the_papers_size_has_the_papers_number_of_parameters(variant: str) -> None:
    cheap = {"recurrent_initializer": "zeros", "kernel_initializer": "zeros"}
    model = VideoLSTM(variant, (64, 64, 1), units=(2048, 2048), cell_arguments=cheap)
    assert model.count_params() == PARAMETERS[variant]
    keras.backend.clear_session()


# --- Training ---


@pytest.mark.parametrize("variant", COMPILED_VARIANTS)
def test_fit_learns_a_constant_velocity(variant: str) -> None:
    _, history = trained(variant)
    assert history["loss"][-1] < 0.4 * history["loss"][0]


@pytest.mark.parametrize("variant", COMPILED_VARIANTS)
def test_evaluate_names_each_loss_and_reports_free_and_forced_apart(variant: str) -> None:
    model, _ = trained(variant)
    inputs, targets = data_for(variant, clips=6, seed=1)
    frames, future = ramps(6, seed=1)
    results = model.evaluate(inputs, targets, verbose=0, return_dict=True)
    free = {key: half_squared(targets[key], by_hand(model, frames)[key]) for key in targets}
    expected = {f"{key}_loss": value for key, value in free.items()}
    expected["loss"] = sum(free.values())
    if variant in FED:
        key = FED[variant]
        forced = half_squared(targets[key], forced_by_hand(model, frames, future))
        expected[f"{key}_forced_loss"] = forced
        assert abs(forced - free[key]) > 1e-6
    assert set(results) == set(expected)
    for name, value in expected.items():
        assert results[name] == pytest.approx(value, rel=1e-4), name


@pytest.mark.parametrize("variant", ["conditional_autoencoder", "conditional_composite"])
def test_the_training_log_has_the_forced_loss_of_the_decoder_that_is_fed(variant: str) -> None:
    _, history = trained(variant)
    key = FED[variant]
    assert set(history) == {
        "loss",
        f"{key}_forced_loss",
        *(f"{k}_loss" for k in keys_of(variant)),
    }
    assert history[f"{key}_forced_loss"] == pytest.approx(history[f"{key}_loss"])


@pytest.mark.parametrize("variant", ["future_predictor", "conditional_composite"])
def test_a_short_last_batch_counts_by_its_clips(variant: str) -> None:
    model, _ = trained(variant)
    inputs, targets = data_for(variant, clips=5, seed=2)
    targets["prediction"] = targets["prediction"].copy()
    targets["prediction"][4] += 3
    whole = model.evaluate(inputs, targets, verbose=0, return_dict=True)
    batched = model.evaluate(inputs, targets, batch_size=4, verbose=0, return_dict=True)
    assert batched == pytest.approx(whole, rel=1e-4)


def test_a_loss_for_one_key_alone_is_reported_alone() -> None:
    model = made_model("composite")
    model.compile("sgd", {"prediction": HalfSquaredErrorPerFrame(), "reconstruction": None})
    results = model.evaluate(*data_for("composite", clips=2), verbose=0, return_dict=True)
    assert set(results) == {"loss", "prediction_loss"}
    assert results["loss"] == pytest.approx(results["prediction_loss"])


def test_pixels_are_scored_in_nats_per_frame() -> None:
    model = VideoLSTM("composite", (4, 4, 1), units=[5], prediction_steps=2)
    model.compile("sgd", BernoulliNatsPerFrame())
    rng = np.random.default_rng(0)
    frames, future = rng.random((2, 3, 4, 4, 1)), rng.random((2, 2, 4, 4, 1))
    targets = {"reconstruction": frames, "prediction": future}
    results = model.evaluate({"frames": frames}, targets, verbose=0, return_dict=True)
    for key, guess in model.predict({"frames": frames}, verbose=0).items():
        guess = guess.astype("float64")
        each = -(targets[key] * np.log(guess) + (1 - targets[key]) * np.log(1 - guess))
        assert results[f"{key}_loss"] == pytest.approx(each.sum((2, 3, 4)).mean(), rel=1e-4)


def test_training_by_teacher_forcing_needs_the_future() -> None:
    model = made_model("conditional_composite")
    with pytest.raises(ValueError, match="'frames' and 'future'"):
        model({"frames": ramps(2)[0]}, training=True)


# --- Verbs ---


@pytest.mark.parametrize("variant", COMPILED_VARIANTS)
def test_verbs_equal_the_equations_for_a_batch_and_for_one_clip(variant: str) -> None:
    model = ready(variant)
    frames, _ = ramps(2, seed=3)
    sequence, _ = encode(encoder_weights(model.encoder), frames)
    results = {
        "encode": (model.encode(frames), model.encode(frames[0]), sequence[:, -1]),
    }
    expected = by_hand(model, frames, steps=3)
    if "reconstruction" in keys_of(variant):
        one = model.reconstruct(frames[0])
        results["reconstruct"] = model.reconstruct(frames), one, expected["reconstruction"]
    if "prediction" in keys_of(variant):
        one = model.forecast(frames[0], 3)
        results["forecast"] = model.forecast(frames, 3), one, expected["prediction"]
    for name, (batch, single, reference) in results.items():
        assert isinstance(batch, np.ndarray), name
        assert batch.dtype == np.float32, name
        assert single.shape == reference.shape[1:], name
        np.testing.assert_allclose(batch, reference, atol=1e-5)
        np.testing.assert_allclose(single, reference[0], atol=1e-5)


def test_encode_gives_every_step_if_asked() -> None:
    model = ready("conditional_composite")
    frames, _ = ramps(2)
    steps = model.encode(frames, every_step=True)
    assert steps.shape == (2, TIME, 5)
    np.testing.assert_allclose(steps[:, -1], model.encode(frames), atol=1e-6)
    assert model.encode(frames[0], every_step=True).shape == (TIME, 5)


def test_one_model_reads_clips_of_any_length() -> None:
    model = ready("conditional_composite")
    for time in (1, 3, 70):
        clip = np.random.default_rng(time).normal(size=(2, time, FEATURES))
        sequence, _ = encode(encoder_weights(model.encoder), clip)
        np.testing.assert_allclose(model.encode(clip), sequence[:, -1], atol=1e-5)
        reconstruction = by_hand(model, clip)["reconstruction"]
        np.testing.assert_allclose(model.reconstruct(clip), reconstruction, atol=1e-4)


@pytest.mark.parametrize("variant", COMPILED_VARIANTS[2::3])
def test_a_near_forecast_is_the_beginning_of_a_far_one(variant: str) -> None:
    model = ready(variant)
    frames, _ = ramps(2)
    far = model.forecast(frames, 100)
    assert far.shape == (2, 100, FEATURES)
    for steps in (AHEAD, 10):
        np.testing.assert_allclose(model.forecast(frames, steps), far[:, :steps], atol=1e-5)
    np.testing.assert_array_equal(model.forecast(frames), model.forecast(frames, AHEAD))


def test_pixels_come_back_as_pixels_and_bytes_are_scaled() -> None:
    model = VideoLSTM("composite", (4, 4, 1), units=[5], prediction_steps=2)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 4, 1), "uint8")
    for frames in (model.reconstruct(pixels), model.forecast(pixels, 4)):
        assert frames.min() >= 0
        assert frames.max() <= 1
    np.testing.assert_array_equal(model.encode(pixels), model.encode(pixels / 255))
    np.testing.assert_array_equal(model.encode(pixels), model.encode(pixels[..., 0]))
    np.testing.assert_allclose(model.encode(pixels[0, ..., 0]), model.encode(pixels)[0], atol=1e-6)


# --- Standardised features ---


@pytest.mark.slow
def test_training_and_evaluation_scale_bytes_in_the_graph() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 2, 2, 1)).astype("uint8")
    results = []
    for clips in (pixels, pixels.astype("float32") / 255):
        keras.utils.set_random_seed(0)
        model = VideoLSTM("conditional_composite", (2, 2, 1), units=[4], prediction_steps=AHEAD)
        model.compile("adam", BernoulliNatsPerFrame())
        inputs = {"frames": clips[:, :4], "future": clips[:, 4:]}
        targets = {"reconstruction": clips[:, :4], "prediction": clips[:, 4:]}
        history = model.fit(inputs, targets, verbose=0, shuffle=False).history
        evaluated = model.evaluate(inputs, targets, verbose=0, return_dict=True)
        results.append([history["loss"][0], *(evaluated[name] for name in sorted(evaluated))])
    assert len(results[0]) == 5
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)


@pytest.mark.parametrize(
    ("variant", "standardize"),
    [
        pytest.param("composite", True, marks=pytest.mark.slow),
        ("conditional_composite", True),
        ("conditional_composite", "root"),
    ],
)
def test_features_come_back_in_their_own_units_and_losses_in_standard_deviations(
    variant: str, standardize: bool | str
) -> None:
    roots = standardize == "root"
    mean, deviation = np.array([10.0, -5.0, 0.0]), np.array([2.0, 0.1, 30.0])
    model = made_model(variant, standardize=standardize, units=[5])
    model.set_statistics(mean, deviation)
    if roots:
        deviation = np.sqrt(np.mean(deviation**2))

    def to_raw(standard: np.ndarray) -> np.ndarray:
        frames = standard * deviation + mean
        return np.sign(frames) * frames**2 if roots else frames

    def to_standard(raw: np.ndarray) -> np.ndarray:
        frames = np.sign(raw) * np.sqrt(np.abs(raw)) if roots else raw
        return (frames - mean) / deviation

    inputs, targets = data_for(variant, clips=3)
    raw_inputs, raw_targets = (
        {key: to_raw(part) for key, part in parts.items()} for parts in (inputs, targets)
    )
    raw, standard = raw_inputs["frames"], inputs["frames"]
    expected = by_hand(model, standard, steps=AHEAD)
    tolerance = {"rtol": 1e-4, "atol": 1e-4}
    for verb, key in (("reconstruct", "reconstruction"), ("forecast", "prediction")):
        frames = getattr(model, verb)(raw)
        np.testing.assert_allclose(to_standard(frames), expected[key], **tolerance)
    stream = model.stream()
    stream.push(raw[0])
    frames = to_standard(stream.forecast())
    np.testing.assert_allclose(frames, expected["prediction"][0], **tolerance)
    model.compile("sgd", HalfSquaredErrorPerFrame(), metrics={"prediction": ["mae"]})
    measured = model.evaluate(raw_inputs, raw_targets, verbose=0, return_dict=True)
    free = {key: half_squared(targets[key], expected[key]) for key in targets}
    assert measured["prediction_loss"] == pytest.approx(free["prediction"], rel=1e-3)
    assert measured["reconstruction_loss"] == pytest.approx(free["reconstruction"], rel=1e-3)
    mae = np.abs(targets["prediction"] - expected["prediction"]).mean()
    assert measured["prediction_mae"] == pytest.approx(mae, rel=1e-3)
    if variant in FED:
        forced = half_squared(
            targets["prediction"], forced_by_hand(model, standard, inputs["future"])
        )
        assert measured["prediction_forced_loss"] == pytest.approx(forced, rel=1e-3)


def test_statistics_need_a_model_that_standardises() -> None:
    with pytest.raises(InputError, match="standardize=True"):
        made_model().set_statistics(np.zeros(FEATURES), np.ones(FEATURES))


# --- Slow features ---


def test_the_encoder_reads_slow_features_and_the_decoders_write_frames() -> None:
    model = with_slow_features()
    clip = ramps(2)[0]
    read = model.slow(model.standardizer(clip))
    sequence, state = encode(encoder_weights(model.encoder), np.asarray(read))
    np.testing.assert_allclose(model.encode(clip, every_step=True), sequence, atol=1e-5)
    rebuilt = decode_unconditioned(
        decoder_weights(model.decoders["prediction"]), state, 6, identity
    )
    np.testing.assert_allclose(model.forecast(clip, 6), rebuilt * 0.5 + 0.2, atol=1e-5)
    again = VideoLSTM.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.encode(clip), model.encode(clip))


def test_slow_features_of_images_are_an_error() -> None:
    with pytest.raises(ValueError, match="slow features of frames that are vectors"):
        VideoLSTM("composite", (4, 4, 1), units=[4], slow_features=2)


# --- Traces ---


@pytest.mark.parametrize("variant", ["composite", "conditional_composite"])
def test_decoders_write_from_traces_of_the_standardised_frames_read(variant: str) -> None:
    model = with_traces(variant)
    clip = ramps(2)[0]
    seen = (clip - 0.2) / 0.5
    _, state = encode(encoder_weights(model.encoder), seen)
    age = TIME - 1 - np.arange(TIME)
    shares = (1 - np.array(RATES)[:, None]) ** age
    state = [*state, (shares @ seen, np.tile(shares.sum(axis=1), (2, 1)))]
    write = decode_feedback if variant in FED else decode_unconditioned
    future = write(decoder_weights(model.decoders["prediction"]), state, 6, identity)
    np.testing.assert_allclose(model.forecast(clip, 6), future * 0.5 + 0.2, atol=1e-5)
    rebuilt = decode_unconditioned(
        decoder_weights(model.decoders["reconstruction"]), state, TIME, identity
    )[:, ::-1]
    np.testing.assert_allclose(model.reconstruct(clip), rebuilt * 0.5 + 0.2, atol=1e-5)


def test_an_untrained_model_forecasts_the_mean_of_its_traces() -> None:
    model = VideoLSTM(
        "composite", (FEATURES,), units=[4], activation="linear", trace_rates=[1.0, 0.0]
    )
    model.decoders["prediction"].head.kernel.assign(np.zeros((4, FEATURES)))
    clip = ramps(2)[0]
    expected = (clip[:, -1] + clip.mean(axis=1)) / 2
    for frame in np.moveaxis(model.forecast(clip, 30), 1, 0):
        np.testing.assert_allclose(frame, expected, atol=1e-6)


def test_traces_of_pixels_are_an_error() -> None:
    for shape, activation in (((4, 4, 1), "linear"), ((FEATURES,), "sigmoid")):
        with pytest.raises(ValueError, match="traces of vectors of linear features"):
            VideoLSTM("composite", shape, units=[4], activation=activation, trace_rates=[1.0])


# --- Drift ---


def test_the_encoder_reads_how_frames_drift_beside_their_slow_features() -> None:
    model = with_drift()
    assert model.drift.rate == min(model.trace_rates)
    clip = ramps(2)[0]
    seen = model.standardizer(clip)
    read = np.concatenate([model.slow(seen), model.drift(seen)], axis=-1)
    sequence, _ = encode(encoder_weights(model.encoder), read)
    np.testing.assert_allclose(model.encode(clip, every_step=True), sequence, atol=1e-5)
    again = VideoLSTM.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.encode(clip), model.encode(clip))


def test_drift_without_traces_is_an_error() -> None:
    with pytest.raises(ValueError, match="trace_rates, from whose lowest trace frames drift"):
        VideoLSTM("composite", (FEATURES,), units=[4], activation="linear", drift_features=2)


# --- A stream ---


@pytest.mark.parametrize("variant", COMPILED_VARIANTS[2::3])
def test_a_stream_equals_the_whole_clip_frame_by_frame_and_in_chunks(variant: str) -> None:
    model = ready(variant)
    clip = ramps(1, seed=4)[0][0]
    features = model.encode(clip, every_step=True)
    future = model.forecast(clip, 6)
    stream = model.stream()
    one_by_one = np.stack([stream.push(frame) for frame in clip])
    np.testing.assert_allclose(one_by_one, features, atol=1e-5)
    np.testing.assert_allclose(stream.forecast(6), future, atol=1e-5)
    np.testing.assert_allclose(stream.forecast(6), future, atol=1e-5)
    assert stream.forecast().shape == (AHEAD, FEATURES)
    stream.reset()
    chunks = [stream.push(clip[:1]), stream.push(clip[1:])]
    np.testing.assert_allclose(np.concatenate(chunks), features, atol=1e-5)
    np.testing.assert_allclose(stream.forecast(6), future, atol=1e-5)


@pytest.mark.parametrize("made", [with_slow_features, with_traces, with_drift])
def test_a_stream_carries_all_that_a_model_has_read(made: Callable[[], VideoLSTM]) -> None:
    model = made()
    clip = ramps(1, seed=4)[0][0]
    features, future = model.encode(clip, every_step=True), model.forecast(clip, 6)
    stream = model.stream()
    for _ in range(2):
        one_by_one = np.stack([stream.push(frame) for frame in clip])
        np.testing.assert_allclose(one_by_one, features, atol=1e-5)
        np.testing.assert_allclose(stream.forecast(6), future, atol=1e-5)
        stream.reset()
    chunks = [stream.push(clip[:1]), stream.push(clip[1:])]
    np.testing.assert_allclose(np.concatenate(chunks), features, atol=1e-5)
    np.testing.assert_allclose(stream.forecast(6), future, atol=1e-5)


def test_two_streams_of_one_model_do_not_meet() -> None:
    model = ready("conditional_composite")
    clip = ramps(1)[0][0]
    one, other = model.stream(), model.stream()
    one.push(clip)
    whole = model.encode(clip, every_step=True)
    np.testing.assert_allclose(other.push(clip), whole, atol=1e-5)


def test_a_stream_of_pixels_takes_bytes_with_or_without_the_channel_axis() -> None:
    stream = VideoLSTM("composite", (4, 4, 1), units=[5]).stream()
    frame = np.full((4, 4, 1), 51, "uint8")
    first = stream.push(frame)
    for same in (frame[..., 0], frame / 255, frame[..., 0] / 255):
        stream.reset()
        np.testing.assert_allclose(stream.push(same), first, atol=1e-6)


def test_wrong_use_of_a_stream_is_one_clear_error() -> None:
    stream = made_model("composite").stream()
    with pytest.raises(InputError, match="at least one frame"):
        stream.forecast(3)
    for wrong in (np.zeros(FEATURES + 1), np.full(FEATURES, np.nan), np.zeros((2, 3, FEATURES))):
        with pytest.raises(InputError, match="Expected"):
            stream.push(wrong)
    stream.push(np.zeros(FEATURES))
    with pytest.raises(InputError, match="positive number of steps"):
        stream.forecast(0)
    autoencoder = made_model("autoencoder").stream()
    autoencoder.push(np.zeros(FEATURES))
    with pytest.raises(InputError, match="a variant with a prediction"):
        autoencoder.forecast(3)


# --- Errors ---


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.full((2, TIME, FEATURES), np.nan), "finite numbers"),
        (np.full((2, TIME, FEATURES), np.inf), "finite numbers"),
        (np.full((2, TIME, FEATURES), 1e300), "finite numbers"),
        (np.full((2, TIME, FEATURES), 1j), "real numbers"),
        (np.zeros((2, TIME, FEATURES + 1)), r"Received: shape=\(2, 4, 4\)"),
        (np.zeros((2, 2, TIME, FEATURES)), "Received: shape"),
        (np.zeros(FEATURES), "Received: shape"),
        (np.zeros((0, TIME, FEATURES)), "at least one"),
        (np.zeros((2, 0, FEATURES)), "at least one"),
        ("a file name", "Received: shape"),
        (None, "Received: shape"),
        (np.full((TIME, FEATURES), "x"), "finite numbers"),
    ],
)
def test_unusable_frames_are_one_clear_error(frames: Any, message: str) -> None:
    model = ready("composite")
    for verb in (model.encode, model.reconstruct, model.forecast):
        with pytest.raises(InputError, match=message):
            verb(frames)


@pytest.mark.parametrize("value", [-0.1, 1.1, 255.0])
def test_pixels_outside_their_range_are_an_error_that_says_what_came(value: float) -> None:
    model = VideoLSTM("composite", (2, 2, 1), units=[4])
    with pytest.raises(InputError, match=r"pixels in \[0, 1\]"):
        model.encode(np.full((1, 3, 2, 2, 1), value))


@pytest.mark.parametrize("steps", [0, -1, 2.5, True, "3"])
def test_steps_must_be_a_positive_integer(steps: Any) -> None:
    with pytest.raises(InputError, match="positive number of steps"):
        ready("composite").forecast(np.zeros((TIME, FEATURES)), steps)


@pytest.mark.parametrize(
    ("variant", "verb"),
    [(v, "forecast") for v in VARIANTS if v not in PREDICTING]
    + [(v, "reconstruct") for v in VARIANTS if v not in RECONSTRUCTING],
)
def test_a_verb_that_a_variant_lacks_is_one_clear_error(variant: str, verb: str) -> None:
    with pytest.raises(InputError, match=f"Received: '{variant}'"):
        getattr(ready(variant), verb)(np.zeros((TIME, FEATURES)))


def test_an_unknown_variant_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"conditional_composite.*'vae'"):
        VideoLSTM("vae", (3,), units=[4])


@pytest.mark.parametrize("steps", [0, -2, 1.5])
def test_prediction_steps_must_be_a_positive_integer(steps: Any) -> None:
    with pytest.raises(ValueError, match="at least one step"):
        VideoLSTM("composite", (3,), units=[4], prediction_steps=steps)


# --- Precision ---


def test_mixed_bfloat16_keeps_outputs_in_float32_and_stays_near() -> None:
    low, exact = made_model(dtype="mixed_bfloat16"), made_model()
    frames, _ = ramps(2)
    outputs, expected = low({"frames": frames}), exact({"frames": frames})
    for key, output in outputs.items():
        assert keras.backend.standardize_dtype(output.dtype) == "float32"
        difference = np.abs(np.asarray(output) - np.asarray(expected[key])).max()
        assert 0 < difference < 0.1
    assert low.get_config()["dtype"] == "mixed_bfloat16"


@pytest.mark.slow
def test_in_bfloat16_the_loss_falls_as_it_does_in_float32() -> None:
    falls = {}
    for dtype in ("float32", "mixed_bfloat16"):
        keras.utils.set_random_seed(0)
        model = VideoLSTM(
            "conditional_composite",
            (FEATURES,),
            units=[12],
            prediction_steps=AHEAD,
            activation="linear",
            dtype=dtype,
        )
        model.compile(keras.optimizers.Adam(0.03), HalfSquaredErrorPerFrame())
        inputs, targets = data_for("conditional_composite")
        history = model.fit(inputs, targets, epochs=25, batch_size=16, verbose=0, shuffle=False)
        falls[dtype] = np.array(history.history["loss"])
    assert falls["float32"][-1] < 0.5 * falls["float32"][0]
    assert not np.array_equal(falls["float32"], falls["mixed_bfloat16"])
    np.testing.assert_allclose(falls["mixed_bfloat16"], falls["float32"], rtol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_training_step_compiled_by_xla_gives_the_same_losses(dtype: str) -> None:
    losses = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(0)
        model = made_model("conditional_composite", units=[5], dtype=dtype)
        optimizer = FusedAdam(0.01, global_clipnorm=1.0)
        model.compile(optimizer, HalfSquaredErrorPerFrame(), jit_compile=jit_compile)
        model.decoders["prediction"].set_sampling_rate(0.0)
        inputs, targets = data_for("conditional_composite")
        history = model.fit(inputs, targets, epochs=3, batch_size=16, verbose=0, shuffle=False)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4 if dtype == "float32" else 2e-2)
