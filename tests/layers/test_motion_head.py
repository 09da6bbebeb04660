import numpy as np
import pytest

from keras_videolstm.layers import Convolution
from keras_videolstm.layers.frame_layout import FrameLayout
from keras_videolstm.layers.motion_head import MotionHead

REACH, SIDE = 3, 7
CONVOLUTION = Convolution(4, max_displacement=REACH)
LAYOUT = FrameLayout((16, 24, 1), CONVOLUTION)


def arranged(frame: np.ndarray) -> np.ndarray:
    return np.asarray(LAYOUT.arrange(frame[None, None].astype("float32")))[0]


def restored(maps: np.ndarray) -> np.ndarray:
    return np.asarray(LAYOUT.restore(np.asarray(maps)[:, None]))[0, 0, ..., 0]


def made_head(down: int, across: int, motions: int = 1, centred: bool = False) -> MotionHead:
    """Return a head whose filters all move pixels so far, whatever the outputs are."""
    head = MotionHead(LAYOUT.frame_shape, CONVOLUTION, motions, centred)
    head.build([5])
    kernel, bias = head.get_weights()
    bias[motions * 16 :][down + REACH :: 2 * SIDE][:motions] = 50
    bias[motions * 16 :][SIDE + across + REACH :: 2 * SIDE][:motions] = 50
    head.set_weights([0 * kernel, bias])
    return head


@pytest.mark.parametrize(("down", "across"), [(0, 0), (2, -1), (-3, 3)])
@pytest.mark.parametrize("motions", [1, 2])
def test_it_moves_the_frame_across_patches(down: int, across: int, motions: int) -> None:
    frame = np.random.default_rng(0).random((16, 24, 1))
    head = made_head(down, across, motions)
    moved = restored(head([np.ones((1, 4, 6, 5), "float32")], arranged(frame)))
    wide = np.pad(frame[..., 0], REACH)
    expected = wide[REACH + down :, REACH + across :][:16, :24]
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_before_a_sigmoid_white_stays_white_and_black_black() -> None:
    frame = np.random.default_rng(0).integers(0, 2, (16, 24, 1))
    logits = restored(made_head(0, 0, 2, centred=True)([np.zeros((1, 4, 6, 5))], arranged(frame)))
    np.testing.assert_allclose(logits, 8 * (frame[..., 0] - 0.5), atol=1e-4)


def test_a_sketch_is_moved_like_the_frame() -> None:
    head = made_head(1, -2)
    kernel, bias = head.get_weights()
    kernel[:, :16] = np.random.default_rng(1).normal(size=(5, 16))
    head.set_weights([kernel, bias])
    outputs = np.random.default_rng(0).normal(size=(1, 4, 6, 5)).astype("float32")
    drawn = restored(outputs @ kernel[:, :16])
    moved = restored(head([outputs], np.zeros((1, 4, 6, 16), "float32")))
    np.testing.assert_allclose(moved, np.pad(drawn, 3)[4:, 1:][:16, :24], atol=1e-4)


def test_a_coarse_layer_moves_and_draws_each_of_its_patches_in_its_own_way() -> None:
    head = MotionHead((16, 16, 1), Convolution(4, strides=(1, 2), max_displacement=REACH), 1, False)
    head.build([5, 3])
    fine, bias, coarse = head.get_weights()
    total = bias.shape[0]
    coarse = np.zeros((3, 2, 2, total), "float32")
    coarse[0, 1, 0, :16] = 1  # of its four patches the lower left one is white
    coarse[1, 1, 0, 16 + REACH + 2] = 50  # and moves up by two pixels
    coarse[1, 1, 0, 16 + SIDE + REACH] = 50
    head.set_weights([0 * fine, 0 * bias, coarse.reshape(3, -1)])
    outputs = np.zeros((1, 2, 2, 3), "float32")
    outputs[0, 0, 1, :2] = 1
    logits = head([np.ones((1, 4, 4, 5)), outputs], np.zeros((1, 4, 4, 16)))
    patches = np.asarray(logits)[0].reshape(4, 4, 4, 4)
    np.testing.assert_allclose(patches[1, 2], [[1] * 4, [1] * 4, [0] * 4, [0] * 4], atol=1e-5)
    assert np.abs(patches[:, 0]).max() < 1e-6
    assert np.abs(patches[3]).max() < 1e-6
