"""`videolstm-tools extract`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.errors import InputError
from keras_videolstm_tools.given_path import GivenVideos
from keras_videolstm_tools.results import Made, with_json
from keras_videolstm_tools.shared_options import (
    csv_root_option,
    extraction_fps_option,
    fit_option,
    strict_option,
    untimed_fps_option,
)


@click.command(name="extract")
@click.argument(
    "data", nargs=-1, required=True, type=GivenVideos("a folder of videos, a CSV or a video file")
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Store to write.")
@click.option("--percepts", default="efficientnet_lite0", show_default=True, help="Extractor.")
@extraction_fps_option
@untimed_fps_option
@fit_option
@click.option(
    "--crops",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Views of each video: the centre, then places drawn for each video.",
)
@click.option("--flips", is_flag=True, help="Each view with left and right exchanged, too.")
@csv_root_option
@click.option(
    "--shards",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Files of the store; with more than one it is a folder.",
)
@click.option(
    "--workers", type=click.IntRange(1), help="Files decoded at a time.  [default: cores]"
)
@click.option("--beam", is_flag=True, help="Share the files of the store out by Apache Beam.")
@click.option(
    "--beam-option", "beam_options", multiple=True, help="Beam's own, such as runner=FlinkRunner."
)
@strict_option
@click.option(
    "--overwrite",
    is_flag=True,
    help="Also where the store at --out holds other videos, or other percepts, which are lost.",
)
@with_json
def command(**options: Any) -> Made:
    """Video files to a store of percepts.

    DATA is a folder of class folders, a folder of videos, a CSV (path, label, group), a video, or
    tfds:BUILDER of TensorFlow Datasets, with @ and a split that alone. Run again, it goes on with
    the video where it was stopped, takes over what has not changed, and does nothing where all is
    done but to try bad files again.

    \b
    Example:
      videolstm-tools extract videos more_videos --out percepts.h5
      videolstm-tools extract /videos --out /store --shards 256 --beam \\
        --beam-option runner=FlinkRunner --beam-option flink_master=host:8081
    """
    _check(**options)
    _check_store(options["out"])
    from keras_videolstm_tools.work.extract import run

    return run(**options)


def _check_store(out: Path) -> None:
    if not out.is_file():
        return
    from h5py import is_hdf5

    if not is_hdf5(out):
        raise InputError(
            f"Expected a new file, or a store that `extract` wrote and goes on with. "
            f"Received: {out}, which is another file"
        )


def _check(
    out: Path,
    fit: str,
    crops: int,
    shards: int,
    workers: int | None,
    beam: bool,
    beam_options: tuple[str, ...],
    strict: bool,
    **_: Any,
) -> None:
    if beam and (strict or workers):
        raise click.UsageError("Expected neither --strict nor --workers. Received: --beam with one")
    if beam_options and not beam:
        raise click.UsageError("Expected --beam. Received: --beam-option without it")
    if out.exists() and out.is_dir() != (shards > 1):
        kinds = ("a folder", "file") if shards > 1 else ("a file", "directory")
        raise click.UsageError(
            f"Expected {kinds[0]} to write with --shards {shards}. "
            f"Received: {out}, which is a {kinds[1]}"
        )
    if shards == 1 and out.suffix != ".h5":
        raise click.UsageError(f"Expected --out to end in .h5. Received: {out}")
    if crops > 1 and fit == "pad":
        raise click.UsageError("Expected --crops with --fit crop. Received: --fit pad")
