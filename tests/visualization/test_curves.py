import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import draw_bars, draw_curves


def test_a_metric_and_its_validation_share_a_panel_and_a_colour():
    history = {"loss": [3, 2], "acc": [0.1, 0.2], "val_loss": [4, 3]}
    loss, acc = draw_curves(history).axes
    solid, dashed = loss.lines
    assert solid.get_ydata().tolist() == [3, 2]
    assert dashed.get_ydata().tolist() == [4, 3]
    assert solid.get_xdata().tolist() == [1, 2]
    assert solid.get_color() == dashed.get_color()
    assert (solid.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    assert loss.get_title(loc="left") == "loss"
    assert len(acc.lines) == 1


def test_the_key_is_there_only_when_needed():
    (legend,) = draw_curves({"loss": [1, 2], "val_loss": [1, 2]}).legends
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]
    assert not draw_curves({"loss": [1, 2]}).legends
    (legend,) = draw_curves({"val_loss": [1, 2]}).legends
    assert [text.get_text() for text in legend.get_texts()] == ["validation"]


def test_nan_and_infinity_leave_gaps():
    (axes,) = draw_curves({"loss": [3.0, np.nan, np.inf, 1.0]}).axes
    assert np.isnan(axes.lines[0].get_ydata()).tolist() == [False, True, True, False]
    assert axes.lines[0].get_marker() == "o"


def test_a_metric_without_finite_values_says_so():
    _, axes = draw_curves({"loss": [1, 2], "acc": [np.nan, np.nan]}).axes
    assert [text.get_text() for text in axes.texts] == ["no finite values"]


def test_the_best_epoch_is_marked_with_its_validation_value():
    (axes,) = draw_curves({"loss": [3, 2, 1], "val_loss": [3, 2.5, 2.75]}, best=2).axes
    assert axes.get_title(loc="right") == "epoch 2: 2.5"
    *_, line, point = axes.lines
    assert line.get_xdata() == [2, 2]
    assert (point.get_xdata(), point.get_ydata()) == ([2], [2.5])


def test_numbers_may_be_counted_from_what_was_before_the_first_step():
    (axes,) = draw_curves({"loss": [3, 2, 1], "val_loss": [1, 2, 2]}, best=0, first=0).axes
    assert axes.lines[0].get_xdata().tolist() == [0, 1, 2]
    assert axes.get_title(loc="right") == "epoch 0: 1"
    low, high = axes.get_xlim()
    assert low < 0
    assert 2 < high < 3
    with pytest.raises(InputError, match=r"`best` as a whole number from 0 to 2\. Received: 3"):
        draw_curves({"loss": [3, 2, 1]}, best=3, first=0)


def test_curves_may_differ_in_length():
    (axes,) = draw_curves({"loss": [3, 2, 1], "val_loss": [3]}, best=3, xlabel="step").axes
    assert axes.get_title(loc="right") == "step 3"
    assert axes.get_xlabel() == "step"


@pytest.mark.parametrize(
    ("history", "best", "sentence"),
    [
        ({}, None, "`history` to map at least one name to numbers. Received: {}"),
        ([1, 2], None, "Received: list"),
        ({"loss": []}, None, r"shape \(epochs,\), none of them 0. Received: shape=\(0,\)"),
        ({"loss": [[1], [2]]}, None, r"Received: shape=\(2, 1\)"),
        ({"loss": [[1], [2, 3]]}, None, "as one array. Received: ragged lengths"),
        ({"loss": ["a"]}, None, "real numbers. Received: dtype=<U1"),
        ({"loss": [1, 2]}, 3, "`best` as a whole number from 1 to 2. Received: 3"),
    ],
)
def test_bad_curves_get_one_clear_sentence(history, best, sentence):
    with pytest.raises(InputError, match=sentence):
        draw_curves(history, best=best)


GROUPS = {"scratch": (0.612, 0.031), "pretrained": (0.7131, 0.018), "nearest": (0.35, 0)}


def test_bars_stand_in_order_with_their_numbers():
    (axes,) = draw_bars(GROUPS, xlabel="accuracy", title="T").axes
    assert [bar.get_width() for bar in axes.patches] == [0.612, 0.7131, 0.35]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(GROUPS)
    low, high = axes.get_ylim()
    assert low > high
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["0.612 ± 0.031", "0.713 ± 0.018", "0.350"]
    assert axes.get_xlabel() == "accuracy"


def test_no_tick_stands_beyond_the_largest_number_that_there_can_be():
    groups = {"a": (100.0, 0.0), "b": (97.0, 2.0)}
    (axes,) = draw_bars(groups, xlabel="accuracy, %", largest=100).axes
    assert max(axes.get_xticks()) == 100
    assert axes.get_xlim() == draw_bars(groups, xlabel="accuracy, %").axes[0].get_xlim()


def test_error_bars_span_one_deviation_either_side():
    (axes,) = draw_bars(GROUPS, xlabel="accuracy").axes
    (spans,) = axes.collections
    ends = [segment[:, 0].tolist() for segment in spans.get_segments()]
    np.testing.assert_allclose(ends, [[0.581, 0.643], [0.6951, 0.7311]])


@pytest.mark.parametrize("chance", [0.1, 2.0, -1.0])
def test_chance_is_a_line_within_the_picture(chance):
    (axes,) = draw_bars(GROUPS, xlabel="accuracy", chance=chance).axes
    line = axes.lines[-1]
    low, high = axes.get_xlim()
    assert line.get_xdata() == [chance, chance]
    assert low < chance < high
    assert axes.texts[-1].get_text() == f"chance {chance:g}"


def test_numbers_right_of_the_bars_stay_on_the_paper():
    figure = draw_bars({"a": (88.12, 3.0), "b": (-12.0, 4.0)}, xlabel="gain in %")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["88.1 ± 3.0", "−12.0 ± 4.0"]
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in axes.texts)


@pytest.mark.parametrize(
    ("groups", "chance", "sentence"),
    [
        ({}, None, r"map names to \(mean, std\). Received: {}"),
        ({"a": (1, 2, 3)}, None, r"`groups\['a'\]` as \(mean, std\), .*Received: \(1, 2, 3\)"),
        ({"a": (1, -1)}, None, r"std at least 0. Received: \(1, -1\)"),
        ({"a": (np.nan, 0)}, None, "Received: 1 of 2 are NaN or infinite"),
        ({"a": 0.5}, None, r"Received: shape=\(\)"),
        ({"a": (1, 0)}, np.nan, "`chance` as a finite number. Received: nan"),
    ],
)
def test_bad_bars_get_one_clear_sentence(groups, chance, sentence):
    with pytest.raises(InputError, match=sentence):
        draw_bars(groups, xlabel="x", chance=chance)


LONG_TITLE = "A title that goes on and on about the composite model and " * 2


@pytest.mark.parametrize(
    "draw",
    [
        lambda title: draw_curves({"loss": [1, 2]}, title=title),
        lambda title: draw_bars(GROUPS, xlabel="accuracy", title=title),
    ],
)
def test_a_long_title_is_broken_into_lines_on_the_paper(draw):
    figure = draw(LONG_TITLE)
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert "\n" in figure.get_suptitle()
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()
