import numpy as np
import pytest
from sklearn.decomposition import PCA

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import draw_embeddings

CLIPS = np.random.default_rng(0).normal(size=(12, 5)) * [5, 3, 1, 1, 1]


def points_of(figure):
    return [np.asarray(dots.get_offsets()) for dots in figure.axes[0].collections]


def test_points_are_the_principal_components():
    pca = PCA(2).fit(CLIPS)
    figure = draw_embeddings(CLIPS)
    (points,) = points_of(figure)
    # The sign of a component is free.
    np.testing.assert_allclose(np.abs(points), np.abs(pca.transform(CLIPS)), rtol=1e-6)
    first, second = (f"{100 * share:.0f}%" for share in pca.explained_variance_ratio_)
    assert first in figure.axes[0].get_xlabel()
    assert second in figure.axes[0].get_ylabel()


def test_each_class_has_a_colour_and_a_shape_of_its_own():
    figure = draw_embeddings(CLIPS, ["run", "walk", "jump"] * 4, title="Map")
    dots = figure.axes[0].collections
    assert [len(points) for points in points_of(figure)] == [4, 4, 4]
    assert len({tuple(d.get_facecolor()[0]) for d in dots}) == 3
    assert len({len(d.get_paths()[0].vertices) for d in dots}) > 1
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["jump (4)", "run (4)", "walk (4)"]


def test_one_feature_is_mapped_on_a_line():
    (points,) = points_of(draw_embeddings(np.arange(4.0)[:, None]))
    np.testing.assert_array_equal(points[:, 1], 0)


@pytest.mark.parametrize(
    ("clips", "labels", "said"),
    [
        (np.zeros((2, 5)), None, "at least 3 clips"),
        (np.ones((4, 5)), None, "clips that differ"),
        (CLIPS, ["run"], "12 labels"),
        (np.full((4, 5), np.nan), None, "NaN"),
        (np.zeros(5), None, "features"),
    ],
)
def test_bad_input_is_named(clips, labels, said):
    with pytest.raises(InputError, match=said):
        draw_embeddings(clips, labels)
