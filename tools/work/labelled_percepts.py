"""From labelled videos, and a checkpoint that names its percepts, to a percept store."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from keras_videolstm.checkpoints import load, metadata_of
from keras_videolstm.data.action_clips import Clip, expand_groups, find_clips
from keras_videolstm.data.official_splits import has_official_name
from keras_videolstm.data.percept_kind import kind_in_words, kind_of
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.percepts import extract
from keras_videolstm_tools.counted import counted
from keras_videolstm_tools.labelled_source import group_names, is_store
from keras_videolstm_tools.progress import ProgressLine

Skipped = Sequence[tuple[str, str]]
"""Path of each file that was left out, and why."""


def load_with_percepts(checkpoint: str) -> tuple[VideoLSTM, dict[str, Any]]:
    """Load a video model of percepts, and how they are made: extractor, fps and fit."""
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM):
        raise InputError(f"Expected a video model to fine-tune. Received: {checkpoint}")
    return model, percepts_of(metadata_of(checkpoint), checkpoint)


def percepts_of(metadata: dict[str, Any], checkpoint: str) -> dict[str, Any]:
    """Return how a checkpoint's percepts are made: extractor, fps and fit."""
    if not metadata.get("percepts"):
        raise InputError(
            f"Expected a checkpoint that names its percepts, as composite_youtube does. "
            f"Received: {checkpoint}, which reads others, or pixels"
        )
    return metadata["percepts"]


def named_groups(text: str, store: PerceptStore) -> tuple[str, ...]:
    """Return the groups of a store that an option names: `g08-g10,figure03`."""
    return expand_groups(group_names(text), store.groups.tolist())


def labelled_percepts(
    source: Path,
    path: Path,
    percepts: dict[str, Any],
    root: Path | None = None,
    strict: bool = False,
    untimed_fps: float | None = None,
    data_set: str | None = None,
) -> tuple[PerceptStore, Skipped]:
    """Return a source's percepts, and the files left out, which are named on standard error.

    A source that is a store is taken as it is; others are extracted to `path`. Of a `data_set` with
    official splits only files of its names are taken.
    """
    if is_store(source):
        return PerceptStore(source), []
    clips = find_clips(source, root)
    foreign = dict(_foreign(clips, data_set, source)) if data_set else {}
    report = extract(
        [
            dataclasses.replace(clip, untimed_fps=untimed_fps)
            for clip in clips
            if str(clip.path) not in foreign
        ],
        path,
        percepts["extractor"],
        fps=percepts["fps"],
        fit=percepts["fit"],
        strict=strict,
        progress=ProgressLine("percepts", "frames"),
    )
    skipped = [*foreign.items(), *report.skipped]
    show_skipped(skipped)
    return PerceptStore(path), skipped


def _foreign(clips: Sequence[Clip], data_set: str, source: Path) -> list[tuple[str, str]]:
    foreign = [str(clip.path) for clip in clips if not has_official_name(data_set, clip.path)]
    if len(foreign) == len(clips):
        raise InputError(
            f"Expected videos of {data_set}, by their official names. Received: {source} with "
            f"{', '.join(foreign[:1]) or 'none'}"
        )
    return [(path, f"not a name of {data_set}") for path in foreign]


def show_skipped(skipped: Skipped) -> None:
    """Name files that were left out, on standard error."""
    if skipped:
        click.echo(f"Left out {counted(len(skipped), 'bad file')}:", err=True)
    for path, reason in skipped:
        click.echo(f"  {path}: {reason}", err=True)


def settings_of(store: PerceptStore, percepts: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the store's percepts were made, which is how a new clip's must be made.

    Another frame rate or fit than that of `percepts`, which the checkpoint has learned from or an
    option asks for, is told on standard error.

    Raises:
        InputError: if they are of another extractor, or of other weights of it.
    """
    found = kind_of(store.metadata)
    for key in ("extractor", "version"):
        if key in percepts and found.get(key, percepts[key]) != percepts[key]:
            raise InputError(
                f"Expected percepts with {key}={percepts[key]!r}, which the checkpoint reads. "
                f"Received: {store.path} with {found[key]!r}"
            )
    wanted = {key: percepts[key] for key in ("fps", "fit") if percepts.get(key) != found.get(key)}
    if wanted:
        held = {key: found.get(key) for key in wanted}
        click.echo(
            f"{store.path} has percepts of {kind_in_words(held)}, not of {kind_in_words(wanted)}, "
            "as are those that the checkpoint has learned from.",
            err=True,
        )
    return {"extractor": None, "fps": None, "fit": None, **found}
