"""Tests of extraction as an Apache Beam pipeline, on Beam's local runner."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.data.action_clips import find_clips
from keras_videolstm.data.figures import write_clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.percepts import extract
from tests.video_files import level_frames


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    for number in range(5):
        frames = np.roll(level_frames(), number, axis=0)
        write_clip(tmp_path / "videos" / "run" / f"{number}.mp4", frames, fps=10)
    (tmp_path / "videos" / "run" / "bad.mp4").write_text("no video")
    return tmp_path / "videos"


def call_beam(
    videos: Path, store: Path, *options: str, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own: Beam must pickle what it sends to workers."""
    command = ["extract", videos, "--out", store, "--percepts", "patches", "--fps", "10"]
    command += ["--shards", "3", "--beam"]
    for option in options:
        command += ["--beam-option", option]
    return subprocess.run(
        [sys.executable, "-m", "keras_videolstm_tools.main", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def run_beam(videos: Path, store: Path, folder: Path | None = None) -> str:
    done = call_beam(videos, store, "direct_num_workers=2", folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_pipeline_writes_the_same_store_and_each_file_once(videos, tmp_path):
    extract(find_clips(videos), tmp_path / "here", "patches", fps=10, shards=3)
    said = run_beam(videos, tmp_path / "there")
    assert "5 videos, 30 frames (30 new" in said
    assert "bad.mp4" in said
    here, there = PerceptStore(tmp_path / "here"), PerceptStore(tmp_path / "there")
    assert list(there.names) == list(here.names)
    for index in range(5):
        np.testing.assert_array_equal(there.read(index), here.read(index))
    files = sorted((tmp_path / "there").iterdir())
    (tmp_path / "there" / files[1].name).unlink()
    written = [path.stat().st_mtime_ns for path in (files[0], files[2])]
    # What is there stays, what is missing is written.
    assert "5 videos, 30 frames (12 new" in run_beam(videos, tmp_path / "there")
    assert [path.stat().st_mtime_ns for path in (files[0], files[2])] == written


@pytest.mark.slow
def test_a_pipeline_goes_on_with_a_store_of_relative_paths_that_has_grown(
    videos, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    extract(find_clips("videos"), "store", "patches", fps=10.0, shards=3)  # as the command has it
    for number in range(4):
        frames = np.roll(level_frames(), number, axis=0)
        write_clip(videos / "dance" / f"{number}.mp4", frames, fps=10)
    assert "9 videos, 54 frames (24 new" in run_beam(Path("videos"), Path("store"), tmp_path)
    extract(find_clips(videos), "whole", "patches", fps=10, shards=3)
    found, expected = PerceptStore("store"), PerceptStore("whole")
    assert list(found.names) == list(expected.names)
    for index in range(9):
        np.testing.assert_array_equal(found.read(index), expected.read(index))
    assert len(list(Path("store").iterdir())) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("runner=Nope", "Unexpected pipeline runner: Nope"),
        ("direct_num_workers=x", "--direct_num_workers: invalid int value: 'x'"),
        ("environment_type=Nope", "Nope"),
    ],
)
def test_options_that_beam_cannot_take_are_told_in_a_sentence(option, words, videos, tmp_path):
    runner = ["runner=PortableRunner"] if "environment" in option else []
    done = call_beam(videos, tmp_path / "store", option, *runner)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "usage:" not in done.stderr
    said = done.stderr.splitlines()[-1]
    assert said.startswith("Error: Expected a runner of Apache Beam, and options, that work here.")
    assert words in said
    assert not (tmp_path / "store").exists()
