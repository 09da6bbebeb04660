"""Tests of reading video: every container, time stamps, geometry, and bad files."""

import os
import shutil
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data.figures import write_clip
from keras_videolstm.data.video import FrameFormat, declared_frames, iter_frames, read_video
from keras_videolstm.errors import InputError
from tests.video_files import (
    LEVELS,
    cut,
    level_frames,
    levels_of,
    noise_frames,
    write_images,
    write_sound,
    write_video,
)

CONTAINERS = ("avi", "gif", "mkv", "mov", "mp4", "webm")


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_every_container_gives_its_frames_and_resamples_by_time_stamps(suffix, tmp_path):
    path = tmp_path / f"clip.{suffix}"
    write_clip(path, level_frames(), fps=10)
    assert read_video(path).shape == (6, 64, 96, 3)
    assert levels_of(read_video(path)) == [0, 1, 2, 3, 4, 5]
    by_one_thread = np.stack(list(iter_frames(path, one_thread=True)))
    np.testing.assert_array_equal(by_one_thread, read_video(path))
    assert levels_of(read_video(path, FrameFormat(fps=5))) == [0, 2, 4]
    # Frame k shows what a player shows at k/15 s: the frame number floor(10 k / 15).
    assert levels_of(read_video(path, FrameFormat(fps=15))) == [0, 0, 1, 2, 2, 3, 4, 4, 5]


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_file_tells_how_many_frames_it_has_without_being_decoded(suffix, tmp_path):
    path = tmp_path / f"clip.{suffix}"
    write_clip(path, np.repeat(level_frames(), 5, axis=0), fps=10)
    assert declared_frames(path) == pytest.approx(30, abs=1)
    assert declared_frames(path, fps=15) == pytest.approx(45, abs=1)


def test_what_tells_no_number_of_frames_counts_as_none(tmp_path):
    assert declared_frames(write_images(tmp_path / "images", level_frames()), fps=3) == 6
    assert declared_frames(tmp_path) == declared_frames(tmp_path / "missing.mp4") == 0
    (tmp_path / "text.mp4").write_text("no video")
    assert declared_frames(tmp_path / "text.mp4") == 0


def test_thirty_frames_a_second_become_fifteen_by_leaving_out_every_other(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, np.repeat(level_frames(), 2, axis=0), fps=30)
    assert levels_of(read_video(path, FrameFormat(fps=15))) == [0, 1, 2, 3, 4, 5]


def test_variable_frame_rate_is_resampled_by_time_and_not_by_count(tmp_path):
    times = [0.0, 0.1, 0.2, 0.6, 0.7, 1.5]
    path = write_video(tmp_path / "clip.mkv", level_frames(), times=times)
    shown = levels_of(read_video(path, FrameFormat(fps=10)))
    expected = [max(i for i in range(6) if times[i] <= k / 10 + 1e-3) for k in range(16)]
    assert shown[:16] == expected
    assert set(shown[16:]) <= {5}


def test_a_video_that_starts_late_is_whole_and_starts_at_its_first_frame(tmp_path):
    times = [2 + i / 10 for i in range(6)]
    path = write_video(tmp_path / "late.mkv", level_frames(), times=times)
    assert levels_of(read_video(path, FrameFormat(fps=10))) == [0, 1, 2, 3, 4, 5]


def test_max_frames_stops_early(tmp_path):
    write_clip(tmp_path / "clip.mp4", level_frames(), fps=10)
    assert levels_of(read_video(tmp_path / "clip.mp4", max_frames=2)) == [0, 1]


def extent(image: np.ndarray) -> tuple[int, int]:
    """Height and width of what is bright."""
    bright = image.mean(axis=-1) > 127
    return int(bright.any(axis=1).sum()), int(bright.any(axis=0).sum())


def ellipse(width: int, height: int, half_width: float, half_height: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width] + 0.5
    inside = ((x - width / 2) / half_width) ** 2 + ((y - height / 2) / half_height) ** 2 < 1
    return np.repeat(np.where(inside, 255, 0).astype(np.uint8)[..., None], 3, axis=-1)


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("shape", [(160, 120), (120, 160)])
def test_a_circle_stays_a_circle(shape, fit, tmp_path):
    write_clip(tmp_path / "circle.mp4", ellipse(*shape, 40, 40)[None], fps=10)
    image = read_video(tmp_path / "circle.mp4", FrameFormat(size=96, fit=fit))[0]
    height, width = extent(image)
    assert image.shape == (96, 96, 3)
    assert abs(height - width) <= 2
    assert height == pytest.approx(80 * 96 / (120 if fit == "crop" else 160), abs=3)


@pytest.mark.parametrize("size", [None, 80])
def test_pixels_twice_as_wide_as_high_are_made_square(size, tmp_path):
    stored = ellipse(80, 120, 20, 40)[None].repeat(3, axis=0)
    path = write_video(tmp_path / "wide.mkv", stored, pixel_aspect=Fraction(2, 1))
    image = read_video(path, FrameFormat(size=size))[0]
    height, width = extent(image)
    assert image.shape == ((120, 160, 3) if size is None else (80, 80, 3))
    assert abs(height - width) <= 3


@pytest.mark.parametrize("size", [None, 80])
def test_frames_of_no_shape_that_a_camera_has_are_refused(size, tmp_path):
    black = np.zeros((3, 80, 120, 3), "uint8")
    path = write_video(tmp_path / "odd.mkv", black, pixel_aspect=Fraction(70, 1))
    with pytest.raises(InputError, match=r"50 times.*odd.mkv with .* 120x80 .* shown as 8400x80"):
        read_video(path, FrameFormat(size=size))


def rotate_by_header(path: Path, matrix: tuple[float, ...]) -> None:
    """Write a rotation into an MP4's track header, as a phone held upright does."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    for place, (value, bits) in enumerate(zip(matrix, (16, 16, 30) * 3, strict=True)):
        data[start + 4 * place : start + 4 * place + 4] = struct.pack(">i", int(value * 2**bits))
    path.write_bytes(bytes(data))


def test_a_phone_video_that_was_held_upright_comes_out_upright(tmp_path):
    frame = np.zeros((64, 96, 3), np.uint8)
    frame[:, :24] = 255  # bright at the left as stored
    path = tmp_path / "phone.mp4"
    write_clip(path, frame[None].repeat(3, axis=0), fps=10)
    # "Turn by 90 degrees clockwise": the stored left side is shown at the top.
    rotate_by_header(path, (0, 1, 0, -1, 0, 0, 64, 0, 1))
    image = read_video(path)[0]
    assert image.shape == (96, 64, 3)
    assert image[:16].mean() > 230
    assert image[40:].mean() < 25


def bars() -> np.ndarray:
    """A 200x100 frame: left and right quarter white, the central square grey."""
    frame = np.full((100, 200, 3), 255, np.uint8)
    frame[:, 50:150] = 100
    return frame[None].repeat(2, axis=0)


def test_crop_takes_the_central_square(tmp_path):
    write_clip(tmp_path / "bars.mp4", bars(), fps=10)
    image = read_video(tmp_path / "bars.mp4", FrameFormat(size=100))[0]
    assert image.shape == (100, 100, 3)
    assert np.abs(image[:, 3:-3].astype(int) - 100).max() < 12


def test_a_crop_may_be_taken_elsewhere_and_flipped(tmp_path):
    frame = np.zeros((60, 120, 3), np.uint8)
    frame[:, :60], frame[30:, 90:] = 100, 200
    write_clip(tmp_path / "corner.mp4", frame[None].repeat(2, axis=0), fps=10)
    path = tmp_path / "corner.mp4"

    def corners(**view: object) -> list[int]:
        image = read_video(path, FrameFormat(size=30, short_side=60, **view))[0].astype(int)
        return [round(image[row, column].mean() / 100) for row in (5, 24) for column in (5, 24)]

    assert corners(place=(0, 0)) == [1, 1, 1, 1]
    assert corners(place=(1, 1)) == [2, 2, 2, 2]
    assert corners(place=(1, 0.84)) == [0, 2, 0, 2]
    assert corners(place=(1, 0.84), flip=True) == [2, 0, 2, 0]
    whole = read_video(path)[0]
    np.testing.assert_array_equal(read_video(path, FrameFormat(flip=True))[0], whole[:, ::-1])


def test_a_larger_short_side_crops_closer(tmp_path):
    write_clip(tmp_path / "circle.mp4", ellipse(160, 120, 40, 40)[None], fps=10)
    image = read_video(tmp_path / "circle.mp4", FrameFormat(size=96, short_side=120))[0]
    assert image.shape == (96, 96, 3)
    assert extent(image) == pytest.approx((80, 80), abs=2)


def test_pad_keeps_the_whole_frame_between_black_bands(tmp_path):
    write_clip(tmp_path / "bars.mp4", bars(), fps=10)
    image = read_video(tmp_path / "bars.mp4", FrameFormat(size=100, fit="pad"))[0]
    assert image.shape == (100, 100, 3)
    assert image[:25].max() == image[75:].max() == 0
    assert image[27:73, :22].min() > 220
    assert np.abs(image[27:73, 30:70].astype(int) - 100).max() < 12


def test_sound_that_is_longer_than_the_pictures_is_not_taken_for_a_lost_tail(tmp_path):
    for suffix in ("mp4", "mkv", "avi"):
        path = write_video(tmp_path / f"clip.{suffix}", level_frames(), sound_seconds=4)
        assert levels_of(read_video(path)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("part", [0.3, 0.6])
@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_truncated_file_is_refused_and_named(suffix, part, tmp_path):
    path = tmp_path / f"clip.{suffix}"
    write_clip(path, noise_frames(60), fps=30)
    with pytest.raises(InputError, match=r"^Expected .*Received: .*clip\." + suffix):
        read_video(cut(path, part))


@pytest.mark.parametrize("suffix", ["avi", "mkv"])
def test_a_truncated_file_with_sound_is_refused(suffix, tmp_path):
    path = write_video(tmp_path / f"clip.{suffix}", noise_frames(40), sound_seconds=6)
    with pytest.raises(InputError, match=r"truncated"):
        read_video(cut(path, 0.5))


@pytest.mark.parametrize("suffix", ["avi", "mkv", "mov", "mp4", "webm"])
def test_a_file_with_a_hole_in_it_is_refused(suffix, tmp_path):
    path = tmp_path / f"clip.{suffix}"
    write_clip(path, noise_frames(60), fps=30)
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : 2 * third] = bytes(third)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"clip\." + suffix):
        read_video(path)


def make_text(path: Path) -> None:
    path.write_text("this is no video\n" * 100, encoding="utf-8")


def make_playlist(path: Path) -> None:
    write_clip(path.with_name("other.mp4"), level_frames(), fps=10)
    path.write_text("ffconcat version 1.0\nfile other.mp4\n", encoding="utf-8")


BAD_FILES = {
    "missing": (lambda path: None, "does not exist"),
    "folder": (Path.mkdir, "a folder with no image"),
    "empty": (Path.touch, r"empty \(0 bytes\)"),
    "text": (make_text, "FFmpeg can open"),
    "playlist of other files": (make_playlist, "is a text"),
    "sound alone": (write_sound, "Expected a video stream"),
    "random bytes": (lambda path: path.write_bytes(bytes(range(256)) * 40), "FFmpeg can open"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_is_no_video_is_refused_in_one_sentence(kind, tmp_path):
    make, words = BAD_FILES[kind]
    path = tmp_path / "clip.mp4"
    make(path)
    with pytest.raises(InputError, match=words) as refusal:
        read_video(path)
    assert str(refusal.value).startswith("Expected")
    assert "clip.mp4" in str(refusal.value)


def test_a_text_file_is_not_played_as_a_terminal_recording(tmp_path):
    make_text(tmp_path / "notes.txt")
    with pytest.raises(InputError, match=r"is a text"):
        read_video(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "a\0b.mp4"])
def test_an_impossible_name_is_refused(name, tmp_path):
    with pytest.raises(InputError, match=r"Expected a video file"):
        read_video(tmp_path / name)


def test_a_jump_of_time_stamps_does_not_fill_the_memory(tmp_path):
    times = [0.0, 0.1, 0.2, 0.3, 0.4, 900_000.0]
    path = write_video(tmp_path / "jump.mkv", level_frames(), times=times)
    with pytest.raises(InputError, match=r"jump by 9000"):
        read_video(path, FrameFormat(fps=15, size=8))


@pytest.mark.parametrize("name", ["10:30.mp4", "weiß 走る.mp4", os.fsdecode(b"latin\xe9.mp4")])
def test_any_name_that_a_disk_allows_can_be_read(name, tmp_path, monkeypatch):
    write_clip(tmp_path / "clip.mp4", level_frames(), fps=10)
    shutil.move(tmp_path / "clip.mp4", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(read_video(name)) == len(LEVELS)


def test_a_missing_file_is_found_out_before_the_first_frame(tmp_path):
    with pytest.raises(InputError, match=r"does not exist"):
        next(iter_frames(tmp_path / "none.mp4"))


@pytest.mark.parametrize(
    "arguments",
    [
        {"fps": 0},
        {"fps": -1},
        {"fps": float("nan")},
        {"fps": float("inf")},
        {"size": 0},
        {"fit": "stretch"},
        {"size": 64, "short_side": 32},
        {"place": (0.5, 1.5)},
        {"place": (float("nan"), 0.5)},
        {"place": (0.5,)},
        {"fit": "pad", "place": (0.0, 0.5)},
    ],
)
def test_an_impossible_format_is_refused(arguments):
    with pytest.raises(InputError, match=r"^Expected .* Received: "):
        FrameFormat(**arguments)


# --- Images ---


def test_images_of_a_folder_are_frames_whatever_the_folder_is_called(tmp_path):
    folder = write_images(tmp_path / "a [b] {c}*é", level_frames())
    assert levels_of(read_video(folder)) == [0, 1, 2, 3, 4, 5]
    # An image is a frame, at any rate.
    assert levels_of(read_video(folder, FrameFormat(fps=7, size=16))) == [0, 1, 2, 3, 4, 5]
    (folder / "notes.txt").write_text("not a frame")
    np.testing.assert_array_equal(read_video(folder), level_frames())


def test_images_that_are_no_film_are_named(tmp_path):
    frames = level_frames()
    with pytest.raises(InputError, match="folder with no image"):
        read_video(tmp_path)
    with pytest.raises(InputError, match=r"img10\.png comes before img2\.png"):
        read_video(write_images(tmp_path / "order", np.repeat(frames, 2, axis=0), "img{}.png"))
    mixed = write_images(tmp_path / "mixed", frames)
    (mixed / "0000.png").rename(mixed / "0000.jpg")
    with pytest.raises(InputError, match=r"images of one kind.*\.jpg, \.png"):
        read_video(mixed)
    sizes = write_images(tmp_path / "sizes", frames)
    write_images(sizes, frames[:1, ::2])
    with pytest.raises(InputError, match="images of one size"):
        read_video(sizes)
    broken = write_images(tmp_path / "broken", frames)
    (broken / "0003.png").write_bytes(b"not an image")
    with pytest.raises(InputError, match=r"Expected an image.*0003\.png"):
        read_video(broken)
    (broken / "0003.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"0003\.png, which is empty"):
        read_video(broken)
