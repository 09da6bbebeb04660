"""Options of the tables, the figure and the controls of labelled videos."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from keras_videolstm_tools.given_path import GivenPath, GivenVideos
from keras_videolstm_tools.shared_options import (
    LABELLED,
    checkpoint_fit_option,
    repeats_option,
    training_steps_option,
    untimed_fps_option,
)

_SPLITS = (1, 2, 3)

out_option = click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of results; what is in it is continued.",
)


def protocol_options(command: Callable) -> Callable:
    """Add what the tables and the figure have in common."""
    for option in reversed(
        (
            click.option("--ucf101", type=GivenPath("a folder"), help="UCF-101: the folder."),
            click.option("--hmdb51", type=GivenPath("a folder"), help="HMDB-51: the folder."),
            click.option(
                "--split",
                "splits",
                type=click.Choice([str(number) for number in _SPLITS]),
                multiple=True,
                default=[str(number) for number in _SPLITS],
                help="An official split; may be given more than once.  [default: all]",
            ),
            click.option("--data", type=GivenVideos(LABELLED), help="Other labelled videos."),
            click.option(
                "--fold",
                "folds",
                multiple=True,
                metavar="TEST[:VALIDATION]",
                help="Sources of --data to test on, such as g08-g12:g13-g15; one option a fold.  "
                "[default: one fold, drawn as `finetune` does]",
            ),
            untimed_fps_option,
            checkpoint_fit_option,
            repeats_option(default=10),
            training_steps_option,
            out_option,
        )
    ):
        command = option(command)
    return command


def refuse_without_data(
    ucf101: Path | None,
    hmdb51: Path | None,
    data: Path | None,
    folds: Sequence[str],
    **_: Any,
) -> None:
    """Refuse options that name no labelled videos, or do not say how they are divided.

    Raises:
        click.UsageError: if they do not.
    """
    if not (ucf101 or hmdb51 or data) or (folds and not data):
        raise click.UsageError(
            "Expected --ucf101, --hmdb51 or --data. Received: "
            + ("--fold without --data" if folds else "none")
        )
