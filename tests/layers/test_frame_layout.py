import numpy as np
import pytest

from keras_videolstm.layers import Convolution
from keras_videolstm.layers.frame_layout import FrameLayout


def test_fully_connected_layers_read_vectors() -> None:
    layout = FrameLayout((4, 6, 3))
    frames = np.random.default_rng(0).random((2, 5, 4, 6, 3))
    assert layout.arrange(frames).shape == (2, 5, 72)
    np.testing.assert_array_equal(layout.restore(layout.arrange(frames)), frames)


def test_each_place_holds_the_pixels_of_its_patch() -> None:
    layout = FrameLayout((8, 12, 3), Convolution(patch_size=4))
    frames = np.random.default_rng(0).random((2, 5, 8, 12, 3))
    maps = np.asarray(layout.arrange(frames))
    assert maps.shape == (2, 5, 2, 3, 48)
    np.testing.assert_array_equal(maps[1, 4, 1, 2], frames[1, 4, 4:8, 8:12].reshape(-1))
    np.testing.assert_array_equal(layout.restore(maps), frames)


def test_coarse_maps_are_spread_like_patches() -> None:
    maps = np.arange(2 * 3 * 8).reshape(1, 2, 3, 8)
    fine = np.asarray(FrameLayout.spread(maps, 2))
    assert fine.shape == (1, 4, 6, 2)
    np.testing.assert_array_equal(fine[0, 2:4, 4:6].reshape(-1), maps[0, 1, 2])


def test_states_are_as_coarse_as_the_strides_say() -> None:
    layout = FrameLayout((32, 64, 1), Convolution(4, strides=(1, 2, 2)), layers=3)
    assert [layout.state_shape(n, 7) for n in range(3)] == [(8, 16, 7), (4, 8, 7), (2, 4, 7)]


@pytest.mark.parametrize("frame_shape", [(30, 32, 1), (64,), (4, 4, 1)])
def test_a_frame_that_cannot_be_cut_is_refused(frame_shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        FrameLayout(frame_shape, Convolution(4, strides=(1, 2)), layers=2)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (4, "Expected a Convolution, or a dict of some of"),
        ({"patches": 4}, "Expected a Convolution, or a dict of some of"),
        ({"patch_size": 4.0}, "Expected integers"),
        ({"strides": 2}, "Expected integers, and strides a list"),
        ({"max_displacement": True}, "Expected integers"),
        ({"kernel_size": 4}, "an odd kernel_size"),
        ({"motion_tracks": True}, "false without a max_displacement"),
        ({"max_displacement": 1, "motion_tracks": 1}, "Expected motion_tracks true or false"),
    ],
)
def test_what_is_no_convolution_is_refused(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Convolution.of(value)


def test_more_strides_than_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="a stride for each of 1 layers"):
        FrameLayout((32, 32, 1), Convolution(4, strides=(1, 2)), layers=1)
