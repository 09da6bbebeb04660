"""The checkpoint that a command is told."""

from pathlib import Path
from urllib.parse import urlparse

import click
from click.shell_completion import CompletionItem

from keras_videolstm.errors import InputError
from keras_videolstm.zoo_folder import find_checkpoint, list_checkpoints


class CheckpointName(click.ParamType):
    """A name of the zoo, a folder or a `.keras` file.

    One that is not there is refused at once, before TensorFlow has started. Names of the zoo and
    files are completed.

    Raises:
        InputError: if there is no such checkpoint.

    Example:
        >>> @click.command()
        ... @click.argument("checkpoint", type=CheckpointName())
        ... def command(checkpoint: str) -> None: ...
    """

    name = "checkpoint"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it is."""
        if urlparse(value).scheme in ("http", "https", "file"):
            raise InputError(
                f"Expected a checkpoint on this machine: download it, or load it in Python with "
                f"keras_videolstm.load(url, sha256=...). Received: {value}"
            )
        if not value.endswith(".keras"):
            find_checkpoint(value)
        elif not Path(value).is_file():
            raise InputError(f"Expected a .keras file. Received: {value}, which does not exist")
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete names of the zoo, and files."""
        names = [name for name in list_checkpoints() if name.startswith(incomplete)]
        return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]
