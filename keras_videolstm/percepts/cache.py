"""Percepts that are extracted once and kept."""

import json
from collections.abc import Sequence
from pathlib import Path

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.percepts.extraction import ExtractionReport, Progress, extract
from keras_videolstm.percepts.extractor import get_extractor


def cached_percepts(
    clips: Sequence[Clip],
    path: Path,
    *,
    extractor: str,
    fps: float | None,
    fit: str,
    strict: bool = False,
    progress: Progress | None = None,
) -> tuple[PerceptStore, ExtractionReport]:
    """Return the percepts of clips from a store, extracting them if it does not hold just these.

    Files, labels, groups, sizes, times of change and settings must all be the same; they stand in
    a file beside the store.

    Args:
        clips: the video files.
        path: of the store.
        extractor: name of the extractor.
        fps, fit, strict, progress: as in `extract`.

    Returns:
        The store, and the report of the extraction that made it.

    Raises:
        InputError: as `extract`.

    Example:
        >>> store, report = cached_percepts(
        ...     find_clips("videos"), Path("p.h5"), extractor="patches", fps=15, fit="crop"
        ... )
    """
    key = {
        "extractor": extractor,
        "fps": fps,
        "fit": fit,
        "clips": [[str(clip.path), clip.label, clip.group, *_stamp(clip.path)] for clip in clips],
    }
    note = path.with_suffix(".json")
    kept = _read_note(note)
    # The store's own stamp stands in the note: a run killed between the two must not mix them.
    if path.is_file() and kept.get("key") == key and kept.get("store") == [*_stamp(path)]:
        skipped = [(name, reason) for name, reason in kept["skipped"]]
        if skipped and strict:
            raise InputError(skipped[0][1])
        return PerceptStore(path), ExtractionReport(skipped=skipped)
    network = get_extractor(extractor)
    report = extract(clips, path, network, fps=fps, fit=fit, strict=strict, progress=progress)
    content = {"key": key, "store": _stamp(path), "skipped": report.skipped}
    write_text(note, json.dumps(content))
    return PerceptStore(path), report


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return (-1, -1)
    return status.st_size, status.st_mtime_ns


def _read_note(note: Path) -> dict:
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
