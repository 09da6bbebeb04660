"""Tests of the line that says how far long work is."""

import io
import json
import os
import subprocess
import sys

import pytest

from keras_videolstm_tools.progress import ProgressLine
from tests.video_files import noise_frames, write_video


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    seconds = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: seconds[0])
    return seconds


def test_where_no_terminal_is_short_work_says_nothing_and_long_work_a_line_every_30_s(
    clock, monkeypatch
):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    line = ProgressLine("extract", "frames")
    for clock[0] in range(1, 71):
        line(int(clock[0]), 70, 10 * int(clock[0]))
    assert sys.stderr.getvalue().splitlines() == [
        "extract: 30/70, 300 frames, 10 frames/s, 40 s left",
        "extract: 60/70, 600 frames, 10 frames/s, 10 s left",
    ]


def test_a_terminal_shows_one_line_that_ends_with_the_work(clock, monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    line = ProgressLine("evaluate", "windows")
    for done in (1, 2, 3, 4):
        clock[0] = done / 2
        line(done, 4, done)
    shown = sys.stderr.getvalue()
    assert shown.count("\n") == 1
    assert shown.endswith("\n")
    assert [text.strip() for text in shown.split("\r")[1:]] == [
        "evaluate: 1/4, 1 windows, 2 windows/s, 2 s left",
        "evaluate: 2/4, 2 windows, 2 windows/s, 1 s left",
        "evaluate: 3/4, 3 windows, 2 windows/s, 0 s left",
        "evaluate: 4/4, 4 windows, 2 windows/s, 0 s left",
    ]


def test_json_for_another_program_leaves_the_progress_to_a_person_at_the_terminal(tmp_path):
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos" / "clip.mp4", noise_frames(8, (64, 64)))
    ours, theirs = os.openpty()
    arguments = ["extract", tmp_path / "videos", "--out", tmp_path / "s.h5", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "keras_videolstm_tools.main", *arguments, "--percepts", "patches"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=300,
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.returncode == 0, shown
    assert json.loads(done.stdout)["videos"] == 1
    assert "extract: 1/1" in shown
    assert "s left" in shown
