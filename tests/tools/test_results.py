"""Tests of `--json`: one value alone on standard output, whatever else is printed."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from keras_videolstm_tools.results import Made, pictures, with_json


@click.command()
@click.option("--name", default="x")
@with_json
def one(name: str) -> Made:
    """Return one thing."""
    print("working")
    click.echo("still working")
    return Made({"name": name}, f"it is {name}")


@click.command()
@with_json
def several() -> Iterator[Made]:
    """Give one thing after another, with words between."""
    for number in (1, 2):
        print("working")
        yield Made({"number": number}, f"number {number}")


@pytest.mark.parametrize(
    ("command", "result", "text"),
    [
        (one, {"name": "x"}, ["working", "still working", "it is x"]),
        (several, [{"number": 1}, {"number": 2}], ["working", "number 1", "working", "number 2"]),
    ],
)
def test_json_stands_alone_and_text_comes_as_it_is_made(command, result, text):
    told = CliRunner().invoke(command, ["--json"])
    assert json.loads(told.stdout) == result
    assert told.stderr.splitlines() == [line for line in text if "working" in line]
    told = CliRunner().invoke(command, [])
    assert told.stdout.splitlines() == text
    assert told.stderr == ""


def test_an_error_leaves_standard_output_empty():
    @click.command()
    @with_json
    def failing() -> Iterator[Made]:
        yield Made(1, "one")
        raise click.ClickException("no second")

    told = CliRunner().invoke(failing, ["--json"])
    assert told.exit_code == 1
    assert told.stdout == ""
    assert told.stderr == "Error: no second\n"


def test_pictures_say_where_they_are_and_what_they_show():
    strip, film = pictures([Path("a.png"), Path("a.gif")], "two digits")
    assert strip.result == {"path": "a.png", "shows": "two digits"}
    assert (strip.text, film.text) == ("a.png", "a.gif")
