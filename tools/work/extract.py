"""What `videolstm-tools extract` does."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from keras_videolstm.data.action_clips import Clip, find_clips, views_of
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.tfds_clips import is_of_builder
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import ExtractionReport, extract
from keras_videolstm_tools.counted import counted
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made
from keras_videolstm_tools.work.labelled_percepts import show_skipped


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
    if not overwrite:
        _check_kept(out, clips, {"extractor": percepts, "fps": fps, "fit": fit})
    views = views_of(clips, crops=crops, flips=flips)
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


def _check_kept(out: Path, clips: Sequence[Clip], settings: dict[str, Any]) -> None:
    """Refuse to lose what an older store holds, which may have cost hours."""
    if not out.exists():
        return
    try:
        older = PerceptStore(out)
    except InputError:  # not all files of it are there yet, or it is none, which is told later
        return
    for key, value in settings.items():
        if older.metadata.get(key) != value:
            raise InputError(
                f"Expected percepts with {key}={older.metadata.get(key)!r}, as {out} holds them, "
                f"another --out, or --overwrite. Received: {key}={value!r}"
            )
    gone = sorted({*older.names} - {str(clip.path) for clip in clips})
    if gone:
        raise InputError(
            f"Expected all videos that {out} holds among those that are given, as it will hold "
            f"what is given alone, another --out, or --overwrite. Received: without "
            f"{counted(len(gone), 'video')}, such as {gone[0]}"
        )


def _extract_with_beam() -> Callable[..., ExtractionReport]:
    try:
        from keras_videolstm.percepts.beam_extraction import extract_with_beam
    except ImportError as error:
        raise InputError(
            f"Expected Apache Beam, which the extra `beam` brings. Received: {error}"
        ) from error
    return extract_with_beam
