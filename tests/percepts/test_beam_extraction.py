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

pytest.importorskip("apache_beam")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    for number in range(5):
        frames = np.roll(level_frames(), number, axis=0)
        write_clip(tmp_path / "videos" / "run" / f"{number}.mp4", frames, fps=10)
    (tmp_path / "videos" / "run" / "bad.mp4").write_text("no video")
    return tmp_path / "videos"


def run_beam(videos: Path, store: Path) -> str:
    """Run the command in a process of its own: Beam must pickle what it sends to workers."""
    command = ["extract", videos, "--out", store, "--percepts", "patches", "--fps", "10"]
    command += ["--shards", "3", "--beam", "--beam-option", "direct_num_workers=2"]
    done = subprocess.run(
        [sys.executable, "-m", "keras_videolstm_tools.main", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
