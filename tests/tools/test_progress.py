"""Tests of the line that says how far long work is."""

import io
import json
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from keras_videolstm.data.order_controls import write_order_control
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.training.comparison import compare, starts_from
from keras_videolstm.training.finetune import FinetuneSettings
from keras_videolstm.training.scores import score_videos
from keras_videolstm.training.splits import split_by_group
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.work.counted_store import CountedStore
from tests.percept_files import toy_actions, write_store
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


def test_the_time_left_is_that_of_the_frames_as_files_are_not_alike(clock, monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    line = ProgressLine("extract", "frames")
    clock[0] = 10
    line(0, 3, 100, 1000)  # a third of one long file
    clock[0] = 40
    line(2, 3, 400, 1000)
    clock[0] = 90
    line(2, 3, 1010, 1000)  # more than the files had declared
    clock[0] = 95
    line(3, 3, 1040, 1000)
    left = [shown.rsplit(", ", 1)[1] for shown in lines_of(sys.stderr.getvalue())]
    assert left == ["90 s left", "60 s left", "1 s left", "95 s in all"]


def test_a_terminal_shows_one_line_that_ends_with_the_work(clock, monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    line = ProgressLine("evaluate", "windows")
    for done in (1, 2, 3, 4):
        clock[0] = done / 2
        line(done, 4)
    shown = sys.stderr.getvalue()
    assert shown.count("\n") == 1
    assert shown.endswith("\n")
    assert [text.strip() for text in shown.split("\r")[1:]] == [
        "evaluate: 1/4 windows, 2.0 windows/s, 2 s left",
        "evaluate: 2/4 windows, 2.0 windows/s, 1 s left",
        "evaluate: 3/4 windows, 2.0 windows/s, 1 s left",
        "evaluate: 4/4 windows, 2.0 windows/s, 2 s in all",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (40, "1.5 trained/min, 40 s left"),
        (600, "6.0 trained/h, 10 min left"),
        (18000, "0.2 trained/h, 5.0 h left"),
    ],
)
def test_slow_work_is_told_by_the_minute_and_the_hour(clock, monkeypatch, seconds, said):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    line = ProgressLine("classifiers", "trained")
    clock[0] = seconds
    line(1, 2)
    assert sys.stderr.getvalue() == f"classifiers: 1/2 trained, {said}\n"


def lines_of(shown: str) -> list[str]:
    return [text.strip() for text in shown.split("\r")[1:]]


def test_a_classifier_in_training_shows_its_steps_up_to_where_it_stops(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stderr", Terminal())
    store = toy_actions(tmp_path / "s.h5")
    model = VideoLSTM("composite", (4,), units=[4], activation="linear")
    settings = FinetuneSettings(
        steps=40, head_steps=3, check_every=2, patience=1, learning_rate=1e-9
    )
    starts = {name: starts_from(model)[name] for name in ("single frame", "LSTM from scratch")}
    lines = partial(ProgressLine, unit="steps", may_end_early=True)
    compare(starts, store, split_by_group(store, seed=0), settings, progress=lines)
    shown = sys.stderr.getvalue()
    first, second, rest = shown.split("\n")
    assert rest == ""
    for line, method in ((first, "single frame"), (second, "LSTM from scratch")):
        *_, last = lines_of(line)
        assert last.startswith(f"{method}, repeat 1 of 1: ")
        done, total = last.split(": ")[1].split(" ")[0].split("/")
        # It learns nothing, and stops long before its 43 steps.
        assert done == total
        assert last.endswith(" s in all")
        assert 5 <= int(done) < 20


def test_reading_a_store_shows_how_many_videos_are_read(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stderr", Terminal())
    store = toy_actions(tmp_path / "s.h5")
    classifier = ActionClassifier(4, store.class_names, [4])
    score_videos(classifier, CountedStore(store, "confusion"), np.arange(len(store)))
    shown = sys.stderr.getvalue()
    assert lines_of(shown)[-1].startswith("confusion: 10/10 videos")
    assert shown.count("\n") == 1


def test_the_line_ends_where_videos_are_left_out(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stderr", Terminal())
    videos = [(np.ones((steps, 4), "float32"), "run", f"g{steps}") for steps in (20, 3, 40)]
    counted = CountedStore(write_store(tmp_path / "s.h5", videos), "order")
    write_order_control(counted, tmp_path / "direction.h5", "direction")
    counted.end()
    shown = sys.stderr.getvalue()
    assert lines_of(shown)[-1].startswith("order: 2/2 videos")
    assert shown.endswith("\n")


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
    assert shown.startswith("Starting TensorFlow")
    assert "extract: 1/1" in shown
    assert "s in all" in shown
