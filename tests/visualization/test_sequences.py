import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import Strip, draw_sequence
from keras_videolstm.visualization.style import ROLE_COLOURS


def film(steps, height=8, width=8):
    """A film whose every pixel is its time step."""
    grey = np.arange(steps, dtype=np.uint8)[:, None, None]
    return np.broadcast_to(grey, (steps, height, width))


def images(figure):
    """Rows of {left edge: time step}, the first row on top."""
    rows = {}
    for image in figure.axes[0].images:
        left, _, _, top = image.get_extent()
        rows.setdefault(round(top, 6), {})[round(left, 6)] = int(image.get_array()[0, 0, 0])
    return [rows[top] for top in sorted(rows)]


def test_frames_of_one_time_step_share_a_column():
    rows = {
        "input": Strip(film(20)[:10]),
        "truth": Strip(film(20)[10:], start=10, role="truth"),
        "model": [Strip(film(20)[:10], 0, "prediction"), Strip(film(20)[10:], 10, "prediction")],
    }
    first, second, third = images(draw_sequence(rows, input_steps=10))
    assert list(first.values()) == list(range(10))
    assert list(second.values()) == list(range(10, 20))
    assert third == first | second


def test_a_row_that_starts_later_keeps_its_distance():
    (late,) = images(draw_sequence({"film": [Strip(film(1)), Strip(film(1), start=3)]}))
    lefts = list(late)
    assert len(lefts) == 2
    assert lefts[1] == pytest.approx(3 * 1.08)


def test_the_divider_stands_between_input_and_future():
    axes = draw_sequence({"film": film(20)}, input_steps=7).axes[0]
    (line,) = axes.lines
    middle = line.get_xdata()[0]
    edges = sorted(image.get_extent()[:2] for image in axes.images)
    assert edges[6][1] < middle < edges[7][0]
    words = {text.get_text(): text for text in axes.texts}
    assert words["input"].xy[0] == words["future"].xy[0] == middle
    assert words["input"].get_ha() == "right"
    assert words["future"].get_ha() == "left"


@pytest.mark.parametrize("input_steps", [None, 5])
def test_no_divider_without_a_future(input_steps):
    assert not draw_sequence({"film": film(5)}, input_steps=input_steps).axes[0].lines


def test_time_steps_are_counted_from_one():
    axes = draw_sequence({"film": film(4)}).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["t=1", "2", "3", "4"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["film"]


def test_a_checkpoints_name_is_broken_between_its_parts():
    axes = draw_sequence({"composite_moving_mnist": film(2)}).axes[0]
    (label,) = axes.get_yticklabels()
    assert label.get_text().split("\n") == ["composite_moving_", "mnist"]


def test_a_long_film_is_thinned_evenly_and_says_so():
    figure = draw_sequence({"film": film(96)}, input_steps=48)
    (shown,) = images(figure)
    times = list(shown.values())
    assert times == list(range(0, 96, 5))
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["t=1", *(str(time + 1) for time in times[1:])]
    assert "20 of 96 time steps shown" in [text.get_text() for text in figure.texts]
    before = sum(time < 48 for time in times)
    lefts = list(shown)
    assert lefts[before] - lefts[before - 1] > lefts[1] - lefts[0]


def test_borders_and_legend_tell_the_roles():
    rows = {"truth": film(1), "b": film(1), "c": Strip(film(1), role="prediction")}
    figure = draw_sequence(rows)
    borders = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    wanted = [ROLE_COLOURS[role].lower() for role in ("truth", "input", "prediction")]
    assert [to_hex(patch.get_edgecolor()) for patch in borders] == wanted
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["input", "truth", "prediction"]
    assert not draw_sequence({"truth": film(1)}).legends


def test_frames_keep_their_shape_on_paper():
    figure = draw_sequence({"wide": film(3, 6, 12), "square": film(3)}, title="Shapes")
    axes = figure.axes[0]
    place = axes.get_window_extent()
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert place.width / (right - left) == pytest.approx(place.height / (bottom - top))
    left, right, bottom, top = axes.images[0].get_extent()
    assert bottom - top == pytest.approx(0.5 * (right - left))


def test_grey_colour_bytes_and_floats_show_the_same_pixels():
    grey = np.full((1, 2, 2), 0.2)
    films = [grey, grey[..., None], np.repeat(grey[..., None], 3, -1), np.full((1, 2, 2), 51, "u1")]
    for one in films:
        pixels = draw_sequence({"film": one}).axes[0].images[0].get_array()
        np.testing.assert_array_equal(pixels, np.full((2, 2, 3), 51))


def test_an_overshoot_is_clipped():
    pixels = draw_sequence({"film": np.array([[[-0.3, 1.4]]])}).axes[0].images[0].get_array()
    assert pixels[0, :, 0].tolist() == [0, 255]


def test_a_strip_knows_its_frames():
    strip = Strip(film(3), start=2)
    assert strip.stop == 5
    assert strip.frame_at(4)[0, 0] == 2
    assert strip.frame_at(1) is None
    assert strip.frame_at(5) is None


NAN = np.full((2, 4, 4), np.nan)


@pytest.mark.parametrize(
    ("rows", "steps", "sentence"),
    [
        ({}, None, "Expected `rows` to map at least one name to a film. Received: 0 rows"),
        ([film(2)], None, "Expected `rows` to map .* Received: list"),
        ({"a": np.zeros((4, 4))}, None, r"Expected `a` of shape .*Received: shape=\(4, 4\)"),
        ({"a": np.zeros((2, 4, 4, 2))}, None, r"Received: shape=\(2, 4, 4, 2\)"),
        ({"a": np.zeros((0, 4, 4))}, None, r"none of them 0. Received: shape=\(0, 4, 4\)"),
        ({"a": NAN}, None, "finite numbers in `a`. Received: 32 of 32 are NaN or infinite"),
        ({"a": np.full((2, 4, 4), 255.0)}, None, r"floats in \[0, 1\]. Received: floats from 255"),
        ({"a": np.zeros((2, 4, 4), int)}, None, "Received: dtype=int64"),
        ({"a": np.full((2, 4, 4), "x")}, None, "real numbers. Received: dtype=<U1"),
        ({"a": film(3)}, 4, "`input_steps` as a whole number from 1 to 3. Received: 4"),
        ({"a": film(3)}, 0, "Received: 0"),
        ({"a": film(3)}, 1.5, "Received: 1.5"),
        ({"a": [Strip(film(3)), Strip(film(3), 2)]}, None, "row `a` that do not overlap in time"),
    ],
)
def test_bad_input_gets_one_clear_sentence(rows, steps, sentence):
    with pytest.raises(InputError, match=sentence):
        draw_sequence(rows, input_steps=steps)


def test_a_strip_refuses_bad_places():
    with pytest.raises(InputError, match=r"`start` as a whole number at least 0\. Received: -1"):
        Strip(film(2), start=-1)
    with pytest.raises(InputError, match=r"Expected `role` as one of .* Received: 'future'"):
        Strip(film(2), role="future")
