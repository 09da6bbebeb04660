import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import draw_forecast

TRUTH = np.random.default_rng(0).random((6, 50)) + 0.1


def test_an_error_is_the_mean_over_the_features():
    errors = draw_forecast(TRUTH, 0 * TRUTH, 4).axes[0].lines[-1].get_ydata()
    np.testing.assert_allclose(errors, np.mean(TRUTH**2, axis=1))


def test_frames_read_stand_left_of_a_line_before_those_that_follow():
    film = np.zeros((6, 8, 8, 3), "uint8")
    read = np.full((3, 8, 8, 3), 255, "uint8")
    figure = draw_forecast(TRUTH, TRUTH, 4, frames=film, input_frames=read)
    curves, *_, stills = figure.axes
    assert curves.get_xlim() == stills.get_xlim() == (1.5, 10.5)
    (line,) = stills.lines
    assert list(line.get_xdata()) == [4.5, 4.5]
    for image in stills.images:
        left, right, *_ = image.get_extent()
        bright = image.get_array().mean() > 0
        assert (right <= 4.5) if bright else (left >= 4.5)
    assert [text.get_text() for text in stills.texts] == ["input", "future", "|"]


def test_errors_and_baselines_are_on_one_scale():
    copied = np.mean((TRUTH[:1] - TRUTH) ** 2, axis=1)
    copy = np.broadcast_to(TRUTH[:1], TRUTH.shape)
    axes = draw_forecast(TRUTH, copy, 4, baselines={"copy": copied, "mean": copied + 1}).axes[0]
    first, second, forecast = axes.lines
    np.testing.assert_allclose(first.get_ydata(), forecast.get_ydata())
    assert np.all(second.get_ydata() > first.get_ydata())
    assert forecast.get_xdata().tolist() == [5, 6, 7, 8, 9, 10]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["copy", "mean", "forecast"]
    assert axes.get_xlabel() == "time step (the input ends at 4)"


def test_the_features_that_vary_most_are_shown_on_one_scale():
    steady = TRUTH.copy()
    steady[:, :20] = 1.0
    _, truth, forecast, _ = draw_forecast(steady, TRUTH, 4).axes
    left, right = truth.images[0], forecast.images[0]
    assert left.get_array().shape == right.get_array().shape == (40, 6)
    assert left.get_clim() == right.get_clim()
    spread = left.get_array().std(axis=1)
    assert np.all(spread[:30] > 0)
    assert np.all(np.diff(spread) <= 1e-12)
    assert truth.get_ylabel() == "40 of 50 features,\nwhose truth varies most"


def test_few_constant_features_are_drawn():
    _, truth, _, _ = draw_forecast(np.ones((1, 2)), np.ones((1, 2)), 0).axes
    assert truth.get_ylabel() == "2 features"
    low, high = truth.images[0].get_clim()
    assert low < high


@pytest.mark.parametrize(
    ("truth", "forecast", "baselines", "sentence"),
    [
        (TRUTH[0], TRUTH, {}, r"`truth` of shape \(time, features\).*Received: shape=\(50,\)"),
        (TRUTH, TRUTH[1:], {}, r"of the shape of `truth`, \(6, 50\). Received: shape=\(5, 50\)"),
        (TRUTH, TRUTH * np.nan, {}, "finite numbers in `forecast`. Received: 300 of 300"),
        (TRUTH, TRUTH, {"a": np.ones(5)}, r"`baselines\['a'\]` as 6 errors of at least 0"),
        (TRUTH, TRUTH, {"a": -np.ones(6)}, "Received: 6 numbers from -1"),
        (TRUTH, TRUTH, dict.fromkeys("abcde", np.ones(6)), "at most 4 baselines. Received: 5"),
    ],
)
def test_bad_input_gets_one_clear_sentence(truth, forecast, baselines, sentence):
    with pytest.raises(InputError, match=sentence):
        draw_forecast(truth, forecast, 4, baselines=baselines)


def test_more_frames_than_steps_are_refused():
    film = np.zeros((5, 8, 8, 3), "uint8")
    with pytest.raises(InputError, match=r"at most 4 `frames`. Received: 5"):
        draw_forecast(TRUTH, TRUTH, 4, frames=film, input_frames=film)
    with pytest.raises(InputError, match="`frames` beside `input_frames`"):
        draw_forecast(TRUTH, TRUTH, 4, input_frames=film[:4])
