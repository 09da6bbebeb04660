"""The command `videolstm-tools`."""

import difflib
import importlib
import io
import logging
import os
import sys
import warnings
from typing import Any

import click
from click.shell_completion import CompletionItem

from keras_videolstm._version import __version__
from keras_videolstm.errors import InputError

# Said before TensorFlow is imported: its start-up notices drown the answer.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# By this shells know that a person ended a command, and end the loop around it, too.
_INTERRUPTED = 130

_COMMANDS = {
    "benchmark": "Measure speed and memory beside PyTorch and stock Keras.",
    "evaluate": "Measure a checkpoint frame by frame, on moving MNIST or on percepts.",
    "export": "Write a checkpoint for TensorFlow, TensorFlow Lite or ONNX.",
    "extract": "Video files to a store of percepts.",
    "finetune": "Fine-tune a checkpoint into an action classifier.",
    "make-figures": "Make a data set of moving figures as real video files.",
    "predict": "Name the action in clips, or forecast their next frames.",
    "recipe": "Write a recipe and a card to start from, for your own percepts.",
    "reproduce": "Draw the paper's figures and make its tables again.",
    "temporal-stream": "Train a convnet on optical flow, for flow percepts.",
    "train": "Train a model by a recipe; continue where a killed run stopped.",
    "visualize": "Draw what a checkpoint predicts, weighs, does and tells apart.",
    "zoo": "List, show, verify and publish checkpoints; write a page of them.",
}


def _quieten() -> None:
    """Leave out notices that say nothing to a user of these commands."""
    warnings.filterwarnings("ignore", message="Your input ran out of data")
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed")
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)


class LazyGroup(click.Group):
    """Imports a command's file when it is asked for, which imports its work when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        if cmd_name not in _COMMANDS:
            return None
        _quieten()
        module = importlib.import_module(f"keras_videolstm_tools.{cmd_name.replace('-', '_')}")
        return module.command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; of an unknown one, tell which is meant."""
        near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
        if near and args[0] not in _COMMANDS:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands without importing them."""
        names = [
            CompletionItem(name, help=text)
            for name, text in sorted(_COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; bad input becomes one sentence and exit code 1."""
        for stream in (sys.stdout, sys.stderr):
            # File names and ± must not end a command on a terminal that cannot show them.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise click.ClickException(" ".join(str(error).split())) from error
        except OSError as error:
            # A full disk, a missing permission, a file where a folder should be.
            reason = " ".join(str(error).split())
            raise click.ClickException(
                f"Expected files that can be read and written. Received: {reason}"
            ) from error
        except KeyboardInterrupt as error:
            stopped = click.ClickException(
                "Stopped. Complete files are kept: the same command, run again, takes them over."
            )
            stopped.exit_code = _INTERRUPTED
            raise stopped from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Video representations with LSTMs: train, publish, fine-tune, predict.

    \b
    Example:
      videolstm-tools finetune composite_youtube my_videos --out classifier
      videolstm-tools predict classifier clip.mp4
    """


if __name__ == "__main__":
    main()
