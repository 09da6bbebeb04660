import doctest
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest

from keras_videolstm import visualization
from keras_videolstm.visualization import animations, draw_curves, saving, strips, style
from keras_videolstm.visualization.style import ROLE_COLOURS, STYLE, shorten, styled, text_width


def test_the_style_holds_inside_and_the_callers_settings_come_back():
    with matplotlib.rc_context({"font.size": 21.0, "axes.facecolor": "black"}):
        with styled():
            assert matplotlib.rcParams["font.size"] == STYLE["font.size"]
        axes = draw_curves({"loss": [1, 2]}).axes[0]
        assert axes.get_facecolor() == (1, 1, 1, 1)
        assert matplotlib.rcParams["font.size"] == 21.0


def test_the_style_is_left_upon_failure():
    before = matplotlib.rcParams["axes.spines.top"]
    with pytest.raises(RuntimeError), styled():
        raise RuntimeError
    assert matplotlib.rcParams["axes.spines.top"] == before


def test_threads_may_draw_at_the_same_time():
    before = dict(matplotlib.rcParams)
    with ThreadPoolExecutor(4) as threads:
        figures = list(threads.map(lambda n: draw_curves({"loss": np.arange(n)}), range(2, 10)))
    assert [len(figure.axes[0].lines[0].get_ydata()) for figure in figures] == list(range(2, 10))
    assert dict(matplotlib.rcParams) == before


def test_roles_have_colours_of_their_own():
    assert set(ROLE_COLOURS) == {"input", "truth", "rebuilt", "prediction"}
    assert len(set(ROLE_COLOURS.values())) == 4


def test_texts_are_measured_and_shortened():
    assert text_width("") == 0
    assert text_width("mmm") > text_width("iii")
    assert text_width("word", bold=True) > text_width("word")
    assert text_width("word", size=16) == pytest.approx(2 * text_width("word", size=8))
    assert shorten("short", 10) == "short"
    assert shorten("much too long", 6) == "much…"


def test_neither_pyplot_nor_a_framework_is_imported():
    code = (
        "import sys, keras_videolstm.visualization; "
        "print([m for m in ('matplotlib.pyplot', 'keras', 'tensorflow') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


DOCUMENTED = [
    *(getattr(visualization, name) for name in visualization.__all__),
    *(
        getattr(style, name)
        for name in (
            "styled",
            "new_figure",
            "pillow_font",
            "text_width",
            "shorten",
            "wrap_title",
            "add_title",
        )
    ),
    strips.check_rows,
    saving.whole_file,
]


@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda one: one.__name__)
def test_the_example_of_every_public_name_runs(documented):
    (test, *_) = doctest.DocTestFinder(recurse=False).find(documented, module=False, globs={})
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_public_names_are_all_listed():
    assert visualization.__all__ == sorted(visualization.__all__)
    assert animations.ANIMATION_SUFFIXES == (".gif", ".mp4")
