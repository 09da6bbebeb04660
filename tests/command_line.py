"""Calls of `videolstm-tools` inside a test."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from keras_videolstm_tools.main import main


def call(*arguments: object) -> Result:
    """Run a command; an error that would be a traceback fails the test."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result


def done(*arguments: object) -> str:
    """Run a command that must succeed; return what it printed to standard output."""
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: object, code: int = 1) -> str:
    """Run a command that must fail with one sentence; return the sentence."""
    result = call(*arguments)
    assert result.exit_code == code, result.output
    sentences = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(sentences) == 1, result.output
    assert code == 2 or result.stderr.splitlines()[-1] == sentences[0]
    return sentences[0].removeprefix("Error: ")


def start(
    *arguments: object, environment: dict[str, str] | None = None, **options: object
) -> subprocess.Popen:
    """Start a command as a process of its own."""
    # A shell's background jobs ignore interrupts, and so would what they start.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from keras_videolstm_tools.main import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *(str(argument) for argument in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})},
        **options,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def leftovers(folder: Path) -> list[str]:
    """Temporary files that something forgot."""
    return [name for name in contents(folder) if ".part" in name or Path(name).name[0] == "."]
