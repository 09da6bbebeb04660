from itertools import pairwise

import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import draw_action_timeline

CHANCES = np.array([[0.1, 0.9, 0.0], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
LABELS = ["walk", "run", "jump"]
TIMES = [0.5, 1.5, 3.5]


def mesh(figure):
    return next(one for one in figure.axes[0].collections if one.get_array() is not None)


def test_rows_are_classes_likeliest_first():
    figure = draw_action_timeline(CHANCES, LABELS, TIMES)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["run", "walk", "jump"]
    np.testing.assert_allclose(mesh(figure).get_array(), CHANCES[:, [1, 0, 2]].T)
    written = [text.get_text() for text in axes.texts]
    assert written == ["63 %", "30 %", "7 %", "mean"]
    assert figure.get_suptitle() == "run (63 %)"


def test_moments_end_halfway_to_the_next():
    axes = draw_action_timeline(CHANCES, LABELS, TIMES).axes[0]
    assert axes.get_xlim() == (0.0, 4.5)
    corners = mesh(axes.figure).get_coordinates()[0, :, 0]
    np.testing.assert_allclose(corners, [0, 1, 2.5, 4.5])


def test_a_clip_is_shown_from_its_beginning_to_its_end():
    axes = draw_action_timeline(CHANCES, LABELS, TIMES, duration=6.0).axes[0]
    corners = mesh(axes.figure).get_coordinates()[0, :, 0]
    np.testing.assert_allclose(corners, [0, 1, 2.5, 6])
    assert axes.get_xlim() == (0.0, 6.0)


def test_the_most_probable_class_is_underlined():
    axes = draw_action_timeline(CHANCES, LABELS, TIMES).axes[0]
    segments = np.array(axes.collections[-1].get_segments())
    assert np.rint(segments[:, 0, 1]).tolist() == [0, 1, 0]
    np.testing.assert_allclose(segments[:, :, 0], [[0, 1], [1, 2.5], [2.5, 4.5]])


def test_many_classes_are_summed_up_in_one_row():
    chances = np.full((4, 30), 0.01)
    chances[:, 7] = 0.71
    chances[3, 7], chances[3, 29] = 0.01, 0.71
    figure = draw_action_timeline(chances, [str(place) for place in range(30)], range(4))
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == 11
    assert (labels[:2], labels[-1]) == (["7", "29"], "20 others")
    np.testing.assert_allclose(mesh(figure).get_array()[-1], 0.2)


def test_a_single_moment_and_a_title_are_drawn():
    figure = draw_action_timeline(CHANCES[:1], LABELS, [2.0], title="clip 7")
    assert figure.axes[0].get_xlim() == (1.5, 2.5)
    assert figure.get_suptitle() == "clip 7"


def pictures(count):
    """Frames whose grey is their number."""
    grey = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return np.broadcast_to(grey, (count, 6, 8, 3))


def film_of(figure):
    return next(axes for axes in figure.axes if axes.images)


def test_thumbnails_stand_near_their_times_without_touching():
    times = np.linspace(0.05, 9.95, 100)
    chances = np.full((100, 2), 0.5)
    film = film_of(draw_action_timeline(chances, ["a", "b"], times, frames=pictures(100)))
    extents = sorted(image.get_extent()[:2] for image in film.images)
    assert 4 <= len(extents) <= 20
    assert all(left[1] < right[0] for left, right in pairwise(extents))
    for image in film.images:
        left, right = image.get_extent()[:2]
        shown = times[image.get_array()[0, 0, 0]]
        assert abs(shown - (left + right) / 2) < 0.1


def test_few_thumbnails_are_shown_once_each():
    film = film_of(
        draw_action_timeline(CHANCES, LABELS, TIMES, frames=pictures(2), frame_times=[1.0, 3.5])
    )
    assert [int(image.get_array()[0, 0, 0]) for image in film.images] == [0, 1]
    place = film.get_window_extent()
    left, right, bottom, top = film.images[0].get_extent()
    span = film.get_xlim()[1] - film.get_xlim()[0]
    wide, high = (right - left) / span * place.width, (top - bottom) * place.height
    assert wide / high == pytest.approx(8 / 6, rel=0.05)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"probabilities": CHANCES[0]}, r"shape \(time, classes\), .*Received: shape=\(3,\)"),
        ({"probabilities": CHANCES * 2}, r"in \[0, 1\]. Received: numbers from 0 to 1.8"),
        ({"probabilities": CHANCES * np.nan}, "Received: 9 of 9 are NaN or infinite"),
        ({"labels": ["a"]}, "Expected 3 labels, one for each class. Received: 1 labels"),
        ({"duration": 1.0}, "`duration` of at least 3.5 s. Received: 1.0"),
        ({"times_seconds": [1, 2]}, "Expected 3 times in `times_seconds`. Received: 2"),
        ({"times_seconds": [1, 3, 2]}, r"`times_seconds` to increase. Received: \[1, 3, 2\]"),
        ({"frames": pictures(2)}, "Received: 2 frames and 3 times"),
        ({"frames": pictures(2), "frame_times": [1.0]}, "2 times in `frame_times`. Received: 1"),
        ({"frames": np.zeros((3, 4))}, r"Expected `frames` of shape .*Received: shape=\(3, 4\)"),
    ],
)
def test_bad_input_gets_one_clear_sentence(change, sentence):
    given = {"probabilities": CHANCES, "labels": LABELS, "times_seconds": TIMES}
    with pytest.raises(InputError, match=sentence):
        draw_action_timeline(**(given | change))
