import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import draw_forecast

CLIP = np.random.default_rng(0).random((10, 50)) + 0.1
READ, TRUTH = CLIP[:4], CLIP[4:]


def test_an_error_is_the_mean_over_the_features():
    errors = draw_forecast(READ, TRUTH, 0 * TRUTH).axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(errors, np.mean(TRUTH**2, axis=1))


def test_what_was_read_stands_left_of_a_line_beside_what_is_rebuilt_of_it():
    film = np.concatenate([np.full((4, 8, 8, 3), 255, "uint8"), np.zeros((6, 8, 8, 3), "uint8")])
    figure = draw_forecast(READ, TRUTH, TRUTH, rebuilt=0 * READ, frames=film)
    curves, truth, model, *_, stills = figure.axes
    for axes in (curves, truth, model, stills):
        assert axes.get_xlim() == (0.5, 10.5)
        assert list(axes.lines[-1].get_xdata()) == [4.5, 4.5]
    rebuilt, forecast, _ = curves.lines
    assert rebuilt.get_xdata().tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(rebuilt.get_ydata(), np.mean(READ**2, axis=1))
    assert forecast.get_xdata().tolist() == [5, 6, 7, 8, 9, 10]
    assert model.get_title(loc="left") == "rebuilt, then forecast"
    for image in stills.images:
        left, right, *_ = image.get_extent()
        bright = image.get_array().mean() > 0
        assert (right <= 4.5) if bright else (left >= 4.5)
    assert [text.get_text() for text in stills.texts] == ["input", "future", "|"]


def test_a_film_that_ends_before_the_forecast_is_drawn_as_far_as_it_goes():
    figure = draw_forecast(READ, TRUTH, TRUTH, frames=np.zeros((3, 8, 8), "uint8"))
    assert figure.axes[-1].images


def test_of_a_long_input_no_more_is_shown_than_of_the_future():
    long = np.concatenate([0 * CLIP, READ])
    curves, truth, *_ = draw_forecast(long, TRUTH, TRUTH, guesses={"zero": 0 * TRUTH[0]}).axes
    assert curves.lines[0].get_xdata().tolist() == list(range(9, 21))
    assert truth.get_xlim() == (8.5, 20.5)


def test_with_a_rate_time_is_in_seconds():
    curves, _, model, *_ = draw_forecast(READ, TRUTH, TRUTH, fps=4).axes
    np.testing.assert_allclose(curves.lines[0].get_xdata(), (np.arange(4, 10) + 0.5) / 4)
    assert curves.get_xlim() == (0, 2.5)
    assert model.get_xlabel() == "seconds, 4 frames in each"


def test_errors_and_guesses_are_on_one_scale():
    guesses = {"last": READ[-1], "ones": np.ones(50)}
    held = np.broadcast_to(READ[-1], TRUTH.shape)
    axes = draw_forecast(READ, TRUTH, held, guesses=guesses).axes[0]
    last, ones, forecast, _ = axes.lines
    np.testing.assert_allclose(last.get_ydata()[4:], forecast.get_ydata())
    assert last.get_ydata()[3] == 0
    np.testing.assert_allclose(ones.get_ydata(), np.mean((CLIP - 1) ** 2, axis=1))
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["last", "ones", "forecast"]


def test_the_features_that_vary_most_are_shown_on_one_scale():
    steady = CLIP.copy()
    steady[:, :20] = 1.0
    _, truth, model, *_ = draw_forecast(steady[:4], steady[4:], TRUTH).axes
    above, below = truth.images[0], model.images[0]
    assert above.get_array().shape == below.get_array().shape == (40, 10)
    assert above.get_clim() == below.get_clim()
    assert below.get_array().mask[:, :4].all()
    spread = above.get_array().std(axis=1)
    assert np.all(spread[:30] > 0)
    assert np.all(np.diff(spread) <= 1e-12)
    assert truth.get_ylabel() == "40 of 50\nfeatures"


def test_few_constant_features_are_drawn():
    one = np.ones((1, 2))
    _, truth, *_ = draw_forecast(one, one, one).axes
    assert truth.get_ylabel() == "2 features"
    low, high = truth.images[0].get_clim()
    assert low < high


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"truth": TRUTH[0]}, r"`truth` of shape \(time, features\).*Received: shape=\(50,\)"),
        ({"truth": TRUTH[:, 1:]}, r"`truth` of the shape of `read`, \(1, 50\).*\(1, 49\)"),
        ({"forecast": TRUTH[1:]}, r"of the shape of `truth`, \(6, 50\). Received: shape=\(5, 50\)"),
        ({"rebuilt": TRUTH}, r"of the shape of `read`, \(4, 50\). Received: shape=\(6, 50\)"),
        ({"forecast": TRUTH * np.nan}, "finite numbers in `forecast`. Received: 300 of 300"),
        ({"guesses": {"a": np.ones(5)}}, r"`guesses\['a'\]` of 50 features. Received: 5"),
        ({"guesses": dict.fromkeys("abcde", np.ones(50))}, "at most 4 guesses. Received: 5"),
        ({"frames": np.zeros((11, 8, 8, 3), "uint8")}, "at most 10 `frames`. Received: 11"),
        ({"fps": 0}, "`fps` above 0. Received: 0"),
    ],
)
def test_bad_input_gets_one_clear_sentence(changed, sentence):
    given = {"read": READ, "truth": TRUTH, "forecast": TRUTH, **changed}
    with pytest.raises(InputError, match=sentence):
        draw_forecast(**given)
