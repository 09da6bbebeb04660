"""Tests of the command that makes a data set."""

import json
from pathlib import Path

from tests.command_line import done


def test_json_names_every_clip_with_its_action_and_figure(tmp_path):
    out = tmp_path / "figures"
    arguments = ("--figures", 1, "--clips", 1, "--seconds", 0.2, "--action", "walk", "--action")
    made = json.loads(done("make-figures", "--out", out, *arguments, "jump", "--json"))
    assert made["out"] == str(out)
    assert Path(made["table"]).is_file()
    assert [(clip["label"], clip["group"]) for clip in made["clips"]] == [
        ("walk", "figure00"),
        ("jump", "figure00"),
    ]
    assert {Path(clip["path"]) for clip in made["clips"]} == set(out.glob("*/*"))
