"""What commands have made: text for a person, JSON for a program."""

import functools
import json
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@dataclass(frozen=True)
class Made:
    """Something that a command has made or measured.

    Attributes:
        result: plain numbers, texts, lists and dicts, for a program.
        text: for a person.

    Example:
        >>> Made({"sum": 3}, "the sum is 3").text
        'the sum is 3'
    """

    result: Any
    text: str


def print_json(result: Any) -> None:
    """Print a result as JSON."""
    click.echo(json.dumps(result, indent=2))


def with_json(command: Callable[..., Made | Iterable[Made]]) -> Callable[..., None]:
    """Add `--json` to a command that returns what it has made, or gives one thing after another.

    Texts are printed as they come. JSON is printed at the end and alone: a list, where the command
    gives several things; what else is printed goes to standard error then.

    Example:
        >>> @click.command()
        ... @with_json
        ... def command() -> Made:
        ...     return Made({"sum": 3}, "the sum is 3")
    """

    @json_option
    @functools.wraps(command)
    def run(*arguments: Any, as_json: bool, **options: Any) -> None:
        if as_json:
            with redirect_stdout(sys.stderr):
                made = command(*arguments, **options)
                single = isinstance(made, Made)
                result = made.result if single else [one.result for one in made]
            print_json(result)
            return
        made = command(*arguments, **options)
        for one in [made] if isinstance(made, Made) else made:
            click.echo(one.text)

    return run


def pictures(paths: Iterable[Path], shows: str) -> list[Made]:
    """Return pictures of the same thing, such as a strip and a film, as a command gives them.

    Example:
        >>> pictures([Path("out/curves.png")], "learning curves of a run")[0].result
        {'path': 'out/curves.png', 'shows': 'learning curves of a run'}
    """
    return [Made({"path": str(path), "shows": shows}, str(path)) for path in paths]
