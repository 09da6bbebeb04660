"""`videolstm-tools finetune`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.training.finetune_settings import FinetuneSettings
from keras_videolstm_tools.given_path import GivenVideos
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    LABELLED,
    checkpoint_argument,
    checkpoint_fit_option,
    csv_root_option,
    labelled_argument,
    overwrite_option,
    refuse_options,
    refuse_written,
    repeats_option,
    strict_option,
    test_groups_option,
    training_steps_option,
    untimed_fps_option,
    validation_groups_option,
)

_DEFAULTS = FinetuneSettings()
_OF_EXTRACTION = ("fps", "untimed_fps", "fit", "root", "strict")
_WITH_TEST = " (two with --test VIDEOS, from which the test part is taken)"


@click.command(name="finetune")
@checkpoint_argument
@labelled_argument
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@overwrite_option
@click.option("--test", "test_data", type=GivenVideos(LABELLED), help="Videos to test on.")
@click.option("--from-scratch", is_flag=True, help="Random weights in the checkpoint's layers.")
@click.option("--compare", "with_baselines", is_flag=True, help="Train the baselines too.")
@repeats_option(default=1)
@click.option("--shots", type=click.IntRange(1), help="Labelled videos a class.  [default: all]")
@test_groups_option
@validation_groups_option
@click.option("--fps", type=float, help="Frames a second.  [default: the checkpoint's]")
@untimed_fps_option
@checkpoint_fit_option
@csv_root_option
@strict_option
@training_steps_option
@click.option(
    "--learning-rate",
    type=float,
    default=_DEFAULTS.learning_rate,
    show_default=True,
    help="Adam's in these.",
)
@click.option(
    "--head-learning-rate",
    "head_learning_rates",
    type=float,
    multiple=True,
    default=_DEFAULTS.head_learning_rates,
    show_default=True,
    help="Of the softmax, which learns first, alone; of several the validation part chooses one.",
)
@click.option(
    "--dropout",
    type=float,
    default=_DEFAULTS.dropout,
    show_default=True,
    help="Rate between layers and before the softmax.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Of the split, weights, blocks and dropout.",
)
@with_json
@click.pass_context
def command(
    context: click.Context,
    data: Path,
    out: Path,
    root: Path | None,
    overwrite: bool,
    **options: Any,
) -> Made:
    """Fine-tune a checkpoint into an action classifier.

    DATA is a folder with one sub-folder a class, a CSV (path, label, group) or a percept store.
    Sources (groups) never stand on both sides of a split; training stops by the validation part,
    and the test part is scored once, at the end. In a folder the source is read from names like
    those of UCF-101 and HMDB-51, and is else the file itself: a CSV says which files belong
    together.

    \b
    Example:
      videolstm-tools finetune composite_youtube my_videos --out classifier --compare
    """
    refuse_written(out, overwrite)
    from keras_videolstm_tools.labelled_source import (
        check_classes,
        check_groups,
        check_same_classes,
        is_store,
    )

    test_data = options["test_data"]
    if is_store(data) and (test_data is None or is_store(test_data)):
        refuse_options(context, _OF_EXTRACTION, "with videos, whose percepts are made", f"{data}")
    if test_data:
        refuse_options(context, ["test_groups"], "without --test", f"--test {test_data}")
        check_same_classes(data, test_data, root)
    if options["test_groups"] or options["validation_groups"]:
        check_classes(data, root)
        check_groups(data, root, f"{options['test_groups']},{options['validation_groups']}")
    elif test_data:
        check_classes(data, root, parts=2)
    else:
        check_classes(data, root, parts=3, hint=_WITH_TEST)
    from keras_videolstm_tools.work.finetune import run

    return run(data=data, out=out, root=root, **options)
