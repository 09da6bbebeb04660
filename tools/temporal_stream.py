"""`videolstm-tools temporal-stream`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.training.temporal_stream_settings import TemporalStreamSettings
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    csv_root_option,
    extraction_fps_option,
    fit_option,
    labelled_argument,
    overwrite_option,
    refuse_written,
    strict_option,
    test_groups_option,
    validation_groups_option,
)

_DEFAULTS = TemporalStreamSettings()


@click.command(name="temporal-stream")
@labelled_argument
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the convnet; in the zoo's folder it is an extractor of its name.",
)
@overwrite_option
@click.option(
    "--stack",
    type=click.IntRange(1),
    default=_DEFAULTS.stack,
    show_default=True,
    help="Flows that it reads at a time; the paper has 1 and 10.",
)
@test_groups_option
@validation_groups_option
@extraction_fps_option
@fit_option
@csv_root_option
@strict_option
@click.option(
    "--training-steps",
    type=click.IntRange(1),
    default=_DEFAULTS.steps,
    show_default=True,
    help="Most steps; the weights that validate best are kept.",
)
@click.option(
    "--seed",
    type=int,
    default=_DEFAULTS.seed,
    show_default=True,
    help="Of the split, weights, stacks, shifts, flips and dropout.",
)
@with_json
def command(data: Path, out: Path, root: Path | None, overwrite: bool, **options: Any) -> Made:
    """Train a convnet to name actions by optical flow, whose units are flow percepts.

    DATA is as for `finetune`, or a store that `extract --percepts optical_flow` has written; the
    flow of videos is kept beside the convnet. It needs the extra `flow`.

    \b
    Example:
      videolstm-tools temporal-stream my_videos --out zoo/my_flow
      videolstm-tools extract my_videos --percepts my_flow --out flow_percepts.h5
    """
    refuse_written(out, overwrite)
    from keras_videolstm_tools.labelled_source import check_classes, check_groups

    named = ",".join(filter(None, (options["test_groups"], options["validation_groups"])))
    check_classes(data, root, parts=1 if named else 3)
    check_groups(data, root, named)
    from keras_videolstm_tools.work.temporal_stream import run

    return run(data=data, out=out, root=root, **options)
