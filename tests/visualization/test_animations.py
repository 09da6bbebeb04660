import av
import numpy as np
import pytest
from PIL import Image

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import Strip, animations, side_by_side, write_animation
from keras_videolstm.visualization.style import ROLE_COLOURS


def film(steps=6, height=32, width=48, channels=None):
    """A bright bar that moves to the right."""
    frames = np.zeros((steps, height, width), np.float32)
    for step in range(steps):
        frames[step, :, 4 * step : 4 * step + 4] = 1.0
    return frames if channels is None else np.repeat(frames[..., None], channels, -1)


def colour_of(role):
    return tuple(int(ROLE_COLOURS[role][place : place + 2], 16) for place in (1, 3, 5))


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_a_gif_is_read_back_as_written(tmp_path, channels):
    path = write_animation(film(channels=channels), tmp_path / "film.gif", fps=5)
    with Image.open(path) as image:
        assert (image.n_frames, image.size) == (6, (48, 32))
        for step in range(6):
            image.seek(step)
            assert image.info["duration"] == 200
            pixels = np.asarray(image.convert("RGB"))
            np.testing.assert_array_equal(pixels, np.rint(film(channels=3)[step] * 255))
        assert image.info["loop"] == 0
    assert [file.name for file in tmp_path.iterdir()] == ["film.gif"]


def test_a_gif_keeps_the_colours_of_the_borders(tmp_path):
    frames = side_by_side({"truth": film(), "prediction": film()})
    path = write_animation(frames, tmp_path / "film.gif")
    with Image.open(path) as image:
        seen = {colour for _, colour in image.convert("RGB").getcolors(100_000)}
    assert {colour_of("truth"), colour_of("prediction")} <= seen


@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize(("size", "even"), [((32, 48), (32, 48)), ((33, 47), (34, 48))])
def test_an_mp4_is_read_back_with_even_sizes(tmp_path, channels, size, even):
    path = write_animation(film(6, *size, channels), tmp_path / "film.mp4", fps=12.5)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert float(stream.average_rate) == 12.5
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 6
    assert frames[0].shape == (*even, 3)
    wanted = film(6, *size, 3)[4] * 255.0
    assert np.abs(frames[4][: size[0], : size[1]] - wanted).mean() < 12
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(b"old")

    def fail(pixels, path, rate):
        path.write_bytes(b"half")
        raise RuntimeError("disk full")

    monkeypatch.setattr(animations, "_write_gif", fail)
    monkeypatch.setattr(animations, "_write_mp4", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        write_animation(film(), tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"old"


@pytest.mark.parametrize(
    ("frames", "name", "fps", "sentence"),
    [
        (film(), "film.avi", 10, "ending in one of .gif, .mp4. Received: .*film.avi"),
        (film(), "none/film.gif", 10, "Expected a folder that exists. Received: .*none"),
        (film(), "film.gif", 0, "`fps` from 0.1 to 100 frames a second. Received: 0"),
        (film(), "film.gif", float("nan"), "Received: nan"),
        (film()[0], "film.gif", 10, r"Received: shape=\(32, 48\)"),
        (film() * np.nan, "film.gif", 10, "finite numbers in `frames`"),
    ],
)
def test_bad_input_gets_one_clear_sentence(tmp_path, frames, name, fps, sentence):
    with pytest.raises(InputError, match=sentence):
        write_animation(frames, tmp_path / name, fps=fps)
    assert not list(tmp_path.iterdir())


def test_panels_stand_side_by_side_with_borders_by_role():
    rows = {
        "film": [Strip(film()[:3]), Strip(film()[3:], 3, "truth")],
        "model": Strip(film()[3:], 3, "prediction"),
    }
    frames = side_by_side(rows, input_steps=3, panel_size=48)
    assert frames.dtype == np.uint8
    assert frames.shape == (6, 32 + 8 + 2 * 24, 2 * (48 + 8) + 3 * 12, 3)
    left, right = (24 + 20, 12), (24 + 20, 12 + 56 + 12)
    assert tuple(frames[2][left]) == colour_of("input")
    assert tuple(frames[3][left]) == colour_of("truth")
    assert tuple(frames[3][right]) == colour_of("prediction")
    assert tuple(frames[2][right]) not in {colour_of("prediction"), colour_of("input")}
    inside = frames[4][28 : 28 + 32, 16 : 16 + 48]
    np.testing.assert_array_equal(inside, film(channels=3)[4] * 255)


def test_small_frames_are_enlarged_by_whole_numbers():
    frames = side_by_side({"input": film()}, panel_size=100)
    inside = frames[1][28 : 28 + 64, 16 : 16 + 96]
    np.testing.assert_array_equal(inside, film(channels=3)[1].repeat(2, 0).repeat(2, 1) * 255)


def test_a_long_name_gets_its_room():
    narrow = side_by_side({"a": film()}, panel_size=1)
    wide = side_by_side({"a name that is wider than the film": film()}, panel_size=1)
    assert wide.shape[2] > narrow.shape[2]


def test_the_caption_tells_the_future_from_the_input():
    still = np.zeros((2, 32, 48))
    plain = side_by_side({"a": still})
    marked = side_by_side({"a": still}, input_steps=1)
    assert not np.array_equal(plain[0], plain[1])
    assert not np.array_equal(marked[1], plain[1])


def test_side_by_side_refuses_an_input_longer_than_the_film():
    with pytest.raises(
        InputError, match=r"`input_steps` as a whole number from 1 to 6\. Received: 7"
    ):
        side_by_side({"a": film()}, input_steps=7)


def test_an_empty_panel_says_from_when_on_it_has_a_frame():
    film = np.zeros((6, 40, 40))
    begins = side_by_side({"late": Strip(film[3:], start=3), "all": film}, panel_size=80)
    ends = side_by_side({"early": Strip(film[:3]), "all": film}, panel_size=80)
    # Grey alone, or writing on it: the middle of the left panel.
    panel = (slice(50, 90), slice(30, 70))
    assert len(np.unique(begins[0][panel])) > 1
    assert len(np.unique(ends[5][panel])) == 1
