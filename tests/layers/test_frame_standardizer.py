import keras
import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.layers import FrameStandardizer


def test_it_subtracts_the_mean_and_divides_by_the_deviation_of_each_feature() -> None:
    layer = FrameStandardizer((2,))
    layer.set_statistics(np.array([1.0, -2.0]), np.array([2.0, 0.5]))
    np.testing.assert_allclose(layer(np.array([[[3.0, -1.0], [1.0, -2.0]]])), [[[1, 2], [0, 0]]])


@pytest.mark.parametrize("shape", [(3,), (2, 3, 1)])
def test_invert_undoes_it(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(2, 5, *shape)).astype("float32")
    layer = FrameStandardizer(shape)
    layer.set_statistics(frames.mean((0, 1)), frames.std((0, 1)))
    standard = np.asarray(layer(frames))
    np.testing.assert_allclose(standard.mean((0, 1)), np.zeros(shape), atol=1e-6)
    np.testing.assert_allclose(standard.std((0, 1)), np.ones(shape), atol=1e-5)
    np.testing.assert_allclose(layer.invert(standard), frames, atol=1e-6)


@pytest.mark.parametrize("kind", ["feature", "channel"])
def test_what_never_changes_is_not_blown_up(kind: str) -> None:
    layer = FrameStandardizer((2,), kind)
    layer.set_statistics(np.array([1.0, 2.0]), np.array([0.0, 0.5]))
    np.testing.assert_allclose(layer(np.array([[[1.5, 2.5]]])), [[[0.5, 1.0]]])


def test_places_of_a_channel_share_a_mean_and_a_deviation() -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal([3.0, -1.0], [2.0, 0.1], size=(20, 4, 5, 2)) + rng.normal(size=(4, 5, 2))
    layer = FrameStandardizer((4, 5, 2), "channel")
    layer.set_statistics(frames.mean(0), frames.std(0))
    standard = np.asarray(layer(frames[None]))
    wanted = (frames - frames.mean((0, 1, 2))) / frames.std((0, 1, 2))
    np.testing.assert_allclose(standard[0], wanted, atol=1e-5)
    np.testing.assert_allclose(layer.invert(standard)[0], frames, atol=1e-5)


def test_roots_have_their_own_means_and_one_deviation() -> None:
    frames = np.random.default_rng(0).gamma(0.5, 4.0, size=(200, 3)) * [1.0, -4.0, 0.01]
    layer = FrameStandardizer((3,), "root")
    roots = np.sign(frames) * np.sqrt(np.abs(frames))
    np.testing.assert_allclose(layer.prepare(frames), roots)
    layer.set_statistics(roots.mean(0), roots.std(0))
    standard = np.asarray(layer(frames[None]))
    wanted = (roots - roots.mean(0)) / np.sqrt(roots.var(0).mean())
    np.testing.assert_allclose(standard[0], wanted, atol=1e-5)
    np.testing.assert_allclose(layer.invert(standard)[0], frames, atol=1e-4)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="kind to be one of"):
        FrameStandardizer((2,), "pixel")


def test_without_statistics_it_changes_nothing() -> None:
    frames = np.arange(6.0).reshape(1, 2, 3)
    np.testing.assert_array_equal(FrameStandardizer((3,))(frames), frames)


def test_statistics_are_kept_but_never_trained() -> None:
    layer = FrameStandardizer((3,))
    assert len(layer.weights) == 2
    assert layer.trainable_weights == []


def test_mixed_precision_leaves_it_in_float32() -> None:
    layer = FrameStandardizer((2,), dtype="mixed_bfloat16")
    layer.set_statistics(np.array([1000.0, 0.0]), np.array([1.0, 1.0]))
    out = layer(np.array([[[1001.0, 0.0]]], "float32"))
    assert keras.backend.standardize_dtype(out.dtype) == "float32"
    np.testing.assert_array_equal(out, [[[1.0, 0.0]]])


@pytest.mark.parametrize(
    ("mean", "deviation"),
    [
        ([0.0, np.nan], [1.0, 1.0]),
        ([0.0, np.inf], [1.0, 1.0]),
        ([0.0, 0.0], [1.0, -1.0]),
        ([0.0, 0.0], [1.0, np.nan]),
    ],
)
def test_unusable_statistics_are_an_error(mean: list[float], deviation: list[float]) -> None:
    with pytest.raises(InputError, match="standard deviations of at least 0"):
        FrameStandardizer((2,)).set_statistics(np.array(mean), np.array(deviation))
