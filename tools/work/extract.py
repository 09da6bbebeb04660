"""What `videolstm-tools extract` does."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_videolstm.data.action_clips import find_clips, views_of
from keras_videolstm.data.tfds_clips import is_of_builder
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import ExtractionReport, extract
from keras_videolstm_tools.counted import counted
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.labelled_percepts import show_skipped
from keras_videolstm_tools.work.older_store import check_nothing_lost


def run(
    data: tuple[Path, ...],
    out: Path,
    percepts: str,
    fps: float,
    untimed_fps: float | None,
    fit: str,
    crops: int,
    flips: bool,
    root: Path | None,
    shards: int,
    workers: int | None,
    beam: bool,
    beam_options: tuple[str, ...],
    strict: bool,
    overwrite: bool,
) -> Made:
    """Run `extract`."""
    settings: dict[str, Any] = {"fps": fps, "fit": fit, "shards": shards}
    # Workers of Beam have folders of their own to start in.
    sources = [
        source.resolve() if beam and not is_of_builder(source) else source for source in data
    ]
    clips = [
        dataclasses.replace(clip, untimed_fps=untimed_fps)
        for source in sources
        for clip in find_clips(source, root)
    ]
    views = views_of(clips, crops=crops, flips=flips)
    if not overwrite:
        check_nothing_lost(out, views, {"extractor": percepts, "fps": fps, "fit": fit})
    if beam:
        report = _extract_with_beam()(
            views, out.resolve(), percepts, **settings, options=[f"--{o}" for o in beam_options]
        )
    else:
        report = extract(
            views,
            out,
            percepts,
            **settings,
            workers=workers,
            strict=strict,
            progress=ProgressLine("extract", "frames"),
        )
    show_skipped(report.skipped)
    return Made(
        dataclasses.asdict(report),
        f"{counted(report.videos, 'video')}, {counted(report.frames, 'frame')} "
        f"({report.new_frames:,} new, {report.frames_per_second:.0f} frames/s): {out}",
    )


def _extract_with_beam() -> Callable[..., ExtractionReport]:
    try:
        from keras_videolstm.percepts.beam_extraction import extract_with_beam
    except ImportError as error:
        raise InputError(
            f"Expected Apache Beam, which the extra `beam` brings. Received: {error}"
        ) from error
    return extract_with_beam
