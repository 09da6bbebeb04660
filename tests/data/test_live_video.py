"""Live sources, from a real HTTP server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keras_videolstm.data.live_video import is_live, record_live
from keras_videolstm.data.video import FrameFormat, read_video
from keras_videolstm.data.video_writer import write_clip
from keras_videolstm.errors import InputError
from tests.live_server import serving
from tests.video_files import LEVELS, levels_of, noise_frames

FPS = 15
FRAMES = noise_frames(2 * FPS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as address:
        yield address


@pytest.mark.parametrize("text", ["0", "12", "http://h/a.mp4", "https://h/a.m3u8", "rtsp://h/door"])
def test_cameras_and_addresses_are_live(text):
    assert is_live(text)


@pytest.mark.parametrize("text", ["clip.mp4", "10:30.mp4", "file:///etc/passwd", "concat:a|b", ""])
def test_files_are_not_live(text):
    assert not is_live(text)


def test_a_file_named_by_digits_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("7").touch()
    assert not is_live("7")


def test_an_address_gives_the_frames_that_the_file_has(server, tmp_path):
    write_clip(tmp_path / "served" / "clip.mkv", FRAMES, fps=FPS)
    record_live(f"{server}/clip.mkv", tmp_path / "live.mkv", seconds=60)
    recorded, original = read_video(tmp_path / "live.mkv"), read_video(tmp_path / "served/clip.mkv")
    assert (recorded == original).all()


def test_a_recording_ends_after_its_seconds(server, tmp_path):
    write_clip(tmp_path / "served" / "clip.mkv", FRAMES, fps=FPS)
    record_live(f"{server}/clip.mkv", tmp_path / "live.mkv", seconds=1)
    # Frames are kept up to the last one that another needs.
    assert FPS <= len(read_video(tmp_path / "live.mkv")) <= FPS + 4


def test_an_endless_stream_is_recorded_for_its_seconds(server, tmp_path):
    record_live(f"{server}/camera", tmp_path / "camera.mkv", seconds=2)
    frames = read_video(tmp_path / "camera.mkv", FrameFormat(fps=25))
    assert levels_of(frames) == [number % len(LEVELS) for number in range(50)]


def test_a_camera_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(InputError, match=r"that can be read\. Received: 99"):
        record_live("99", tmp_path / "camera.mkv", seconds=1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["missing.mp4", "text.mp4"])
def test_an_address_without_a_video_is_said_so(server, tmp_path, name):
    (tmp_path / "served" / "text.mp4").write_text("no video")
    with pytest.raises(InputError, match=f"Expected a camera or an address.*{name}"):
        record_live(f"{server}/{name}", tmp_path / "live.mkv", seconds=1)
    assert not (tmp_path / "live.mkv").exists()


def test_a_play_list_cannot_name_a_file_of_this_machine(server, tmp_path):
    write_clip(tmp_path / "secret.mp4", FRAMES, fps=FPS)
    lines = ["#EXTM3U", "#EXTINF:2,", (tmp_path / "secret.mp4").as_uri(), "#EXT-X-ENDLIST"]
    (tmp_path / "served" / "list.m3u8").write_text("\n".join(lines))
    with pytest.raises(InputError):
        record_live(f"{server}/list.m3u8", tmp_path / "live.mkv", seconds=1)


def test_seconds_are_positive(tmp_path):
    with pytest.raises(InputError, match="positive number of seconds"):
        record_live("0", tmp_path / "camera.mkv", seconds=0)
