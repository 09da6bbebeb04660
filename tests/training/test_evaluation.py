import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.evaluation import evaluate_frames
from keras_videolstm.training.frame_scores import FrameScorer, score_frames

SHAPE = (16, 16, 1)


def made_frames(seed: int = 0, steps: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).random((2, steps, *SHAPE))


def nats(truth: np.ndarray, seen: np.ndarray) -> np.ndarray:
    per_pixel = -(truth * np.log(seen) + (1 - truth) * np.log1p(-seen))
    return per_pixel.sum(axis=(2, 3, 4))


def ssim(truth: np.ndarray, seen: np.ndarray) -> float:
    """Wang et al. (2004), window after window, of one grey image in [0, 1]."""
    ticks = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(ticks, ticks) / np.outer(ticks, ticks).sum()
    values = []
    for top in range(truth.shape[0] - 10):
        for left in range(truth.shape[1] - 10):
            x, y = (image[top : top + 11, left : left + 11] for image in (truth, seen))
            mean_x, mean_y = (window * x).sum(), (window * y).sum()
            var_x = (window * x**2).sum() - mean_x**2
            var_y = (window * y**2).sum() - mean_y**2
            both = (window * x * y).sum() - mean_x * mean_y
            values.append(
                (2 * mean_x * mean_y + 0.01**2)
                * (2 * both + 0.03**2)
                / ((mean_x**2 + mean_y**2 + 0.01**2) * (var_x + var_y + 0.03**2))
            )
    return float(np.mean(values))


def test_scores_are_those_of_the_formulas() -> None:
    truth, seen = made_frames(0), 0.1 + 0.8 * made_frames(1)
    found = score_frames(*(tf.constant(t, tf.float32) for t in (truth, seen))).numpy()
    squares = np.square(truth - seen).sum(axis=(2, 3, 4))
    structure = [
        [ssim(a[..., 0], b[..., 0]) for a, b in zip(*pair, strict=True)]
        for pair in zip(truth, seen, strict=True)
    ]
    np.testing.assert_allclose(found[0], nats(truth, seen), rtol=1e-5)
    np.testing.assert_allclose(found[1], squares, rtol=1e-5)
    np.testing.assert_allclose(found[2], structure, atol=1e-4)
    np.testing.assert_allclose(found[3], 10 * np.log10(256 / squares), rtol=1e-5)


def test_means_are_over_all_sequences_however_they_are_batched() -> None:
    scorer, rng = FrameScorer(), np.random.default_rng(0)
    scores = rng.random((4, 5, 3)).astype("float32")
    scorer.add(tf.constant(scores[:, :4]))
    scorer.add(tf.constant(scores[:, 4:]))
    found = scorer.result()
    np.testing.assert_allclose(found.mse, scores[1].mean(axis=0), rtol=1e-6)
    assert found.means()["ssim"] == pytest.approx(scores[2].mean())
    assert len(found.by_frame()["psnr"]) == 3


@pytest.mark.parametrize(
    "convolution",
    [
        None,
        pytest.param({"patch_size": 4}, marks=pytest.mark.slow),
        pytest.param({"patch_size": 4, "max_displacement": 2}, marks=pytest.mark.slow),
    ],
)
def test_free_running_and_forced_scores_are_those_of_the_verbs_and_of_keras(
    convolution: dict | None,
) -> None:
    model = VideoLSTM("conditional_composite", SHAPE, [4, 3], 3, convolution=convolution)
    clips = made_frames(steps=5).astype("float32")
    read, future = clips[:, :2], clips[:, 2:]
    scores = evaluate_frames(model, [clips], input_steps=2)
    assert set(scores) == {"prediction", "prediction_forced", "reconstruction", "target"}
    free, rebuilt = model.forecast(read, 3), model.reconstruct(read)
    np.testing.assert_allclose(scores["prediction"].nats, nats(future, free).mean(0), rtol=1e-4)
    np.testing.assert_allclose(
        scores["reconstruction"].mse, np.square(read - rebuilt).sum((2, 3, 4)).mean(0), rtol=1e-4
    )
    forced = model.decoders["prediction"](
        model.encoder(read)[1], truth=tf.constant(future), feedback=False
    ).numpy()
    found = scores["prediction_forced"].nats
    np.testing.assert_allclose(found, nats(future, forced).mean(0), rtol=1e-4)
    assert abs(found[1] - scores["prediction"].nats[1]) > 1e-4


def test_the_horizon_is_what_follows_the_input() -> None:
    model = VideoLSTM("composite", SHAPE, [4], 3)
    clips = (255 * made_frames(steps=9)).astype("uint8")
    scores = evaluate_frames(model, [clips[:1], clips[1:]], input_steps=2)
    assert scores["prediction"].nats.shape == (7,)
    assert scores["reconstruction"].nats.shape == (2,)


def test_frames_beyond_the_steps_asked_for_are_left_out() -> None:
    model, clips = VideoLSTM("composite", SHAPE, [4], 3), made_frames(steps=9)
    few = evaluate_frames(model, [clips], input_steps=2, steps=3)
    np.testing.assert_allclose(
        few["prediction"].mse, evaluate_frames(model, [clips], 2)["prediction"].mse[:3], rtol=1e-5
    )
    assert few["target"].nats.shape == (3,)


def test_the_truth_predicts_itself_at_its_entropy() -> None:
    clips = made_frames(steps=4)
    scores = evaluate_frames(VideoLSTM("future_predictor", SHAPE, [4]), [clips], input_steps=2)
    entropy = nats(clips[:, 2:], clips[:, 2:]).mean(axis=0)
    np.testing.assert_allclose(scores["target"].nats, entropy, rtol=1e-5)
    assert scores["target"].mse.max() == 0


@pytest.mark.parametrize(
    ("arguments", "clips"),
    [
        ({"frame_shape": (7,), "activation": "linear"}, np.zeros((1, 4, 7))),
        ({"frame_shape": (8, 8, 1)}, np.zeros((1, 4, 8, 8, 1))),
        ({"frame_shape": SHAPE, "standardize": True}, np.zeros((1, 4, *SHAPE))),
        ({"frame_shape": SHAPE}, np.zeros((1, 4, 8, 8, 1))),
        ({"frame_shape": SHAPE}, np.full((1, 4, *SHAPE), np.nan)),
        ({"frame_shape": SHAPE}, np.full((1, 4, *SHAPE), 255.0)),
    ],
)
def test_other_frames_are_refused(arguments: dict, clips: np.ndarray) -> None:
    model = VideoLSTM("composite", units=[4], **arguments)
    with pytest.raises(InputError, match="Expected"):
        evaluate_frames(model, [clips], input_steps=2)


def test_no_sequences_are_refused() -> None:
    with pytest.raises(InputError, match="at least one sequence"):
        evaluate_frames(VideoLSTM("composite", SHAPE, [4]), [])


@pytest.mark.parametrize(
    ("lengths", "settings", "told"),
    [
        ([2], {}, "Expected 3 frames in every sequence, of which 2 are read. Received: 2"),
        ([4], {"steps": 3}, "Expected 5 frames in every sequence"),
        ([4, 5], {}, "Expected 4 frames in every sequence"),
        ([4], {"steps": 0}, "Expected positive numbers"),
    ],
)
def test_sequences_of_a_wrong_length_are_refused(
    lengths: list[int], settings: dict, told: str
) -> None:
    model = VideoLSTM("composite", SHAPE, [4], 3)
    clips = [made_frames(steps=steps) for steps in lengths]
    with pytest.raises(InputError, match=told):
        evaluate_frames(model, clips, input_steps=2, **settings)
