"""Tests of the directions in which frames drift."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from keras_videolstm.errors import InputError
from keras_videolstm.layers import DriftFeatures
from keras_videolstm.training.drift_directions import drift_directions

RATE = 0.2


def made_clips(count: int = 30, time: int = 12) -> list[np.ndarray]:
    """Return clips of scenes that differ in feature 0, in which things move along feature 1."""
    rng = np.random.default_rng(0)
    clips = []
    for _ in range(count):
        clip = rng.normal(0, 0.1, (time, 4))
        clip[:, 0] += rng.normal(0, 50)
        clip[:, 1] += rng.normal() * np.arange(time)
        clips.append(clip)
    return clips


def test_it_is_what_moves_that_is_found_not_what_differs_between_scenes() -> None:
    (first,) = drift_directions(made_clips(), 1, RATE).T
    assert abs(first[1]) > 50 * np.abs(first[[0, 2, 3]]).max()


def test_they_are_the_principal_components_of_the_drifts() -> None:
    clips = made_clips()
    layer = DriftFeatures(4, 4, RATE)
    layer.set_directions(np.eye(4))
    drifts = np.concatenate([np.asarray(layer(clip[None]))[0] for clip in clips])
    # Around zero, as a clip that stands still does not drift.
    expected = PCA(2).fit(np.concatenate([drifts, -drifts])).components_
    found = drift_directions(clips, 2, RATE)
    lengths = np.linalg.norm(found, axis=0)
    np.testing.assert_allclose(np.abs(expected @ (found / lengths)), np.eye(2), atol=1e-4)
    np.testing.assert_allclose(np.square(drifts @ found).mean(), 1, rtol=1e-4)


@pytest.mark.parametrize("clips", [[], [np.ones((5, 3))]])
def test_clips_in_which_nothing_moves_are_an_error(clips: list[np.ndarray]) -> None:
    with pytest.raises(InputError, match="in which something moves"):
        drift_directions(clips, 2, RATE)
