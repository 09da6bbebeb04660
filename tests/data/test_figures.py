"""Tests of the generator of figure clips: pixels, motion, files and tables."""

import csv
from pathlib import Path

import av
import numpy as np
import pytest

from keras_videolstm.data import _figure_drawing as drawing
from keras_videolstm.data.figure import Figure
from keras_videolstm.data.figures import ACTIONS, generate_figures, render_clip
from keras_videolstm.data.video_writer import write_clip
from keras_videolstm.errors import InputError

SMALL = {"seconds": 1.0, "fps": 10, "size": (96, 72)}


def decode(path: Path) -> tuple[np.ndarray, float]:
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(frames), rate


def motion(action: str, clip_seeds: range = range(4)) -> np.ndarray:
    """Mean absolute difference from frame to frame, per pixel, over several clips."""
    clips = np.stack([render_clip(action, 0, seed, **SMALL) for seed in clip_seeds]).astype(float)
    return np.abs(np.diff(clips, axis=1)).mean(axis=(0, 1, 4))


def upper_share(picture: np.ndarray) -> float:
    middle = int(0.55 * picture.shape[0])
    return picture[:middle].sum() / picture.sum()


def test_shape_and_type():
    clip = render_clip("walk", 1, 2, seconds=0.5, fps=12, size=(64, 48))
    assert clip.shape == (6, 48, 64, 3)
    assert clip.dtype == np.uint8


@pytest.mark.parametrize("action", ACTIONS)
def test_equal_seeds_give_equal_pixels(action):
    first, second = (render_clip(action, 3, 4, **SMALL) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_each_seed_and_the_action_matter():
    clips = [
        render_clip(action, figure, clip, **SMALL)
        for action, figure, clip in (("walk", 0, 0), ("run", 0, 0), ("walk", 1, 0), ("walk", 0, 1))
    ]
    for number, clip in enumerate(clips):
        assert all(np.abs(clip.astype(int) - other).max() > 50 for other in clips[:number])


def test_the_figure_comes_from_its_seed_only():
    assert Figure.from_seed(5) == Figure.from_seed(5)
    assert Figure.from_seed(5) != Figure.from_seed(6)


@pytest.mark.parametrize("clip_seed", range(3))
def test_the_scene_does_not_depend_on_the_action(clip_seed):
    corners = [render_clip(name, 0, clip_seed, **SMALL)[:, :20, :12] for name in ACTIONS]
    for corner in corners[1:]:
        np.testing.assert_array_equal(corner, corners[0])


@pytest.mark.parametrize("seed", range(5))
def test_the_body_fills_at_least_55_percent_of_the_height(seed):
    moments = np.arange(20) / 10
    scene = drawing.Scene.from_rng(np.random.default_rng(seed), (96, 72), moments, 1.0)
    assert (scene.stature * scene.zoom / 72).min() >= 0.55


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_moves(action):
    centre = motion(action)[10:70, 30:66]
    assert np.sort(centre.ravel())[-100:].mean() > 12.0


def test_waving_and_punching_move_the_upper_body_more_than_walking():
    walking = upper_share(motion("walk"))
    assert upper_share(motion("wave")) > walking + 0.08
    assert upper_share(motion("punch")) > walking + 0.04


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", None),
        (".avi", None),
        (".mkv", None),
        (".mov", "mpeg4"),
        (".webm", None),
        (".webm", "libvpx"),
    ],
)
def test_written_files_decode_to_the_same_clip(tmp_path, suffix, codec):
    frames = render_clip("jump", 0, 0, **SMALL)
    path = tmp_path / "new" / f"clip{suffix}"
    write_clip(path, frames, 10, codec=codec)
    decoded, rate = decode(path)
    assert decoded.shape == frames.shape
    assert rate == pytest.approx(10)
    assert np.abs(decoded.astype(int) - frames).mean() < 14
    assert list(path.parent.iterdir()) == [path]


def test_gif_takes_odd_sizes(tmp_path):
    frames = render_clip("wave", 0, 0, **SMALL)[:, :71, :95]
    write_clip(tmp_path / "clip.gif", frames, 10)
    assert decode(tmp_path / "clip.gif")[0].shape == frames.shape


def test_a_failed_write_leaves_nothing_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "clip.webm"
    path.write_bytes(b"old")
    with pytest.raises((av.FFmpegError, ValueError)):
        write_clip(path, render_clip("wave", 0, 0, **SMALL), 10, codec="gif")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_generated_folder(tmp_path):
    seen = []
    folder = generate_figures(
        tmp_path / "clips",
        figures=2,
        clips_per_figure=2,
        first_figure=7,
        seconds=0.4,
        fps=10,
        size=(64, 48),
        progress=lambda done, total: seen.append((done, total)),
    )
    with (folder / "clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    count = len(ACTIONS) * 4
    assert seen == [(done, count) for done in range(1, count + 1)]
    assert list(rows[0]) == ["path", "label", "group"]
    assert {row["label"] for row in rows} == set(ACTIONS)
    assert {row["group"] for row in rows} == {"figure07", "figure08"}
    files = {path.relative_to(folder).as_posix() for path in folder.glob("*/*")}
    assert {row["path"] for row in rows} == files
    assert {Path(name).suffix for name in files} == {".mp4", ".avi", ".mkv", ".webm"}
    assert all(row["path"].startswith(f"{row['label']}/{row['group']}_clip") for row in rows)
    for name in sorted(files)[::5]:
        decoded, rate = decode(folder / name)
        assert decoded.shape == (4, 48, 64, 3)
        assert rate == pytest.approx(10)


def test_a_figure_does_not_depend_on_the_rest_of_the_folder(tmp_path):
    small = {"clips_per_figure": 1, "seconds": 0.2, "fps": 10, "size": (64, 48)}
    generate_figures(tmp_path / "a", figures=2, actions=["walk", "kick"], **small)
    generate_figures(tmp_path / "b", figures=1, actions="kick", first_figure=1, **small)
    paths = [next((tmp_path / name / "kick").glob("figure01*")) for name in "ab"]
    clips = [decode(path)[0].astype(int) for path in paths]
    assert np.abs(clips[0] - clips[1]).mean() < 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"action": "fly"}, "walk, run, jump"),
        ({"figure_seed": -1}, "figure_seed"),
        ({"clip_seed": 1.5}, "clip_seed"),
        ({"seconds": 0.0}, "seconds and fps above 0"),
        ({"fps": -1}, "seconds and fps above 0"),
        ({"seconds": 0.01}, "at least one frame"),
        ({"size": (0, 48)}, "32 or more"),
        ({"size": 64}, "32 or more"),
        ({"size": (65, 48)}, "even width and height"),
    ],
)
def test_bad_clip_arguments(arguments, message):
    call = {"action": "walk", "figure_seed": 0, "clip_seed": 0, "size": (64, 48), **arguments}
    with pytest.raises(InputError, match=message):
        render_clip(**call)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"figures": 0}, "figures"),
        ({"clips_per_figure": 0}, "clips_per_figure"),
        ({"first_figure": -1}, "first_figure"),
        ({"seed": -1}, "seed"),
        ({"actions": []}, "one or more different actions"),
        ({"actions": ["walk", "walk"]}, "one or more different actions"),
        ({"actions": ["walk", "fly"]}, "an action among"),
        ({"size": (64, 47)}, "even width and height"),
    ],
)
def test_bad_folder_arguments(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        generate_figures(tmp_path / "clips", **arguments)
    assert not (tmp_path / "clips").exists()


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "fps", "codec", "message"),
    [
        ("clip.txt", (2, 48, 64, 3), np.uint8, 10, None, "ends in one of"),
        ("clip.mp4", (2, 48, 64), np.uint8, 10, None, "uint8 frames"),
        ("clip.mp4", (2, 48, 64, 4), np.uint8, 10, None, "uint8 frames"),
        ("clip.mp4", (0, 48, 64, 3), np.uint8, 10, None, "uint8 frames"),
        ("clip.mp4", (2, 48, 64, 3), np.float32, 10, None, "uint8 frames"),
        ("clip.mp4", (2, 47, 64, 3), np.uint8, 10, None, "even width and height"),
        ("clip.mp4", (2, 48, 64, 3), np.uint8, 0, None, "fps above 0"),
        ("clip.mp4", (2, 48, 64, 3), np.uint8, 10, "nonsense", "an encoder that PyAV has"),
    ],
)
def test_bad_frames(tmp_path, name, shape, dtype, fps, codec, message):
    with pytest.raises(InputError, match=message):
        write_clip(tmp_path / name, np.zeros(shape, dtype), fps, codec=codec)
