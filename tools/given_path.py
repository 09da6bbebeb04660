"""A file or a folder that a command reads."""

import difflib
import os
from contextlib import suppress
from pathlib import Path

import click

from keras_videolstm.data.tfds_clips import is_of_builder
from keras_videolstm.errors import InputError


class GivenPath(click.Path):
    """A path that must be there, as is found out before TensorFlow has started.

    Args:
        what: is expected there, with its article.

    Raises:
        InputError: if nothing is there.

    Example:
        >>> @click.command()
        ... @click.argument("recipe", type=GivenPath("a recipe"))
        ... def command(recipe: Path) -> None: ...
    """

    def __init__(self, what: str) -> None:
        super().__init__(path_type=Path)
        self._what = what

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the path."""
        path = Path(value)
        if not path.exists():
            raise InputError(
                f"Expected {self._what}. Received: {path}, which does not exist{near_path(path)}"
            )
        return path


class GivenVideos(GivenPath):
    """Videos that must be there; those of TensorFlow Datasets are looked for later.

    Example:
        >>> @click.command()
        ... @click.argument("data", type=GivenVideos("a folder of videos"))
        ... def command(data: Path) -> None: ...
    """

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the path, or the name of a builder as one."""
        if is_of_builder(value):
            return Path(value)
        if "://" in str(value):
            raise InputError(
                f"Expected videos on this machine, or on a file system that is mounted on it. "
                f"Received: an address, {value}"
            )
        return super().convert(value, param, ctx)


def near_path(path: Path) -> str:
    """Return, in words, the path that one which does not exist may be meant for, or nothing.

    Example:
        >>> near_path(Path("my_vidoes"))
        '; is my_videos meant?'
    """
    with suppress(OSError, ValueError):
        beside = [other.name for other in path.parent.iterdir()]
        for name in difflib.get_close_matches(path.name, beside, n=1):
            return f"; is {path.parent / name} meant?"
    return ""
