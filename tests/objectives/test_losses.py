from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.objectives import (
    BernoulliNatsPerFrame,
    HalfSquaredErrorPerFrame,
    StepCrossentropy,
)

LOSSES = [BernoulliNatsPerFrame, HalfSquaredErrorPerFrame, StepCrossentropy]


def made_pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.05, 0.95, size=shape).astype("float32")


# --- Nats per frame ---


def test_nats_are_summed_over_pixels_and_averaged_over_batch_and_time() -> None:
    truth, guess = made_pixels(3, 4, 2, 5, 1), made_pixels(3, 4, 2, 5, 1, seed=1)
    y, p = truth.astype("float64"), guess.astype("float64")
    each = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    expected = sum(each[b, t].sum() for b in range(3) for t in range(4)) / 12
    assert float(BernoulliNatsPerFrame()(truth, guess)) == pytest.approx(expected, rel=1e-5)
    frames = BernoulliNatsPerFrame(reduction=None)(truth, guess)
    np.testing.assert_allclose(frames, each.sum((2, 3, 4)), rtol=1e-5)


def test_half_everywhere_costs_log_two_a_pixel() -> None:
    loss = BernoulliNatsPerFrame()(np.zeros((1, 2, 4096)), np.full((1, 2, 4096), 0.5, "float32"))
    assert float(loss) == pytest.approx(4096 * np.log(2), rel=1e-5)


def test_the_least_nats_are_the_entropy_of_the_target() -> None:
    truth = made_pixels(2, 3, 50)
    y = truth.astype("float64")
    entropy = -(y * np.log(y) + (1 - y) * np.log(1 - y)).sum(-1).mean()
    loss = BernoulliNatsPerFrame()
    assert float(loss(truth, truth)) == pytest.approx(entropy, rel=1e-5)
    for shift in (-0.01, 0.01):
        assert float(loss(truth, truth + np.float32(shift))) > entropy


def test_black_and_white_guessed_rightly_cost_nothing_and_wrongly_no_infinity() -> None:
    truth = np.array([[[0.0, 1.0]]], "float32")
    loss = BernoulliNatsPerFrame()
    assert float(loss(truth, truth)) == pytest.approx(0, abs=1e-5)
    assert 10 < float(loss(truth, 1 - truth)) < 100


def test_targets_of_another_dtype_are_accepted() -> None:
    guess = made_pixels(2, 3, 4)
    loss = BernoulliNatsPerFrame()
    zeros = float(loss(np.zeros((2, 3, 4), "float32"), guess))
    assert float(loss(np.zeros((2, 3, 4), "uint8"), guess)) == pytest.approx(zeros)
    assert float(loss(np.zeros((2, 3, 4), "float64"), guess)) == pytest.approx(zeros)


def gradient_on_logits(logits: np.ndarray, truth: np.ndarray, jit_compile: bool) -> np.ndarray:
    @tf.function(jit_compile=jit_compile)
    def gradient(logits: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = BernoulliNatsPerFrame()(truth, keras.ops.sigmoid(logits))
        return tape.gradient(loss, logits)

    return np.asarray(gradient(tf.constant(logits)))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_saturated_logits_still_have_their_full_gradient_in_a_compiled_graph(
    jit_compile: bool,
) -> None:
    logits = np.array([[[-500.0, -40.0, 0.0, 40.0, 500.0]]], "float32")
    for pixel in (0.0, 1.0):
        truth = np.full_like(logits, pixel)
        expected = [[[0 - pixel, 0 - pixel, 0.5 - pixel, 1 - pixel, 1 - pixel]]]
        gradient = gradient_on_logits(logits, truth, jit_compile)
        np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_nats_of_logits_have_the_value_and_the_gradients_of_the_definition() -> None:
    logits = np.random.default_rng(3).normal(scale=3, size=(2, 3, 4, 5)).astype("float64")
    truth = made_pixels(2, 3, 4, 5).astype("float64")
    weights = np.random.default_rng(4).normal(size=(2, 3))

    @tf.function
    def ours(logits: tf.Tensor, truth: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([logits, truth])
            nats = BernoulliNatsPerFrame().call(truth, keras.ops.sigmoid(logits))
            total = tf.reduce_sum(nats * weights)
        return [nats, *tape.gradient(total, [logits, truth])]

    p = 1 / (1 + np.exp(-logits))
    nats = -(truth * np.log(p) + (1 - truth) * np.log(1 - p)).sum((2, 3))
    spread = weights[..., None, None]
    expected = [nats, spread * (p - truth), -spread * logits]
    for mine, other in zip(ours(tf.constant(logits), tf.constant(truth)), expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)


# --- Squared error ---


def test_half_the_squared_error_is_summed_over_features_and_averaged_over_the_rest() -> None:
    truth, guess = made_pixels(3, 4, 2, 5, 1), made_pixels(3, 4, 2, 5, 1, seed=1)
    frames = 0.5 * ((truth.astype("float64") - guess) ** 2).sum((2, 3, 4))
    loss = HalfSquaredErrorPerFrame()(truth, guess)
    assert float(loss) == pytest.approx(frames.mean(), rel=1e-5)
    np.testing.assert_allclose(
        HalfSquaredErrorPerFrame(reduction=None)(truth, guess), frames, rtol=1e-5
    )


def test_targets_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(8, 4, 3\).*Received: \(8, 1, 3\)"):
        HalfSquaredErrorPerFrame()(np.zeros((8, 1, 3)), np.zeros((8, 4, 3)))


def test_its_gradient_is_the_plain_difference() -> None:
    truth, guess = made_pixels(1, 1, 6), tf.constant(made_pixels(1, 1, 6, seed=1))
    with tf.GradientTape() as tape:
        tape.watch(guess)
        loss = HalfSquaredErrorPerFrame()(truth, guess)
    np.testing.assert_allclose(tape.gradient(loss, guess), np.asarray(guess) - truth, atol=1e-6)


# --- Cross entropy at every step ---


def test_every_step_is_held_against_the_clips_one_label() -> None:
    scores = made_pixels(3, 4, 5).astype("float64")
    probabilities = scores / scores.sum(-1, keepdims=True)
    labels = np.array([4, 0, 2])
    nats = -np.log(probabilities[np.arange(3), :, labels])
    loss = StepCrossentropy()
    guess = probabilities.astype("float32")
    assert float(loss(labels, guess)) == pytest.approx(nats.mean(), rel=1e-5)
    assert float(loss(labels[:, None], guess)) == pytest.approx(nats.mean(), rel=1e-5)
    np.testing.assert_allclose(StepCrossentropy(reduction=None)(labels, guess), nats, rtol=1e-5)


def test_padded_steps_of_a_mask_are_left_out_of_the_mean() -> None:
    scores = made_pixels(2, 4, 3).astype("float64")
    probabilities = scores / scores.sum(-1, keepdims=True)
    labels, lengths = np.array([1, 2]), [4, 1]
    mask = np.arange(4) < np.array(lengths)[:, None]
    nats = -np.log(probabilities[np.arange(2), :, labels])
    guess = keras.ops.convert_to_tensor(probabilities.astype("float32"))
    guess._keras_mask = keras.ops.convert_to_tensor(mask)
    expected = nats[mask].sum() / 5
    assert float(StepCrossentropy()(labels, guess)) == pytest.approx(expected, rel=1e-5)


def test_the_mask_reaches_the_loss_inside_fit_and_evaluate() -> None:
    frames = keras.Input((None, 2))
    steps = keras.layers.Dense(3, activation="softmax", name="steps")
    model = keras.Model(frames, {"steps": steps(keras.layers.Masking(-1.0)(frames))})
    model.compile("sgd", {"steps": StepCrossentropy()})
    clips = made_pixels(2, 4, 2)
    clips[1, 1:] = -1
    labels = np.array([1, 2])
    probabilities = model.predict(clips, verbose=0)["steps"]
    nats = [-np.log(probabilities[0, t, 1]) for t in range(4)] + [-np.log(probabilities[1, 0, 2])]
    measured = model.evaluate(clips, {"steps": labels}, verbose=0, return_dict=True)["loss"]
    assert measured == pytest.approx(np.mean(nats), rel=1e-5)


# --- All ---


@pytest.mark.parametrize("loss", LOSSES)
def test_configuration_round_trip(loss: Callable[..., keras.losses.Loss]) -> None:
    made = loss(name="named", reduction="sum")
    again = type(made).from_config(made.get_config())
    assert (again.name, again.reduction) == ("named", "sum")
    serialized = keras.losses.serialize(made)
    assert serialized["registered_name"] == f"keras_videolstm>{loss.__name__}"
    third = keras.losses.deserialize(serialized)
    assert isinstance(third, loss)
    assert third.get_config() == made.get_config()
