"""Real, encoded video files of moving human figures, drawn by the library itself.

No footage can be shipped with the library, so its demonstration makes its own: articulated
figures that walk, jump, wave and so on in front of changing scenes, written as ordinary video
files. A figure's body and clothes come from one seed and everything else (tempo, view, scene,
camera, noise) from another, so that clips can be split by figure. Scenes and cameras do not depend
on the action, and actions share poses: crouch and rise are each other backwards and go through the
poses of a jump, walk and run differ mostly in tempo, punch and kick have the same guard, wave and
jumping jack the same raised arms. What tells them apart is how they move.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data import _figure_drawing as drawing
from keras_videolstm.data import _figure_motion as motion
from keras_videolstm.data._figure_motion import ACTIONS
from keras_videolstm.data.figure import Figure, seeded_rng
from keras_videolstm.data.video_writer import check_even, write_clip
from keras_videolstm.errors import InputError

_SUFFIX_CYCLE = (".mp4", ".avi", ".mp4", ".webm", ".mp4", ".mp4", ".mkv", ".mp4", ".mp4", ".mp4")


def _check_action(action: str) -> None:
    if action not in motion.MOTIONS:
        raise InputError(f"Expected an action among {', '.join(ACTIONS)}. Received: {action!r}")


def _check_clip(seconds: float, fps: float, size: tuple[int, int]) -> None:
    if not (np.isfinite(seconds) and np.isfinite(fps) and seconds > 0 and fps > 0):
        raise InputError(
            f"Expected seconds and fps above 0. Received: seconds={seconds!r}, fps={fps!r}"
        )
    if round(seconds * fps) < 1:
        raise InputError(
            "Expected seconds * fps to give at least one frame. "
            f"Received: seconds={seconds!r}, fps={fps!r}"
        )
    sides = tuple(size) if isinstance(size, Sequence) else ()
    whole = len(sides) == 2 and all(isinstance(side, int | np.integer) for side in sides)
    if not whole or min(sides) < 32:
        raise InputError(
            f"Expected size as (width, height), whole numbers of 32 or more. Received: {size!r}"
        )
    check_even(*sides)


def _check_counts(**counts: tuple[int, int]) -> None:
    for name, (value, least) in counts.items():
        if not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"Expected {name} to be {least} or more. Received: {value!r}")


def render_clip(
    action: str,
    figure_seed: int,
    clip_seed: int,
    *,
    seconds: float = 2.5,
    fps: int = 15,
    size: tuple[int, int] = (320, 240),
) -> NDArray[Any]:
    """Draws one clip of one figure doing one action.

    Body and clothes come from `figure_seed` only; tempo, amplitude, phase, view, scene, camera,
    light and noise from `clip_seed`. The same `clip_seed` gives the same scene and camera for every
    action. The figure stands at least 55 % of the frame's height. The ground scrolls in about a
    third of the clips, whatever the action. "crouch" and "rise" happen once and fill the clip; the
    others repeat.

    Args:
        action: one of `ACTIONS`.
        figure_seed: integer, 0 or more: who moves.
        clip_seed: integer, 0 or more: how, where and seen from where.
        seconds: length of the clip.
        fps: frames per second.
        size: `(width, height)` in pixels, both even and at least 32.

    Returns:
        8-bit RGB frames of shape `(time, height, width, channels)` with
        `time = round(seconds * fps)`. Equal arguments give equal pixels.

    Raises:
        InputError: the action is unknown, a seed is negative, or a length, rate or size is out of
            its range.

    Example:
        >>> from keras_videolstm.data.figures import render_clip
        >>> render_clip("walk", 0, 0, seconds=0.2, fps=10, size=(64, 48)).shape
        (2, 48, 64, 3)
    """
    _check_action(action)
    _check_clip(seconds, fps, size)
    figure = Figure.from_seed(figure_seed)
    rng = seeded_rng(clip_seed, "clip_seed", 2)
    moments = np.arange(round(seconds * fps)) / fps
    style, doing = motion.draw_style(rng), motion.MOTIONS[action]
    cycle = motion.clock(doing, style, moments)
    pose = motion.tremble(doing.move(cycle, style), moments, rng)
    facing = 1.0 if rng.uniform() < 0.5 else -1.0
    yaw = facing * rng.uniform(*doing.yaw)
    scene = drawing.Scene.from_rng(seeded_rng(clip_seed, "clip_seed", 3), size, moments, facing)
    return drawing.draw_frames(figure, motion.skeleton(figure, pose), yaw, scene)


@dataclass(frozen=True)
class _Entry:
    """One clip of a generated folder."""

    action: str
    figure: int
    clip: int
    suffix: str

    @property
    def group(self) -> str:
        return f"figure{self.figure:02d}"

    @property
    def path(self) -> str:
        return f"{self.action}/{self.group}_clip{self.clip}{self.suffix}"


def _entries(actions: Sequence[str], figures: range, clips: int) -> list[_Entry]:
    """Every clip to make; the container rotates so that it belongs to no action or figure."""
    entries = []
    for number, action in enumerate(actions):
        for figure, clip in itertools.product(figures, range(clips)):
            place = 3 * number + figure * clips + clip
            suffix = _SUFFIX_CYCLE[place % len(_SUFFIX_CYCLE)]
            entries.append(_Entry(action, figure, clip, suffix))
    return entries


def _write_table(path: Path, entries: Sequence[_Entry]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "label", "group"))
    writer.writerows((entry.path, entry.action, entry.group) for entry in entries)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    temporary.write_text(text.getvalue(), encoding="utf-8")
    temporary.replace(path)


def _seed_of(*numbers: int) -> int:
    return int(np.random.SeedSequence(list(numbers)).generate_state(1)[0])


def generate_figures(
    folder: str | os.PathLike[str],
    *,
    figures: int = 8,
    clips_per_figure: int = 2,
    actions: Sequence[str] = ACTIONS,
    seed: int = 0,
    seconds: float = 2.5,
    fps: int = 15,
    size: tuple[int, int] = (320, 240),
    first_figure: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes a folder of labelled action clips, each figure doing each action.

    The files are `<action>/figure03_clip1.mp4` and so on (mostly .mp4, some .avi, .mkv and .webm),
    and `clips.csv` lists them under the header `path,label,group`, with paths relative to the
    folder and the figure as group. Splitting by group keeps a figure's clips together. The table
    comes last and replaces an earlier one. A figure looks the same for a given `seed` whatever the
    other arguments, so `first_figure` makes further figures, for example in a test folder.

    Args:
        folder: where to write; made if missing.
        figures: how many figures.
        clips_per_figure: clips of each figure and action.
        actions: names from `ACTIONS`, each once.
        seed: integer, 0 or more; equal seeds give equal frames.
        seconds: length of each clip.
        fps: frames per second.
        size: `(width, height)` in pixels, both even and at least 32.
        first_figure: number of the first figure.
        progress: called as `progress(done, total)` after each clip.

    Returns:
        `folder` as a `Path`.

    Raises:
        InputError: an action is unknown or given twice, or a number is out of its range.
        OSError: a file cannot be written.

    Example:
        >>> from keras_videolstm.data.figures import generate_figures
        >>> folder = generate_figures("figures", figures=2, clips_per_figure=1, seconds=0.5)
        >>> (folder / "clips.csv").read_text().splitlines()[:2]
        ['path,label,group', 'walk/figure00_clip0.mp4,walk,figure00']
    """
    _check_counts(
        figures=(figures, 1),
        clips_per_figure=(clips_per_figure, 1),
        first_figure=(first_figure, 0),
        seed=(seed, 0),
    )
    actions = [actions] if isinstance(actions, str) else list(actions)
    for action in actions:
        _check_action(action)
    if not actions or len(set(actions)) != len(actions):
        raise InputError(f"Expected one or more different actions. Received: {actions!r}")
    _check_clip(seconds, fps, size)
    folder = Path(folder)
    entries = _entries(actions, range(first_figure, first_figure + figures), clips_per_figure)
    for done, entry in enumerate(entries, start=1):
        number = ACTIONS.index(entry.action)
        frames = render_clip(
            entry.action,
            _seed_of(seed, entry.figure),
            _seed_of(seed, entry.figure, number, entry.clip),
            seconds=seconds,
            fps=fps,
            size=size,
        )
        write_clip(folder / entry.path, frames, fps)
        if progress is not None:
            progress(done, len(entries))
    _write_table(folder / "clips.csv", entries)
    return folder
