from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_videolstm.layers import ConditionalDecoder
from tests.references import (
    decode_feedback,
    decode_forced,
    decode_unconditioned,
    decoder_weights,
    identity,
    logistic,
    randomize,
)

BATCH, STEPS, FEATURES = 2, 6, 3
UNITS = [5, 4]
ACTIVATIONS = {"sigmoid": logistic, "linear": identity}


def made_decoder(frame_shape: tuple[int, ...] = (FEATURES,), **options: Any) -> ConditionalDecoder:
    decoder = ConditionalDecoder(UNITS, frame_shape, **{"dtype": "float64", **options})
    decoder.build()
    randomize(decoder)
    return decoder


def made_state(seed: int = 1) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(BATCH, n)), rng.normal(size=(BATCH, n))) for n in UNITS]


def made_truth(steps: int = STEPS, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).random((BATCH, steps, FEATURES))


def made_trace(traces: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(BATCH, traces, FEATURES)), rng.uniform(1, 9, (BATCH, traces))


# --- The three paths ---


@pytest.mark.parametrize("steps", [1, STEPS, 100])
@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_unconditioned_equals_the_equations(activation: str, steps: int) -> None:
    decoder = made_decoder(activation=activation)
    expected = decode_unconditioned(
        decoder_weights(decoder), made_state(), steps, ACTIVATIONS[activation]
    )
    np.testing.assert_allclose(decoder(made_state(), steps=steps), expected, atol=1e-10)


@pytest.mark.parametrize("steps", [1, STEPS, 100])
@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_teacher_forcing_equals_the_equations(activation: str, steps: int) -> None:
    decoder = made_decoder(activation=activation, conditional=True)
    truth = made_truth(steps)
    expected = decode_forced(decoder_weights(decoder), made_state(), truth, ACTIVATIONS[activation])
    frames = decoder(made_state(), truth=truth, training=True)
    np.testing.assert_allclose(frames, expected, atol=1e-10)


@pytest.mark.parametrize("steps", [1, STEPS, 100])
@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_feedback_equals_the_equations(activation: str, steps: int) -> None:
    decoder = made_decoder(activation=activation, conditional=True)
    expected = decode_feedback(
        decoder_weights(decoder), made_state(), steps, ACTIVATIONS[activation]
    )
    np.testing.assert_allclose(decoder(made_state(), steps=steps), expected, atol=1e-9)


@pytest.mark.parametrize("options", [{}, {"training": True}, {"feedback": False}])
@pytest.mark.parametrize("conditional", [False, True])
def test_float32_stays_within_rounding(conditional: bool, options: dict[str, Any]) -> None:
    decoder = made_decoder(dtype="float32", conditional=conditional)
    truth = made_truth()
    weights = decoder_weights(decoder)
    if not conditional:
        expected = decode_unconditioned(weights, made_state(), STEPS)
    elif options:
        expected = decode_forced(weights, made_state(), truth)
    else:
        expected = decode_feedback(weights, made_state(), STEPS)
    frames = decoder(made_state(), truth=truth.astype("float32"), **options)
    assert keras.backend.standardize_dtype(frames.dtype) == "float32"
    np.testing.assert_allclose(frames, expected, atol=1e-5)


def test_training_forces_and_anything_else_feeds_back_unless_told() -> None:
    decoder = made_decoder(conditional=True)
    state, truth = made_state(), made_truth()
    forced = decoder(state, truth=truth, feedback=False)
    own = decoder(state, truth=truth, feedback=True)
    assert np.abs(np.asarray(forced) - np.asarray(own)).max() > 1e-3
    np.testing.assert_array_equal(decoder(state, truth=truth, training=True), forced)
    np.testing.assert_array_equal(decoder(state, truth=truth, training=False), own)
    np.testing.assert_array_equal(decoder(state, truth=truth), own)
    both = decoder(state, truth=truth, training=True, feedback=True)
    np.testing.assert_allclose(both, own, atol=1e-12)


@pytest.mark.parametrize("steps", [1, STEPS, pytest.param(100, marks=pytest.mark.slow)])
def test_all_paths_write_from_traces(steps: int) -> None:
    state, truth = [*made_state(), made_trace(2)], made_truth(steps)
    decoder = made_decoder(activation="linear", traces=2)
    expected = decode_unconditioned(decoder_weights(decoder), state, steps, identity)
    np.testing.assert_allclose(decoder(state, steps=steps), expected, atol=1e-10)
    decoder = made_decoder(activation="linear", traces=2, conditional=True)
    expected = decode_forced(decoder_weights(decoder), state, truth, identity)
    np.testing.assert_allclose(decoder(state, truth=truth, feedback=False), expected, atol=1e-10)
    expected = decode_feedback(decoder_weights(decoder), state, steps, identity)
    for training in (False, True):
        frames = decoder(state, truth=truth, feedback=True, training=training)
        np.testing.assert_allclose(frames, expected, rtol=1e-8, atol=1e-8)


def test_a_state_without_its_traces_is_an_error() -> None:
    decoder = made_decoder(activation="linear", traces=2)
    for state in (made_state(), [*made_state(), made_trace(3)]):
        with pytest.raises(ValueError, match=r"traces \(2, 3\) behind the layers' state"):
            decoder(state, steps=2)


# --- What a step sees ---


def test_the_first_step_sees_no_frame() -> None:
    decoder = made_decoder(conditional=True)
    state = made_state()
    first = decode_unconditioned(decoder_weights(decoder), state, 1)[:, 0]
    for options in ({"feedback": True}, {"feedback": False}):
        frames = decoder(state, truth=made_truth(), **options)
        np.testing.assert_allclose(frames[:, 0], first, atol=1e-12)


@pytest.mark.parametrize("t", [0, 2, STEPS - 1])
def test_a_forced_step_sees_the_truth_before_it_and_no_later_one(t: int) -> None:
    decoder = made_decoder(conditional=True)
    truth = made_truth()
    other = truth.copy()
    other[:, t] += 0.5
    before, after = (
        np.asarray(decoder(made_state(), truth=frames, feedback=False)) for frames in (truth, other)
    )
    changed = np.abs(before - after).max(axis=(0, 2)) > 0
    np.testing.assert_array_equal(changed, np.arange(STEPS) > t)


@pytest.mark.parametrize("t", [0, 2, STEPS - 1])
def test_in_reverse_a_forced_step_sees_the_truth_that_follows_it(t: int) -> None:
    decoder = made_decoder(conditional=True, reverse_time=True)
    truth = made_truth()
    other = truth.copy()
    other[:, t] += 0.5
    before, after = (
        np.asarray(decoder(made_state(), truth=frames, feedback=False)) for frames in (truth, other)
    )
    changed = np.abs(before - after).max(axis=(0, 2)) > 0
    np.testing.assert_array_equal(changed, np.arange(STEPS) < t)


def test_feedback_ignores_the_truth_but_for_its_length() -> None:
    decoder = made_decoder(conditional=True)
    frames = decoder(made_state(), truth=made_truth())
    np.testing.assert_array_equal(frames, decoder(made_state(), truth=np.zeros((BATCH, STEPS, 1))))


@pytest.mark.parametrize("training", [False, True])
def test_unconditioned_ignores_the_truth_but_for_its_length(training: bool) -> None:
    decoder = made_decoder()
    one = decoder(made_state(), truth=made_truth(), training=training)
    other = decoder(made_state(), truth=made_truth(seed=7), training=training)
    assert one.shape == (BATCH, STEPS, FEATURES)
    np.testing.assert_array_equal(one, other)
    assert decoder.cells[0].kernel is None


def test_each_layer_starts_from_its_own_state() -> None:
    decoder = made_decoder()
    whole = np.asarray(decoder(made_state(), steps=1))
    for layer in range(len(UNITS)):
        for part in range(2):
            state = [list(pair) for pair in made_state()]
            state[layer][part] = np.zeros_like(state[layer][part])
            assert np.abs(np.asarray(decoder(state, steps=1)) - whole).max() > 1e-4


# --- Time ---


@pytest.mark.parametrize("conditional", [False, True])
def test_any_horizon_begins_as_the_shorter_ones_do(conditional: bool) -> None:
    decoder = made_decoder(conditional=conditional)
    far = np.asarray(decoder(made_state(), steps=100))
    assert far.shape == (BATCH, 100, FEATURES)
    for steps in (1, 10, 64, 65):
        near = decoder(made_state(), steps=steps)
        np.testing.assert_allclose(near, far[:, :steps], atol=1e-12)


@pytest.mark.parametrize("path", ["unconditioned", "forced", "feedback"])
def test_reverse_time_writes_the_last_frame_first_and_gives_forward_order(path: str) -> None:
    decoder = made_decoder(conditional=path != "unconditioned", reverse_time=True)
    weights, truth = decoder_weights(decoder), made_truth()
    backwards = {
        "unconditioned": lambda: decode_unconditioned(weights, made_state(), STEPS),
        "forced": lambda: decode_forced(weights, made_state(), truth[:, ::-1]),
        "feedback": lambda: decode_feedback(weights, made_state(), STEPS),
    }[path]()
    frames = decoder(made_state(), truth=truth, feedback=path == "feedback")
    np.testing.assert_allclose(frames, backwards[:, ::-1], atol=1e-10)


def test_steps_is_an_argument_before_truth_before_the_default() -> None:
    decoder = made_decoder(steps=3)
    assert decoder(made_state()).shape[1] == 3
    assert decoder(made_state(), truth=made_truth()).shape[1] == STEPS
    assert decoder(made_state(), truth=made_truth(), steps=8).shape[1] == 8


@pytest.mark.parametrize("feedback", [True, False])
def test_a_length_known_only_at_run_time(feedback: bool) -> None:
    decoder = made_decoder(conditional=True)
    state = [tuple(map(tf.constant, pair)) for pair in made_state()]
    run = tf.function(
        lambda truth: decoder(state, truth=truth, feedback=feedback),
        input_signature=[tf.TensorSpec((None, None, FEATURES), tf.float64)],
    )
    for steps in (2, STEPS, 70):
        truth = made_truth(steps)
        expected = decoder(made_state(), truth=truth, feedback=feedback)
        np.testing.assert_allclose(run(truth), expected, atol=1e-10)


# --- Gradients ---


def gradients(
    decoder: ConditionalDecoder, truth: np.ndarray, feedback: bool, training: bool = False
) -> list[np.ndarray]:
    """Return gradients of all weights and of the state."""
    state = [tuple(map(tf.constant, pair)) for pair in made_state()]
    sources = [w.value for w in decoder.trainable_weights] + [p for pair in state for p in pair]
    weighting = np.random.default_rng(4).normal(size=truth.shape)
    with tf.GradientTape() as tape:
        tape.watch(sources)
        frames = decoder(state, truth=truth, feedback=feedback, training=training)
        loss = tf.reduce_sum(frames * weighting)
    return [np.asarray(g) for g in tape.gradient(loss, sources)]


@pytest.mark.parametrize("steps", [STEPS, pytest.param(70, marks=pytest.mark.slow)])
def test_no_gradient_flows_through_a_frame_that_is_fed_back(steps: int) -> None:
    """Its gradients are those of teacher forcing by the very same frames, held constant."""
    decoder = made_decoder(conditional=True)
    own = np.asarray(decoder(made_state(), steps=steps))
    through_feedback = gradients(decoder, own, True)
    through_forcing = gradients(decoder, own, False)
    assert len(through_feedback) == 4 + 4 + 2 + 4
    for one, other in zip(through_feedback, through_forcing, strict=True):
        assert np.abs(other).max() > 0
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("steps", [STEPS, pytest.param(70, marks=pytest.mark.slow)])
def test_feedback_in_training_has_the_gradients_of_one_pass(steps: int) -> None:
    """In training frames are written first and then run through again; nothing else changes."""
    decoder = made_decoder(conditional=True, reverse_time=True)
    truth = made_truth(steps)
    once, twice = (gradients(decoder, truth, True, training) for training in (False, True))
    for one, other in zip(once, twice, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


# --- Scheduled sampling ---


@pytest.mark.parametrize("reverse_time", [False, True])
def test_the_ends_of_scheduled_sampling_are_forcing_and_feedback(reverse_time: bool) -> None:
    decoder = made_decoder(conditional=True, reverse_time=reverse_time)
    state, truth = made_state(), made_truth()
    forced, own = (decoder(state, truth=truth, feedback=fed) for fed in (False, True))
    for rate, expected in ((0.0, forced), (1.0, own)):
        decoder.set_sampling_rate(rate)
        sampled = decoder(state, truth=truth, training=True)
        np.testing.assert_allclose(sampled, expected, atol=1e-12)


def test_a_sampled_step_sees_its_own_frame_or_the_true_one_at_the_rate_that_was_set() -> None:
    decoder = made_decoder(conditional=True)
    batch, steps = 400, 2
    state = [tuple(np.repeat(part[:1], batch, axis=0) for part in pair) for pair in made_state()]
    truth = np.repeat(made_truth(steps)[:1], batch, axis=0)
    forced, own = (np.asarray(decoder(state, truth=truth, feedback=f))[0, 1] for f in (False, True))
    decoder.set_sampling_rate(0.25)
    second = np.asarray(decoder(state, truth=truth, training=True))[:, 1]
    is_own = np.abs(second - own).max(axis=1) < 1e-9
    is_forced = np.abs(second - forced).max(axis=1) < 1e-9
    assert (is_own ^ is_forced).all()
    assert 0.15 < is_own.mean() < 0.35
    evaluated = decoder(state, truth=truth, training=False)
    np.testing.assert_allclose(np.asarray(evaluated)[:, 1], np.tile(own, (batch, 1)), atol=1e-12)


def test_the_rate_changes_without_a_new_graph_and_is_no_weight() -> None:
    decoder = made_decoder(conditional=True)
    weights = len(decoder.weights)
    decoder.set_sampling_rate(0.0)
    assert len(decoder.weights) == weights
    traces = []

    @tf.function
    def run() -> tf.Tensor:
        traces.append(1)
        return decoder(made_state(), truth=made_truth(), training=True)

    forced = np.asarray(run())
    decoder.set_sampling_rate(1.0)
    assert np.abs(np.asarray(run()) - forced).max() > 1e-3
    assert len(traces) == 1


@pytest.mark.parametrize(("conditional", "rate"), [(False, 0.5), (True, -0.1), (True, 1.1)])
def test_a_sampling_rate_is_a_probability_of_a_conditional_decoder(
    conditional: bool, rate: float
) -> None:
    with pytest.raises(ValueError, match="rate from 0 to 1"):
        made_decoder(conditional=conditional).set_sampling_rate(rate)


# --- Shapes, precision, errors ---


@pytest.mark.parametrize("conditional", [False, True])
def test_images_come_out_in_their_shape(conditional: bool) -> None:
    decoder = made_decoder((2, 3, 1), conditional=conditional)
    truth = np.random.default_rng(0).random((BATCH, STEPS, 2, 3, 1))
    frames = decoder(made_state(), truth=truth, training=True)
    flat = made_decoder((6,), conditional=conditional)
    expected = flat(made_state(), truth=truth.reshape(BATCH, STEPS, 6), training=True)
    np.testing.assert_array_equal(frames, np.reshape(expected, (BATCH, STEPS, 2, 3, 1)))


def test_symbolic_shapes_equal_the_real_ones() -> None:
    decoder = made_decoder((2, 3, 1), steps=4, conditional=True, dtype="mixed_bfloat16")
    state = [tuple(keras.KerasTensor((BATCH, n)) for _ in range(2)) for n in UNITS]
    real_state = [tuple(ops.cast(p, "float32") for p in pair) for pair in made_state()]
    for options in ({}, {"steps": 7}):
        real, symbolic = decoder(real_state, **options), decoder(state, **options)
        assert tuple(real.shape) == symbolic.shape
        assert keras.backend.standardize_dtype(real.dtype) == symbolic.dtype == "float32"
    unknown = decoder(state, truth=keras.KerasTensor((None, None, 2, 3, 1)))
    assert unknown.shape == (BATCH, None, 2, 3, 1)


@pytest.mark.parametrize("feedback", [True, False])
def test_mixed_bfloat16_gives_float32_frames_from_a_float32_head(feedback: bool) -> None:
    low = made_decoder(conditional=True, dtype="mixed_bfloat16")
    exact = made_decoder(conditional=True, dtype="float32")
    truth = made_truth().astype("float32")
    frames = low(made_state(), truth=truth, feedback=feedback)
    expected = np.asarray(exact(made_state(), truth=truth, feedback=feedback))
    assert low.head.compute_dtype == "float32"
    assert keras.backend.standardize_dtype(frames.dtype) == "float32"
    assert 0 < np.abs(np.asarray(frames) - expected).max() < 0.05


def test_dropout_acts_between_layers_in_training_alone() -> None:
    decoder = made_decoder(dropout=0.9)
    exact = np.asarray(made_decoder()(made_state(), steps=STEPS))
    np.testing.assert_array_equal(decoder(made_state(), steps=STEPS), exact)
    dropped = np.asarray(decoder(made_state(), steps=STEPS, training=True))
    assert np.abs(dropped - exact).max() > 1e-4
    one_layer = ConditionalDecoder(4, (FEATURES,), dropout=0.9)
    state = [tuple(ops.ones((BATCH, 4)) for _ in range(2))]
    np.testing.assert_array_equal(one_layer(state, training=True), one_layer(state))


def test_sigmoid_frames_are_pixels() -> None:
    frames = np.asarray(made_decoder(dtype="float32")(made_state(), steps=100))
    assert frames.min() >= 0
    assert frames.max() <= 1


def test_teacher_forcing_needs_the_truth() -> None:
    with pytest.raises(ValueError, match="true frames"):
        made_decoder(conditional=True)(made_state(), steps=3, feedback=False)


@pytest.mark.parametrize("frame_shape", [(), (0,), (4, None), (-1, 2)])
def test_a_frame_has_a_known_positive_shape(frame_shape: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="frame shape"):
        ConditionalDecoder(4, frame_shape)


def test_an_unknown_activation_is_an_error() -> None:
    with pytest.raises(ValueError, match="'sigmoid' or 'linear'"):
        ConditionalDecoder(4, (3,), activation="relu")
