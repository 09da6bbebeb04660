import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import draw_activity, draw_features, draw_learning

CURVES = {"one": ([1, 10, 100], [3.0, 2.0, 1.0]), "other": ([5, 50], [2.5, 1.5])}


def test_curves_and_levels_are_drawn_and_named() -> None:
    figure = draw_learning(CURVES, xlabel="n", ylabel="nats", levels={"goal": 0.5}, title="T")
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines[:2]}
    assert drawn["other"] == [[5, 2.5], [50, 1.5]]
    assert [text.get_text() for text in axes.texts] == ["goal 0.5"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "other"]


def test_powers_of_ten_are_no_formulas() -> None:
    (axes,) = draw_learning({"$^": CURVES["one"]}, xlabel="n", ylabel="nats").axes
    axes.figure.draw_without_rendering()
    assert "10¹" in [label.get_text() for label in axes.get_xticklabels()]


@pytest.mark.parametrize(
    "curves", [{}, {"a": ([1, 2], [1])}, {"a": ([0], [1])}, {"a": ([1], [np.nan])}]
)
def test_impossible_curves_are_refused(curves: dict) -> None:
    with pytest.raises(InputError, match="Expected"):
        draw_learning(curves, xlabel="n", ylabel="nats")


def test_gaps_between_small_images_are_narrow() -> None:
    figure = draw_features({"few pixels": np.ones((3, 4, 4))})
    sheet = figure.axes[0].images[0].get_array()
    assert (sheet == 0.6).all(axis=-1).mean() < 0.15


def test_activity_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="finite numbers in `activity`"):
        draw_activity(np.full((3, 4), np.nan))
