"""Tests of what all commands have in common: help, wrong use, one sentence for an error."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import click
import pytest

from keras_videolstm_tools import main as main_module
from keras_videolstm_tools.main import main
from tests.command_line import call, done, refused, start


def all_commands() -> Iterator[tuple[str, ...]]:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, inner) for inner in command.list_commands(context))


@pytest.mark.parametrize("command", list(all_commands()), ids=" ".join)
def test_every_command_has_help_with_an_example(command):
    text = done(*command, "--help")
    assert "Example:" in text
    assert f"videolstm-tools {command[0]}" in text
    assert "Usage:" in text


@pytest.mark.parametrize("name", sorted(main_module._COMMANDS))
def test_every_option_says_what_it_is(name):
    command = main.get_command(click.Context(main), name)
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    for one in commands:
        options = [parameter for parameter in one.params if isinstance(parameter, click.Option)]
        assert [option.opts for option in options if not option.help] == []
        # A note on the default alone says nothing.
        assert [option.opts for option in options if option.help.startswith("[")] == []


MEANINGS = {
    "--batch-size": "at a time",
    "--data": "labelled videos",
    "--drawn-units": "Units to draw",
    "--repeats": "every time from a seed of its own",
    "--root": "relative to",
    "--shots": "Labelled",
    "--steps": "Frames to forecast",
    "--test-sequences": "the first so many",
    "--training-steps": "Most steps",
    "--units": "Units of each",
}
RETIRED = {"--batch", "--draws", "--horizon", "--seeds", "--sequences", "--small"}


def all_options() -> Iterator[tuple[str, str, click.Option]]:
    """Every option of every command: the command, the option's name, and the option."""
    for name, *inner in all_commands():
        command = main.get_command(click.Context(main), name)
        command = command.commands[inner[0]] if inner else command
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield " ".join([name, *inner]), parameter.opts[-1], parameter


def kind(option: click.Option) -> str:
    if option.is_flag:
        return "flag"
    if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType):
        return "number"
    return "choice" if isinstance(option.type, click.Choice) else "name"


def test_an_option_is_of_one_kind_and_means_one_thing_in_all_commands():
    kinds: dict[str, set[str]] = {}
    for command, name, option in all_options():
        kinds.setdefault(name, set()).add(kind(option))
        assert MEANINGS.get(name, "").lower() in option.help.lower(), (command, name)
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}
    assert MEANINGS.keys() <= kinds.keys()
    assert not RETIRED & kinds.keys()


def test_every_command_answers_in_json():
    groups = {command[0] for command in all_commands() if len(command) > 1}
    commands = {" ".join(command) for command in all_commands()} - groups
    assert commands == {command for command, name, _ in all_options() if name == "--json"}


def test_the_table_of_commands_needs_none_of_them():
    text = done("--help")
    assert all(name in text for name in main_module._COMMANDS)
    assert done("-h") == text
    assert done("--version").strip()


WRONG_USE = [
    ("fly",),
    ("zoo", "fly"),
    ("train",),
    ("train", "--recipe", "r.toml", "--out", "x", "--speed", "9"),
    ("finetune", "composite_youtube"),
    ("finetune", "composite_youtube", ".", "--out", "x", "--training-steps", "0"),
    ("finetune", "composite_youtube", ".", "--out", "x", "--training-steps", "many"),
    ("finetune", "composite_youtube", ".", "--out", "x", "--fit", "stretch"),
    ("finetune", "composite_youtube", ".", "--out", "x", "--shots", "-1"),
    ("extract", "."),
    ("predict", "composite_youtube"),
    ("predict", "composite_youtube", "clip.mp4", "--steps", "0"),
    ("evaluate", "composite_youtube", "--on", "percepts.h5", "--digits", "3"),
    ("reproduce", "fig7", "--out", "x"),
    ("reproduce", "table2", "--from-zoo", "--units", "4", "--out", "x"),
]


@pytest.mark.parametrize("arguments", WRONG_USE, ids=" ".join)
def test_wrong_use_exits_with_two(arguments):
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_a_misspelt_command_is_answered_with_the_one_that_is_meant():
    assert "Did you mean 'predict'?" in call("predic").stderr
    assert "mean" not in call("fly").stderr


def test_extract_into_a_folder_is_wrong_use(tmp_path):
    assert "is a directory" in refused("extract", tmp_path, "--out", tmp_path, code=2)
    (tmp_path / "file").touch()
    several = ("--out", tmp_path / "file", "--shards", 2)
    assert "which is a file" in refused("extract", tmp_path, *several, code=2)
    assert "Expected --beam" in refused(
        "extract", tmp_path, "--out", tmp_path / "x", "--beam-option", "runner=X", code=2
    )


@pytest.mark.parametrize(
    ("error", "sentence", "code"),
    [
        (OSError(28, "No space left on device", "x.h5"), "No space left on device: 'x.h5'", 1),
        (PermissionError(13, "Permission denied", "x"), "can be read and written. Received: ", 1),
        (KeyboardInterrupt(), "Stopped. Complete files are kept: the same command", 130),
    ],
)
def test_what_a_disk_or_a_person_refuses_is_one_sentence(error, sentence, code, monkeypatch):
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(main, "get_command", lambda ctx, name: failing)
    assert sentence in refused("extract", code=code)


def test_an_error_of_ours_keeps_its_traceback(monkeypatch):
    @click.command()
    def failing() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(main, "get_command", lambda ctx, name: failing)
    with pytest.raises(ZeroDivisionError):
        call("extract")


@pytest.mark.slow
def test_an_interrupted_extraction_says_one_sentence_and_leaves_whole_videos_only(tmp_path):
    from tests.video_files import noise_frames, write_video

    # More than can be done before the signal comes.
    write_video(tmp_path / "clip.mp4", noise_frames(400, (320, 240)))
    for number in range(60):
        shutil.copy(tmp_path / "clip.mp4", tmp_path / f"clip{number}.mp4")
    store = tmp_path / "out" / "s.h5"
    process = start("extract", tmp_path, "--out", store, "--percepts", "patches")
    waited = time.monotonic()
    while not list(tmp_path.glob("out/.*")) and time.monotonic() - waited < 120:
        time.sleep(0.05)
    # Python drops an interrupt that falls into a callback of its garbage collector, and JAX, where
    # it is installed, has one there: then a person presses again.
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
            break
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    lines = errors.strip().splitlines()
    assert lines[-1].startswith("Error: Stopped.")
    assert "Traceback" not in errors or "_xla_gc_callback" in errors
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".float32"}


def test_names_of_commands_complete_without_importing_them():
    code = "from keras_videolstm_tools.main import main; import sys; "
    code += "from click.shell_completion import ShellComplete as S; "
    code += "print([item.value for item in S(main, {}, 'v', '_V').get_completions([], 'e')]); "
    code += "assert 'tensorflow' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['evaluate', 'export', 'extract']"


# A name of the zoo, and whatever lies in the folder, where the shell completes it.
NAMES = """
from click.shell_completion import ShellComplete
from keras_videolstm_tools.main import main
found = ShellComplete(main, {}, "v", "_V").get_completions(["predict"], "composite_y")
print([(item.type, item.value) for item in found])
"""


def test_names_of_checkpoints_complete_and_files_beside_them():
    done = subprocess.run([sys.executable, "-c", NAMES], capture_output=True, text=True, check=True)
    expected = [("plain", "composite_youtube"), ("file", "composite_y")]
    assert done.stdout.strip() == str(expected)


def test_too_few_sources_are_told_with_the_way_out_that_the_command_has(tmp_path):
    for label in ("run", "walk"):
        (tmp_path / label).mkdir()
        for name in ("a", "b"):
            (tmp_path / label / f"{name}.mp4").touch()
    arguments = (tmp_path, "--out", tmp_path / "out")
    told = refused("finetune", "composite_youtube", *arguments)
    assert "at least 3 sources of the class 'run', one for each part (two with --test" in told
    told = refused("temporal-stream", *arguments)
    assert "at least 3 sources of the class 'run', one for each part. Received: 2 (a, b)" in told


def test_a_misspelt_path_is_told_which_one_is_meant(tmp_path):
    (tmp_path / "my_videos").mkdir()
    (tmp_path / "classifier").mkdir()
    (tmp_path / "classifier" / "metadata.json").write_text("{}")
    (tmp_path / "clip.mp4").touch()
    told = refused("finetune", "composite_youtube", tmp_path / "my_vidoes", "--out", "x")
    assert told.rstrip().endswith(f"is {tmp_path}/my_videos meant?")
    told = refused("predict", tmp_path / "clasifier", tmp_path / "clip.mp4")
    assert told.rstrip().endswith(f"is '{tmp_path}/classifier' meant?")
    told = refused("predict", "composite_youtube", tmp_path / "clp.mp4")
    assert told.rstrip().endswith(f"is {tmp_path}/clip.mp4 meant?")


def test_extraction_writes_over_no_other_file(tmp_path):
    (tmp_path / "notes.h5").write_text("not a store")
    (tmp_path / "clip.mp4").touch()
    told = refused("extract", tmp_path / "clip.mp4", "--out", tmp_path / "notes.h5")
    assert "which is another file" in told
    told = refused("extract", tmp_path / "clip.mp4", "--out", tmp_path / "clip.mp4", code=2)
    assert "--out to end in .h5" in told


NOT_THERE = [
    ("finetune", "composite_yutube", ".", "--out", "x"),
    ("finetune", "composite_youtube", "none", "--out", "x"),
    ("finetune", "composite_youtube", "none.h5", "--out", "x"),
    ("extract", "none", "--out", "x"),
    ("predict", "none.keras", "clip.mp4"),
    ("predict", "composite_youtube", "none.mp4"),
    ("predict", "composite_youtube", "none/*.mp4"),
    ("train", "--recipe", "none.toml", "--out", "x"),
    ("recipe", "none.h5", "--out", "x.toml"),
    ("evaluate", "none", "--on", "moving_mnist"),
    ("visualize", "embeddings", "composite_youtube", "none", "--out", "x"),
    ("reproduce", "fig7", "--data", "none", "--fold", "a", "--out", "x"),
    ("reproduce", "fig4", "composite_moving_mnist", "--mnist", "none.npz", "--out", "x"),
    ("zoo", "publish", "none", "--card", "none.md"),
    ("zoo", "show", "none"),
]
EARLY = """
import json, sys
from click.testing import CliRunner
from keras_videolstm_tools.main import main

for words in json.loads(sys.argv[1]):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1, words
    assert result.output.startswith("Error: Expected "), result.output
    assert "\\nError" not in result.output
    assert "none" in result.output or "is 'composite_youtube' meant?" in result.output
print([name for name in ("tensorflow", "keras") if name in sys.modules])
"""


def test_what_is_not_there_is_said_before_tensorflow_has_started():
    done = subprocess.run(
        [sys.executable, "-c", EARLY, json.dumps(NOT_THERE)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


# In a process of its own: every command is asked for its help, its options and wrong use.
LIGHT = """
import json, sys
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from keras_videolstm_tools.main import main

commands, wrong_use = json.loads(sys.argv[1])
for command in commands:
    assert CliRunner().invoke(main, [*command, "--help"]).exit_code == 0, command
    assert CliRunner().invoke(main, [*command, "--no-such-option"]).exit_code == 2, command
    options = ShellComplete(main, {}, "v", "_V").get_completions(command, "--hel")
    assert [option.value for option in options] == ["--help"], command
for words in wrong_use:
    assert CliRunner().invoke(main, words).exit_code == 2, words
heavy = ("tensorflow", "keras", "h5py", "matplotlib", "av")
print([name for name in heavy if name in sys.modules])
"""


def test_no_help_completion_or_wrong_use_waits_for_a_heavy_library():
    asked = json.dumps([list(all_commands()), WRONG_USE])
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, asked], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
