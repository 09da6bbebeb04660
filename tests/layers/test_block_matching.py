import numpy as np
import pytest

from keras_videolstm.layers import Convolution
from keras_videolstm.layers.block_matching import BlockMatching
from keras_videolstm.layers.frame_layout import FrameLayout

REACH = 3
LAYOUT = FrameLayout((32, 40, 2), Convolution(4, max_displacement=REACH))


def arranged(frame: np.ndarray) -> np.ndarray:
    return np.asarray(LAYOUT.arrange(frame[None, None].astype("float32")))[0]


def test_it_agrees_with_the_definition() -> None:
    rng = np.random.default_rng(0)
    now, before = rng.random((2, 32, 40, 2)) * 0.3
    matched = np.asarray(BlockMatching(LAYOUT)(arranged(now), arranged(before)))
    assert matched.shape == (1, 8, 10, 49)
    # The patch at row 4, column 6, and its neighbours: pixels 12 to 23 down and 20 to 31 across.
    seen = now[12:24, 20:32].astype("float64")
    around = range(-REACH, REACH + 1)
    shifts = [(y, x) for y in around for x in around]
    differences = [
        np.sum((seen - before[12 + y : 24 + y, 20 + x : 32 + x]) ** 2) for y, x in shifts
    ]
    likely = np.exp(-np.array(differences)) / np.sum(np.exp(-np.array(differences)))
    np.testing.assert_allclose(matched[0, 4, 6], likely - 1 / 49, atol=1e-5)


@pytest.mark.parametrize("motion", [(0, 0), (2, -3), (-1, 3)])
def test_it_sees_how_far_things_moved(motion: tuple[int, int]) -> None:
    before = (np.random.default_rng(1).random((32, 40, 2)) > 0.5).astype("float32")
    matched = np.asarray(
        BlockMatching(LAYOUT)(arranged(np.roll(before, motion, (0, 1))), arranged(before))
    )
    down, across = np.divmod(matched[0, 2:-2, 2:-2].argmax(-1), 2 * REACH + 1)
    np.testing.assert_array_equal(down - REACH, -motion[0])
    np.testing.assert_array_equal(across - REACH, -motion[1])


def test_where_nothing_is_nothing_is_said() -> None:
    nothing = arranged(np.zeros((32, 40, 2)))
    np.testing.assert_allclose(BlockMatching(LAYOUT)(nothing, nothing), 0, atol=1e-6)


def test_at_a_corner_the_patches_inside_count_for_nine() -> None:
    now, before = np.random.default_rng(0).random((2, 32, 40, 2)) * 0.3
    matched = np.asarray(BlockMatching(LAYOUT)(arranged(now), arranged(before)))
    wide = np.pad(before, ((REACH, REACH), (REACH, REACH), (0, 0)))
    shifts = [(y, x) for y in range(2 * REACH + 1) for x in range(2 * REACH + 1)]
    sums = [np.sum((now[:8, :8] - wide[y : 8 + y, x : 8 + x]) ** 2) for y, x in shifts]
    likely = np.exp(-9 / 4 * np.array(sums))
    np.testing.assert_allclose(matched[0, 0, 0], likely / likely.sum() - 1 / 49, atol=1e-5)
