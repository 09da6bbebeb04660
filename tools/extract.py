"""`videolstm-tools extract`."""

import dataclasses
import json
from pathlib import Path

import click

from keras_videolstm.data.action_clips import find_clips
from keras_videolstm.percepts import ExtractionReport, extract, get_extractor
from keras_videolstm_tools.progress import ProgressLine


@click.command(name="extract")
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Store to write."
)
@click.option("--percepts", default="efficientnet_lite0", show_default=True, help="Extractor.")
@click.option("--fps", type=float, default=15, show_default=True, help="Frames a second.")
@click.option(
    "--fit",
    type=click.Choice(["crop", "pad"]),
    default="crop",
    show_default=True,
    help="Take the central square, or pad the whole frame to one.",
)
@click.option("--root", type=click.Path(path_type=Path), help="Folder that a CSV is relative to.")
@click.option("--strict", is_flag=True, help="Stop at the first bad file.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    data: tuple[Path, ...],
    out: Path,
    percepts: str,
    fps: float,
    fit: str,
    root: Path | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Video files to a store of percepts.

    DATA is a folder of class folders, a folder of videos, a CSV (path, label, group) or a video.

    \b
    Example:
      videolstm-tools extract videos more_videos --out percepts.h5
    """
    clips = [clip for source in data for clip in find_clips(source, root)]
    report = extract(
        clips,
        out,
        get_extractor(percepts),
        fps=fps,
        fit=fit,
        strict=strict,
        progress=None if as_json else ProgressLine("extract", "frames"),
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report), indent=2))
        return
    click.echo(
        f"{report.videos} videos, {report.frames} frames, "
        f"{report.frames_per_second:.0f} frames/s: {out}"
    )
    show_skipped(report)


def show_skipped(report: ExtractionReport) -> None:
    """Name the files that were left out."""
    if report.skipped:
        click.echo(f"Left out {len(report.skipped)} bad files (--strict stops at the first):")
    for path, reason in report.skipped:
        click.echo(f"  {path}: {reason}")
