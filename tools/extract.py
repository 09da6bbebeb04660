"""`videolstm-tools extract`."""

import re
from pathlib import Path
from typing import Any

import click

from keras_videolstm.data.store_files import files_of_store, shards_in
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

# `click` has made a path of it, with one slash.
_ADDRESS = re.compile(r"[a-z][a-z0-9]+:/")


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
@click.option(
    "--beam",
    is_flag=True,
    help="Share the files of the store out by Apache Beam. All workers must see the videos and "
    "--out under the same paths, on a file system that they share.",
)
@click.option(
    "--beam-option", "beam_options", multiple=True, help="Beam's own, such as runner=FlinkRunner."
)
@strict_option
@click.option(
    "--overwrite",
    is_flag=True,
    help="Also where the store at --out holds videos, views or percepts that are lost, or has "
    "another number of files.",
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
    _check_store(**options)
    from keras_videolstm_tools.work.extract import run

    return run(**options)


def _check_store(out: Path, shards: int, overwrite: bool, **_: Any) -> None:
    if not overwrite and shards_in(out):
        _check_shards(out, shards)
    if not out.is_file():
        return
    from h5py import is_hdf5

    if not is_hdf5(out):
        raise InputError(
            f"Expected a new file, or a store that `extract` wrote and goes on with. "
            f"Received: {out}, which is another file"
        )


def _check_shards(out: Path, shards: int) -> None:
    counts = list(shards_in(out))
    if len(counts) > 1:
        files_of_store(out)  # says which, and raises
    if counts != [shards]:
        raise InputError(
            f"Expected --shards {counts[0]}, of as many files as the store in {out} has, another "
            f"--out, or --overwrite. Received: --shards {shards}"
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
    if _ADDRESS.match(str(out)):
        raise InputError(
            f"Expected a folder or file of this machine, or of a file system that is mounted on it "
            f"and, with --beam, under the same path on all workers. Received: an address, {out}"
        )
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
