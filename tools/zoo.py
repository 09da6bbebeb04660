"""`videolstm-tools zoo`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.choices import TEST_SEQUENCES
from keras_videolstm_tools.checkpoint_name import CheckpointName
from keras_videolstm_tools.given_path import GivenPath
from keras_videolstm_tools.results import Made, json_option, with_json
from keras_videolstm_tools.shared_options import mnist_option


@click.group(name="zoo")
def command() -> None:
    """List, show, verify and publish checkpoints; write a page of them.

    \b
    Example:
      videolstm-tools zoo list
    """


@command.command(name="list")
@with_json
def list_command(**options: Any) -> Made:
    """List the checkpoints that `load` takes by name.

    \b
    Example:
      videolstm-tools zoo list
    """
    from keras_videolstm_tools.work.zoo import list_entries

    return list_entries(**options)


@command.command(name="show")
@click.argument("name", type=CheckpointName())
@with_json
def show_command(**options: Any) -> Made:
    """Show a checkpoint's card.

    \b
    Example:
      videolstm-tools zoo show composite_youtube
    """
    from keras_videolstm_tools.work.zoo import show_entry

    return show_entry(**options)


@command.command(name="verify")
@click.argument("names", type=CheckpointName(), nargs=-1)
@json_option
def verify_command(**options: Any) -> None:
    """Check hashes, loading and outputs; of all checkpoints if none is named.

    The outputs, of fixed inputs, must be those that each checkpoint was published with.

    \b
    Example:
      videolstm-tools zoo verify composite_youtube
    """
    from keras_videolstm_tools.work.zoo import verify_entries

    verify_entries(**options)


@command.command(name="publish")
@click.argument("run", type=GivenPath("a run of `train`"))
@click.option("--card", required=True, type=GivenPath("a model card"), help="Model card, Markdown.")
@click.option(
    "--root",
    "data_root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the recipe's stores are relative to.  [default: the run's folder]",
)
@mnist_option
@click.option(
    "--test-sequences",
    type=click.IntRange(1, TEST_SEQUENCES),
    default=TEST_SEQUENCES,
    show_default=True,
    help="Of moving MNIST's test set, the first so many.",
)
@click.option(
    "--clip",
    "clips",
    multiple=True,
    type=GivenPath("a video file"),
    help="Video file whose forecast is drawn, of a model of pixels; may be given more than once.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the checkpoint.  [default: my_zoo, and in it the recipe's name]",
)
@with_json
def publish_command(**options: Any) -> Made:
    """Publish a finished run of `train` as a checkpoint.

    Metrics are measured anew, of percepts on the recipe's test part or else its validation part, of
    moving MNIST on its test set, and written into the card at the line `<!-- results -->`.

    \b
    Example:
      videolstm-tools zoo publish run --card card.md --root . --out my_zoo/my_model
    """
    from keras_videolstm_tools.work.zoo import publish

    return publish(**options)


@command.command(name="page")
@click.option(
    "--zoo",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of checkpoints.  [default: the zoo's folder]",
)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="HTML file."
)
@with_json
def page_command(**options: Any) -> Made:
    """Write one HTML page of all checkpoints that needs no network: pictures, numbers, licences.

    \b
    Example:
      videolstm-tools zoo page --out zoo.html
      videolstm-tools zoo page --zoo my_zoo --out my_zoo.html
    """
    from keras_videolstm_tools.work.zoo import write_page

    return write_page(**options)
