import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.training.slow_directions import slow_directions


def made_clips(seed: int = 0) -> list[np.ndarray]:
    """Return clips whose third feature is their own and whose others wander within them."""
    rng = np.random.default_rng(seed)
    clips = []
    for _ in range(40):
        frames = rng.normal(size=(30, 4)) * [3.0, 1.0, 0.2, 1.0] + rng.normal(size=4) * 0.3
        frames[:, 2] += rng.normal()
        # How fast the second one moves is a clip's own, too, though its place says nothing.
        frames[:, 1] *= rng.uniform(0.1, 3.0)
        clips.append(frames)
    return clips


def test_the_first_direction_is_what_tells_clips_apart() -> None:
    directions, _, changed = slow_directions(made_clips(), 1)
    assert np.argmax(np.abs(directions[:, 0])) == 2
    assert np.abs(directions[[0, 1, 3], 0]).max() < 0.3 * np.abs(directions[2, 0])
    assert np.argmax(np.abs(changed[:, 0])) == 1


def test_they_solve_the_generalised_eigenvalue_problem() -> None:
    clips = made_clips()
    found = slow_directions(clips, 3)
    changes = [np.abs(np.diff(clip, axis=0)) for clip in clips]
    np.testing.assert_allclose(found[1], np.mean([c.mean(0) for c in changes], axis=0))
    for of_clips, directions in ((clips, found[0]), (changes, found[2])):
        centred = np.concatenate([clip - clip.mean(0) for clip in of_clips])
        within = centred.T @ centred / len(centred)
        between = np.cov(np.transpose([clip.mean(0) for clip in of_clips]))
        ridged = within + within.trace() / 4 * np.eye(4)
        ratios = [v @ between @ v / (v @ ridged @ v) for v in directions.T]
        assert ratios == sorted(ratios, reverse=True)
        for ratio, v in zip(ratios, directions.T, strict=True):
            np.testing.assert_allclose(between @ v, ratio * ridged @ v, atol=1e-4)
        top = np.linalg.eigvals(np.linalg.solve(ridged, between)).real.max()
        np.testing.assert_allclose(ratios[0], top, rtol=1e-4)


def test_features_have_a_mean_square_of_one_over_all_frames() -> None:
    clips = made_clips()
    directions, mean, changed = slow_directions(clips, 2)
    frames = np.concatenate(clips)
    features = (frames - frames.mean(0)) @ directions
    np.testing.assert_allclose(np.square(features).mean(), 1, rtol=0.05)
    changes = np.concatenate([np.abs(np.diff(clip, axis=0)) for clip in clips])
    np.testing.assert_allclose(np.square((changes - mean) @ changed).mean(), 1, rtol=0.05)


def test_too_few_clips_are_an_error() -> None:
    with pytest.raises(InputError, match=r"at least 2 clips of 2 frames or more.*Received: 1"):
        slow_directions([np.ones((5, 3)), np.ones((1, 3))], 2)


def test_clips_in_which_nothing_changes_are_an_error() -> None:
    still = [np.full((5, 3), value) for value in (1.0, 2.0, 3.0)]
    with pytest.raises(InputError, match="clips whose frames change"):
        slow_directions(still, 2)
