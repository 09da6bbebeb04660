"""Options that several commands have: one name and one meaning everywhere."""

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.core import ParameterSource

from keras_videolstm.errors import InputError
from keras_videolstm.training.finetune_settings import FinetuneSettings
from keras_videolstm.zoo_folder import METADATA
from keras_videolstm_tools.checkpoint_name import CheckpointName
from keras_videolstm_tools.given_path import GivenPath, GivenVideos

LABELLED = "labelled videos (a folder, a CSV, a video file, tfds:BUILDER) or a percept store"


def _check_mnist(_: click.Context, __: click.Parameter, mnist: str | None) -> str | None:
    """Refuse what is not there before TensorFlow has started."""
    if mnist is not None:
        GivenPath("mnist.npz or a folder of MNIST's idx files").convert(mnist, None, None)
    return mnist


checkpoint_argument = click.argument("checkpoint", type=CheckpointName())
labelled_argument = click.argument("data", type=GivenVideos(LABELLED))
mnist_option = click.option(
    "--mnist",
    type=click.Path(),
    callback=_check_mnist,
    help="mnist.npz, or a folder of MNIST's idx files.",
)
csv_root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Folder that a CSV's paths are relative to.  [default: the CSV's own]",
)
_FITS = click.Choice(["crop", "pad"])
_FIT = "Take the central square, or pad the whole frame to one, as where the sides matter."
fit_option = click.option("--fit", type=_FITS, default="crop", show_default=True, help=_FIT)
checkpoint_fit_option = click.option(
    "--fit", type=_FITS, help=f"{_FIT}  [default: the checkpoint's]"
)
test_groups_option = click.option(
    "--test-groups", default="", help="Sources to test on: g08-g12 or a,b,c."
)
validation_groups_option = click.option(
    "--validation-groups", default="", help="Sources to validate on."
)
extraction_fps_option = click.option(
    "--fps", type=float, default=15, show_default=True, help="Frames a second."
)
untimed_fps_option = click.option(
    "--untimed-fps",
    type=click.FloatRange(0, 1000, min_open=True),
    help="Frames a second of folders of images and of TensorFlow Datasets, which do not say.  "
    "[default: those that percepts are made at]",
)
strict_option = click.option("--strict", is_flag=True, help="Stop at the first bad file.")
training_steps_option = click.option(
    "--training-steps",
    type=click.IntRange(1),
    default=FinetuneSettings().steps,
    show_default=True,
    help=f"Most steps in which all layers learn, after {FinetuneSettings().head_steps} of the "
    "softmax alone at each of its learning rates.",
)

overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Write over a checkpoint that is in --out."
)
from_zoo_option = click.option(
    "--from-zoo", is_flag=True, help="Only measure the published checkpoints; train nothing."
)
runs_option = click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of runs and results; runs in it are continued.",
)

pictures_option = click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the pictures.",
)
long_forecast_option = click.option(
    "--steps", type=click.IntRange(10), default=100, show_default=True, help="Frames to forecast."
)


def drawn_units_option(default: int, which: str) -> Callable:
    """Return the option that says how many units are drawn.

    Example:
        >>> @click.command()
        ... @drawn_units_option(default=200, which="at random")
        ... def command(drawn_units: int) -> None: ...
    """
    return click.option(
        "--drawn-units",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help=f"Units to draw, {which}.",
    )


def repeats_option(default: int) -> Callable:
    """Return the option that says how often all is done.

    Example:
        >>> @click.command()
        ... @repeats_option(default=1)
        ... def command(repeats: int) -> None: ...
    """
    return click.option(
        "--repeats",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="Times that each is trained, every time from a seed of its own.",
    )


def refuse_written(out: Path, overwrite: bool) -> None:
    """Refuse to write over a checkpoint, unless that is wanted.

    Raises:
        InputError: if there is one.

    Example:
        >>> refuse_written(Path("classifier"), overwrite=False)
    """
    if (out / METADATA).is_file() and not overwrite:
        raise InputError(
            f"Expected a folder without a checkpoint, or --overwrite. Received: {out}, which has "
            "one"
        )


def refuse_options(context: click.Context, options: Iterable[str], where: str, given: str) -> None:
    """Refuse options that say nothing beside what is given.

    Raises:
        click.UsageError: at the first of them that was not left out.

    Example:
        >>> refuse_options(context, ["mnist"], "with --on moving_mnist", "percepts.h5")
    """
    for option in options:
        if context.get_parameter_source(option) is not ParameterSource.DEFAULT:
            named = option.replace("_", "-")
            raise click.UsageError(f"Expected --{named} {where}. Received: {given}")
