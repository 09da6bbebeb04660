"""A VideoLSTM over feature maps keeps every promise of one of vectors."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.objectives import BernoulliNatsPerFrame

SHAPE = (16, 24, 1)
CONVOLUTIONS = [
    {"patch_size": 2, "kernel_size": 5, "strides": [1, 2]},
    {"patch_size": 4, "strides": [1, 2], "max_displacement": 3},
    {"patch_size": 4, "strides": [1, 2], "max_displacement": 3, "motion_tracks": True},
]


def made_model(convolution: dict) -> VideoLSTM:
    keras.utils.set_random_seed(1)
    return VideoLSTM("conditional_composite", SHAPE, [6, 5], 3, convolution=convolution)


@pytest.fixture(params=CONVOLUTIONS)
def model(request: pytest.FixtureRequest) -> VideoLSTM:
    return made_model(request.param)


@pytest.fixture(scope="module", params=CONVOLUTIONS)
def compiled(request: pytest.FixtureRequest) -> tuple[VideoLSTM, list[np.ndarray]]:
    """A model whose graphs are made once, and what its and its optimiser's variables began with."""
    model = made_model(request.param)
    model.compile(keras.optimizers.Adam(1e-2), BernoulliNatsPerFrame())
    model.optimizer.build(model.trainable_variables)
    model.decoders["prediction"].set_sampling_rate(0.0)  # before the graphs, which read it
    return model, [variable.numpy() for variable in variables_of(model)]


def variables_of(model: VideoLSTM) -> list[keras.Variable]:
    return [*model.weights, *model.optimizer.variables]


@pytest.fixture
def learner(compiled: tuple[VideoLSTM, list[np.ndarray]]) -> VideoLSTM:
    """The compiled model, untrained."""
    model, start = compiled
    for variable, value in zip(variables_of(model), start, strict=True):
        variable.assign(value)
    return model


def made_clips(steps: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((2, steps, *SHAPE)).astype("float32")


def batch_of(clips: np.ndarray) -> tuple[dict, dict]:
    frames, future = clips[:, :4], clips[:, 4:]
    return {"frames": frames, "future": future}, {"prediction": future, "reconstruction": frames}


def test_verbs_give_frames_and_maps(model: VideoLSTM) -> None:
    clips = made_clips()
    assert model.encode(clips).shape == (2, *model.encoder.cells[-1].state_shape)
    assert model.reconstruct(clips).shape == clips.shape
    assert model.forecast(clips, 7).shape == (2, 7, *SHAPE)
    assert model.forecast(clips[0]).shape == (3, *SHAPE)


def test_a_longer_forecast_begins_with_the_shorter_one(model: VideoLSTM) -> None:
    clips = made_clips()
    np.testing.assert_allclose(model.forecast(clips, 70)[:, :3], model.forecast(clips), atol=1e-5)


def test_a_stream_says_the_same_as_the_whole_clip(model: VideoLSTM) -> None:
    clip = made_clips()[0]
    stream = model.stream()
    first, rest = stream.push(clip[0]), stream.push(clip[1:])
    whole = model.encode(clip, every_step=True)
    np.testing.assert_allclose(np.concatenate([first[None], rest]), whole, atol=1e-5)
    np.testing.assert_allclose(stream.forecast(5), model.forecast(clip, 5), atol=1e-5)


def test_forced_on_its_own_frames_it_writes_them_again(model: VideoLSTM) -> None:
    clips = made_clips()
    decoder = model.decoders["prediction"]
    _, state = model.encoder(clips)
    own = decoder(state, steps=5, feedback=True)
    forced = decoder(state, truth=own, feedback=False)
    np.testing.assert_allclose(forced, own, atol=1e-5)
    other = decoder(state, truth=1 - np.asarray(own), feedback=False)
    assert np.abs(other - forced).max() > 1e-3
    np.testing.assert_allclose(other[:, 0], forced[:, 0], atol=1e-6)


def test_what_moves_in_the_frame_moves_in_the_forecast(model: VideoLSTM) -> None:
    # The same weights at every place: far from the edges a shift in is a shift out.
    step = model.convolution.patch_size * model.convolution.scale(1)
    wide = VideoLSTM(
        model.variant, (64, 64, 1), model.units, 2, convolution=model.convolution.to_config()
    )
    clip = np.zeros((2, 2, 64, 64, 1), "float32")
    clip[0, :, 28:34, 28:34] = 1
    clip[1] = np.roll(clip[0], step, axis=2)
    there, shifted = wide.forecast(clip, 1)
    inside = slice(24, 40)
    moved = slice(24 + step, 40 + step)
    np.testing.assert_allclose(shifted[:, inside, moved], there[:, inside, inside], atol=1e-4)
    assert np.ptp(there[:, inside, inside]) > 1e-3


@pytest.mark.parametrize(
    "rate",
    [pytest.param(0.0, marks=pytest.mark.slow), 0.5, pytest.param(1.0, marks=pytest.mark.slow)],
)
def test_it_learns_forced_sampled_and_on_its_own_frames(learner: VideoLSTM, rate: float) -> None:
    learner.decoders["prediction"].set_sampling_rate(rate)
    x, y = batch_of((made_clips(7) > 0.5).astype("float32"))
    history = learner.fit(x, y, epochs=12, verbose=0).history["loss"]
    assert history[-1] < 0.98 * history[0]
    results = learner.evaluate(x, y, verbose=0, return_dict=True)
    assert set(results) == {
        "loss",
        "prediction_loss",
        "prediction_forced_loss",
        "reconstruction_loss",
    }


def test_it_survives_a_file(learner: VideoLSTM, tmp_path: Path) -> None:
    learner.fit(*batch_of(made_clips(7)), verbose=0)
    learner.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_config() == learner.get_config()
    clips = made_clips()
    np.testing.assert_array_equal(again.forecast(clips, 5), learner.forecast(clips, 5))


def test_activity_is_that_of_the_frames_written(model: VideoLSTM) -> None:
    layers = model.activity(made_clips(), 5)
    assert [a.shape for a in layers] == [(2, 5, *cell.state_shape) for cell in model.encoder.cells]
    decoder, forecast = model.decoders["prediction"], model.forecast(made_clips(), 5)
    known = np.concatenate([made_clips()[:, -1:], forecast[:, :-1]], axis=1)
    logits = decoder._layout.restore(decoder._read_off(layers, decoder._layout.arrange(known)))
    np.testing.assert_allclose(1 / (1 + np.exp(-np.asarray(logits))), forecast, atol=1e-5)


def test_bytes_are_pixels(model: VideoLSTM) -> None:
    clips = (255 * made_clips()).astype("uint8")
    np.testing.assert_allclose(model.forecast(clips), model.forecast(clips / 255.0), atol=1e-6)


def test_another_size_is_refused(model: VideoLSTM) -> None:
    with pytest.raises(InputError, match="Expected frames"):
        model.forecast(np.zeros((4, 24, 16, 1)))


def test_sides_that_patches_do_not_fill_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        VideoLSTM("composite", (20, 24, 1), [4, 4], convolution={"strides": [1, 2]})
