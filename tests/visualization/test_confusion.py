from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import draw_confusion


def names(count):
    return [f"class {place}" for place in range(count)]


def cells(figure):
    return {(int(t.get_position()[1]), int(t.get_position()[0])): t for t in figure.axes[0].texts}


COUNTS = np.array([[8, 2, 0], [1, 1, 2], [0, 0, 0]])


def test_colours_are_shares_of_the_true_class():
    image = draw_confusion(COUNTS, names(3)).axes[0].images[0]
    np.testing.assert_allclose(
        image.get_array(), [[0.8, 0.2, 0], [0.25, 0.25, 0.5], [0, 0, 0]], rtol=1e-6
    )
    assert image.get_clim() == (0, 1)


def test_counts_and_percentages_are_written():
    texts = {
        place: text.get_text() for place, text in cells(draw_confusion(COUNTS, names(3))).items()
    }
    assert texts == {
        (0, 0): "8\n80 %",
        (0, 1): "2\n20 %",
        (1, 0): "1\n25 %",
        (1, 1): "1\n25 %",
        (1, 2): "2\n50 %",
    }


def test_dark_cells_carry_light_numbers():
    texts = cells(draw_confusion(COUNTS, names(3)))
    assert sum(to_rgb(texts[0, 0].get_color())) > 2.5
    assert sum(to_rgb(texts[0, 1].get_color())) < 1.0


def test_the_title_says_accuracy_and_number():
    assert (
        draw_confusion(COUNTS, names(3)).axes[0].get_title(loc="left") == "accuracy 64.3 %, n = 14"
    )
    titled = draw_confusion(COUNTS, names(3), title="KTH").axes[0].get_title(loc="left")
    assert titled == "KTH\naccuracy 64.3 %, n = 14"


@pytest.mark.parametrize(("classes", "text"), [(12, "5\n100 %"), (13, "100"), (25, "100")])
def test_numbers_shrink_with_the_classes(classes, text):
    texts = cells(draw_confusion(5 * np.eye(classes, dtype=int), names(classes)))
    assert {one.get_text() for one in texts.values()} == {text}
    assert len(texts) == classes


@pytest.mark.parametrize("classes", [26, 101])
def test_many_classes_carry_no_numbers_but_all_labels_apart(classes):
    figure = draw_confusion(np.eye(classes, dtype=int), names(classes))
    assert not figure.axes[0].texts
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert len(boxes) == classes
    assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(boxes))
    assert min(label.get_fontsize() for label in figure.axes[0].get_yticklabels()) >= 5


@pytest.mark.parametrize("classes", [3, 6, 25, 30])
def test_everything_stays_on_the_paper(classes):
    labels = [f"a rather long class name {place}" for place in range(classes)]
    figure = draw_confusion(np.eye(classes, dtype=int), labels, title="A title " * 8)
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height


@pytest.mark.parametrize(
    ("matrix", "labels", "sentence"),
    [
        (np.ones((2, 3)), names(2), r"Expected a square `matrix`. Received: shape=\(2, 3\)"),
        (
            np.ones(3),
            names(3),
            r"shape \(classes, classes\), none of them 0. Received: shape=\(3,\)",
        ),
        (np.zeros((0, 0)), [], r"Received: shape=\(0, 0\)"),
        (np.zeros((2, 2)), names(2), "at least one example. Received: a matrix of zeros"),
        (np.array([[0.5, 0.5], [0, 1]]), names(2), "whole counts of at least 0. Received: 0.5"),
        (np.array([[1, -1], [0, 1]]), names(2), "Received: -1"),
        (np.array([[1, np.nan], [0, 1]]), names(2), "Received: 1 of 4 are NaN or infinite"),
        (np.eye(3), names(2), "Expected 3 labels, one for each class. Received: 2 labels"),
        (np.eye(3), "abc", "Expected 3 labels, one for each class. Received: 'abc'"),
    ],
)
def test_bad_input_gets_one_clear_sentence(matrix, labels, sentence):
    with pytest.raises(InputError, match=sentence):
        draw_confusion(matrix, labels)


def test_a_thousand_classes_fit_on_a_sheet():
    figure = draw_confusion(np.eye(1000, dtype=int), names(1000))
    assert max(figure.get_size_inches()) < 20
    figure.draw_without_rendering()
    labels = figure.axes[0].get_yticklabels()
    assert labels[1].get_text() == "class 8"
    boxes = [label.get_window_extent() for label in labels]
    assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(boxes))


def test_names_are_drawn_as_they_are():
    figure = draw_confusion(np.eye(2, dtype=int), ["$_$", "jumping\njack"], title="$^")
    figure.draw_without_rendering()
    drawn = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert drawn == ["$_$", "jumping jack"]
