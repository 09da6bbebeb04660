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

import colorsys
import csv
import io
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from keras_videolstm.data import _figure_drawing as drawing
from keras_videolstm.errors import InputError

Colour = tuple[int, int, int]

#: Encoders to try, in order, for each container that `write_clip` knows.
CODECS: dict[str, tuple[str, ...]] = {
    ".mp4": ("libx264", "h264", "mpeg4"),
    ".mov": ("libx264", "h264", "mpeg4"),
    ".mkv": ("libx264", "h264", "mpeg4"),
    ".avi": ("mpeg4",),
    ".webm": ("libvpx-vp9", "libvpx"),
    ".gif": ("gif",),
}
_SUFFIX_CYCLE = (".mp4", ".avi", ".mp4", ".webm", ".mp4", ".mp4", ".mkv", ".mp4", ".mp4", ".mp4")
_SKINS = ((250, 219, 190), (233, 190, 150), (204, 150, 108), (160, 108, 72), (112, 74, 50))
_HAIRS = (
    (30, 24, 22),
    (82, 52, 32),
    (150, 98, 50),
    (214, 180, 110),
    (130, 130, 134),
    (158, 62, 34),
)


@dataclass(frozen=True)
class Figure:
    """One person: limb lengths, widths and colours; it looks the same in every clip.

    Lengths are in units of about one body height; `radius` fields are half widths; colours are
    8-bit RGB. Make one with `Figure.from_seed`.

    Example:
        >>> from keras_videolstm.data.figures import Figure
        >>> Figure.from_seed(3) == Figure.from_seed(3)
        True
    """

    torso: float
    neck: float
    head_radius: float
    upper_arm: float
    forearm: float
    thigh: float
    shin: float
    foot: float
    shoulder_half: float
    hip_half: float
    arm_radius: float
    leg_radius: float
    trunk_radius: float
    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    long_sleeves: bool
    long_trousers: bool
    long_hair: bool

    @classmethod
    def from_seed(cls, seed: int) -> Figure:
        """Draws a body and its clothes from `seed`.

        Args:
            seed: integer, 0 or more.

        Returns:
            The `Figure`; equal seeds give equal figures.

        Raises:
            InputError: `seed` is negative or not an integer.

        Example:
            >>> from keras_videolstm.data.figures import Figure
            >>> 0.8 < Figure.from_seed(0).height < 1.2
            True
        """
        rng = _rng(seed, "figure_seed", 1)
        build = rng.uniform(0.85, 1.3)
        leg, arm = rng.uniform(0.225, 0.255), rng.uniform(0.15, 0.172)
        hue = rng.uniform()
        return cls(
            torso=rng.uniform(0.26, 0.3),
            neck=rng.uniform(0.03, 0.045),
            head_radius=rng.uniform(0.068, 0.082),
            upper_arm=arm,
            forearm=arm * rng.uniform(0.88, 1.0),
            thigh=leg,
            shin=leg * rng.uniform(0.95, 1.03),
            foot=rng.uniform(0.085, 0.1),
            shoulder_half=rng.uniform(0.088, 0.112),
            hip_half=rng.uniform(0.05, 0.064),
            arm_radius=0.027 * build,
            leg_radius=0.039 * build,
            trunk_radius=0.05 * build,
            skin=_SKINS[rng.integers(len(_SKINS))],
            hair=_HAIRS[rng.integers(len(_HAIRS))],
            shirt=_colour(hue, rng.uniform(0.45, 0.95), rng.uniform(0.55, 0.98)),
            trousers=_colour(
                hue + rng.uniform(0.25, 0.75), rng.uniform(0.2, 0.85), rng.uniform(0.25, 0.8)
            ),
            shoes=_colour(rng.uniform(), rng.uniform(0.0, 0.7), rng.uniform(0.15, 0.9)),
            long_sleeves=bool(rng.uniform() < 0.5),
            long_trousers=bool(rng.uniform() < 0.6),
            long_hair=bool(rng.uniform() < 0.4),
        )

    @property
    def height(self) -> float:
        """Standing height from the sole to the top of the head, in the body's own unit."""
        legs = drawing.ANKLE_HEIGHT + self.shin + self.thigh
        return legs + self.torso + self.neck + 2.0 * self.head_radius


# ---- Motion: angles in degrees over time. Pairs of limbs are (time, 2): right, left. ----


@dataclass(frozen=True)
class _Style:
    """What differs between two clips of one action."""

    phase: float  # start of the cycle, 0 to 1
    tempo: float  # factor of the action's cycles per second
    amplitude: float  # factor of the swings
    lead: int  # 0: the right limb leads, 1: the left
    variant: float  # 0 to 1, picks among manners (bent elbows, both arms ...)
    manner: float  # 0 to 1, a second such choice
    pause: float  # 0 to 1, when an action that happens once ends


@dataclass(frozen=True)
class _Pose:
    """Joint angles: 0 everywhere is standing with hanging arms; forward and outward positive."""

    hip: np.ndarray  # (time, 2) thigh forward
    spread: np.ndarray  # (time, 2) leg outward
    knee: np.ndarray  # (time, 2) bend
    shoulder: np.ndarray  # (time, 2) upper arm forward
    lift: np.ndarray  # (time, 2) arm outward and up
    elbow: np.ndarray  # (time, 2) bend of the forearm, forward
    fold: np.ndarray  # (time, 2) bend of the forearm, upward in the frontal plane
    lean: np.ndarray  # (time,) trunk forward
    twist: np.ndarray  # (time,) shoulders turned to the left
    hop: np.ndarray  # (time,) height over the ground, body units
    anchor: tuple[int, ...] = ()  # feet that stay in place; none: the pelvis does


_PAIRS = ("hip", "spread", "knee", "shoulder", "lift", "elbow", "fold")
_SINGLES = ("lean", "twist", "hop")


def _pose(cycle: np.ndarray, anchor: tuple[int, ...] = (), **angles: object) -> _Pose:
    """A pose from what is named; the rest is zero. Pairs broadcast to (time, 2)."""
    frames = len(cycle)
    unset = {"lift": 8.0, "spread": 3.0}
    shapes = {**dict.fromkeys(_PAIRS, (frames, 2)), **dict.fromkeys(_SINGLES, (frames,))}
    filled = {
        name: np.broadcast_to(np.asarray(angles.get(name, unset.get(name, 0.0)), float), shape)
        for name, shape in shapes.items()
    }
    return _Pose(**filled, anchor=anchor)


def _ease(share: np.ndarray) -> np.ndarray:
    """0 to 1 with a soft start and stop."""
    return share * share * (3.0 - 2.0 * share)


def _keys(cycle: np.ndarray, *keys: tuple[float, float]) -> np.ndarray:
    """Periodic track through `(moment, value)` keys (moments rising in [0, 1)), eased between."""
    moments = np.array([moment for moment, _ in keys] + [keys[0][0] + 1.0])
    values = np.array([value for _, value in keys] + [keys[0][1]])
    at = (cycle - moments[0]) % 1.0 + moments[0]
    left = np.clip(np.searchsorted(moments, at, side="right") - 1, 0, len(keys) - 1)
    share = (at - moments[left]) / (moments[left + 1] - moments[left])
    return values[left] + (values[left + 1] - values[left]) * _ease(share)


def _sides(cycle: np.ndarray, delay: float = 0.5) -> np.ndarray:
    """The cycle of the right and, `delay` later, of the left side: (time, 2)."""
    return np.stack([cycle, cycle - delay], axis=1)


def _lead(style: _Style, leading: object, other: object, frames: int) -> np.ndarray:
    """(time, 2) with the leading side's track in its place."""
    tracks = [np.broadcast_to(np.asarray(track, float), (frames,)) for track in (leading, other)]
    return np.stack(tracks if style.lead == 0 else tracks[::-1], axis=1)


def _wave_of(cycle: np.ndarray) -> np.ndarray:
    return np.sin(2.0 * np.pi * cycle)


def _gait(
    cycle: np.ndarray, *, swing: float, offset: float, bend: float, floor: float, arms: float
) -> dict[str, np.ndarray]:
    """Legs and arms of walking and running: opposite sides half a cycle apart."""
    sides = _sides(cycle)
    raised = 0.5 + 0.5 * np.cos(2.0 * np.pi * sides + 0.35)  # the leg that comes forward bends
    return {
        "hip": offset + swing * _wave_of(sides),
        "knee": floor + bend * raised**1.6,
        "shoulder": -arms * _wave_of(sides),
        "twist": -7.0 * _wave_of(cycle),
    }


def _walk(cycle: np.ndarray, style: _Style) -> _Pose:
    size = style.amplitude + 0.12 * style.manner  # a brisk walk looks like a jog
    gait = _gait(cycle, swing=28 * size, offset=6, bend=54 * size, floor=9, arms=27 * size)
    elbow, lean = 14.0 + 72.0 * style.variant, 2.0 + 9.0 * style.manner
    return _pose(cycle, **gait, elbow=elbow, lean=lean)


def _run(cycle: np.ndarray, style: _Style) -> _Pose:
    size = style.amplitude - 0.22 * style.manner  # a jog looks like a brisk walk
    gait = _gait(cycle, swing=38 * size, offset=8, bend=82 * size, floor=12, arms=38 * size)
    elbow, lean = 35.0 + 62.0 * style.variant, 4.0 + 9.0 * style.manner
    flight = 0.055 * size * _wave_of(cycle) ** 2
    return _pose(cycle, **gait, elbow=elbow, lean=lean, hop=flight)


def _crouched(bend: np.ndarray) -> dict[str, np.ndarray]:
    """Both legs bent by `bend` (time,), feet under the body, trunk forward in proportion."""
    both = np.stack([bend, bend], axis=1)
    return {"hip": 0.56 * both, "knee": both, "lean": 0.34 * bend}


def _jump(cycle: np.ndarray, style: _Style) -> _Pose:
    size, reach = style.amplitude, 10.0 + 140.0 * style.variant
    deep, landing = 98.0 * size, 64.0 * size
    bend = _keys(
        cycle, (0.0, 8), (0.06, 8), (0.34, deep), (0.48, 5), (0.58, 18), (0.7, 6), (0.82, landing)
    )
    back = 22.0 - 68.0 * style.manner
    arms = _keys(cycle, (0.0, 5), (0.34, back), (0.5, reach), (0.64, reach * 0.8), (0.86, 10))
    air = np.clip((cycle % 1.0 - 0.46) / 0.26, 0.0, 1.0)
    return _pose(
        cycle,
        (0, 1),
        **_crouched(bend),
        shoulder=arms[:, None],
        elbow=16.0,
        spread=3.0 + 7.0 * style.manner,
        hop=0.19 * size * 4.0 * air * (1.0 - air),
    )


def _crouch(share: np.ndarray, style: _Style) -> _Pose:
    """From standing to the crouch of a jump; `share` of the clip, 0 to 1."""
    start, stop = 0.02 + 0.16 * style.phase, 0.82 + 0.16 * style.pause
    down = _ease(np.clip((share - start) / (stop - start), 0.0, 1.0))
    bend = 7.0 + (102.0 * style.amplitude - 7.0) * down
    reach, back = 5.0 + 130.0 * max(0.0, style.variant - 0.5), 22.0 - 68.0 * style.manner
    return _pose(
        share,
        (0, 1),
        **_crouched(bend),
        shoulder=(reach + (back - reach) * down)[:, None],
        elbow=16.0,
        spread=3.0 + 7.0 * style.manner,
    )


def _rise(share: np.ndarray, style: _Style) -> _Pose:
    """A crouch backwards: no single frame tells the two apart."""
    return _crouch(1.0 - share, style)


def _wave(cycle: np.ndarray, style: _Style) -> _Pose:
    frames, beat = len(cycle), _wave_of(cycle)
    lift = 104.0 + 26.0 * style.manner + 9.0 * beat
    fold = (172.0 - lift) + 40.0 * style.amplitude * beat
    both = style.variant < 0.5  # then the arms are as raised as in a jumping jack
    return _pose(
        cycle,
        (0, 1),
        lift=_lead(style, lift, lift if both else 9.0, frames),
        fold=_lead(style, fold, fold if both else 4.0, frames),
        elbow=_lead(style, 8.0, 8.0 if both else 18.0, frames),
        spread=3.0 + 22.0 * style.manner,
        knee=8.0,
        hip=4.0,
        twist=4.0 * beat,
    )


def _jumping_jack(cycle: np.ndarray, style: _Style) -> _Pose:
    opening = 0.5 - 0.5 * np.cos(2.0 * np.pi * cycle)
    hop = 0.07 * style.amplitude * _wave_of(cycle) ** 2
    bend = 6.0 + 16.0 * (1.0 - _wave_of(cycle) ** 2)
    return _pose(
        cycle,
        (0, 1),
        lift=(12.0 + (138.0 + 20.0 * style.variant) * opening)[:, None],
        fold=(6.0 + 14.0 * opening)[:, None],
        spread=(3.0 + 23.0 * style.amplitude * opening)[:, None],
        hip=0.5 * bend[:, None],
        knee=bend[:, None],
        hop=hop,
    )


def _guard(cycle: np.ndarray, style: _Style) -> dict[str, np.ndarray]:
    """The fighting stance that punch and kick share: fists up, one foot forward, springing."""
    frames, spring = len(cycle), 4.0 * _wave_of(2.0 * cycle)
    return {
        "hip": _lead(style, -12.0, 20.0 + spring, frames),
        "knee": _lead(style, 16.0 + spring, 20.0 + spring, frames),
        "shoulder": _lead(style, 28.0, 44.0, frames),
        "elbow": _lead(style, 112.0, 92.0, frames),
        "lift": np.full((frames, 2), 10.0),
        "lean": np.full(frames, 5.0),
        "twist": np.zeros(frames),
    }


def _punch(cycle: np.ndarray, style: _Style) -> _Pose:
    stance = _guard(cycle, style)
    strike = _keys(_sides(cycle), (0.0, 0), (0.05, 0), (0.15, 1), (0.2, 1), (0.32, 0))
    forward = strike[:, 1] - strike[:, 0]
    target = 86.0 + 10.0 * style.manner
    stance["shoulder"] = stance["shoulder"] + (target - stance["shoulder"]) * strike
    stance["elbow"] = stance["elbow"] * (1.0 - 0.96 * strike)
    stance["twist"] = -34.0 * style.amplitude * forward
    stance["lean"] = stance["lean"] + 5.0 * np.abs(forward)
    return _pose(cycle, (1 - style.lead,), **stance)


def _kick(cycle: np.ndarray, style: _Style) -> _Pose:
    stance, frames = _guard(cycle, style), len(cycle)
    height = (72.0 + 22.0 * style.manner) * min(style.amplitude, 1.05)
    hip = _keys(cycle, (0.0, -12), (0.22, 62), (0.31, height), (0.4, height), (0.6, -12))
    knee = _keys(cycle, (0.0, 16), (0.2, 92), (0.31, 4), (0.4, 6), (0.5, 70), (0.62, 16))
    knee = knee + (stance["knee"][:, style.lead] - 16.0)  # the guard's springing
    effort = _keys(cycle, (0.0, 0), (0.34, 1), (0.6, 0))
    support = 1 - style.lead
    planted = stance["hip"][:, support] * (1.0 - effort) - 4.0 * effort
    stance["hip"] = _lead(style, hip, planted, frames)
    stance["knee"] = _lead(style, knee, stance["knee"][:, support] * (1.0 - 0.6 * effort), frames)
    stance["lean"] = 5.0 - 22.0 * effort
    stance["shoulder"] = stance["shoulder"] - 14.0 * effort[:, None]
    return _pose(cycle, (support,), **stance)


@dataclass(frozen=True)
class _Action:
    move: Callable[[np.ndarray, _Style], _Pose]
    tempo: float | None  # cycles per second; None: happens once, over the whole clip
    yaw: tuple[float, float]  # degrees away from facing the camera


_ACTIONS: dict[str, _Action] = {
    "walk": _Action(_walk, 0.9, (40.0, 90.0)),
    "run": _Action(_run, 1.65, (40.0, 90.0)),
    "jump": _Action(_jump, 0.8, (25.0, 85.0)),
    "crouch": _Action(_crouch, None, (25.0, 85.0)),
    "rise": _Action(_rise, None, (25.0, 85.0)),
    "wave": _Action(_wave, 1.5, (0.0, 45.0)),
    "jumping_jack": _Action(_jumping_jack, 1.05, (0.0, 45.0)),
    "punch": _Action(_punch, 0.85, (40.0, 85.0)),
    "kick": _Action(_kick, 0.85, (40.0, 85.0)),
}

#: Names of the actions that `render_clip` and `generate_figures` know.
ACTIONS: tuple[str, ...] = tuple(_ACTIONS)


def _style(rng: np.random.Generator) -> _Style:
    return _Style(
        phase=rng.uniform(),
        tempo=rng.uniform(0.85, 1.15),
        amplitude=rng.uniform(0.86, 1.1),
        lead=int(rng.integers(2)),
        variant=rng.uniform(),
        manner=rng.uniform(),
        pause=rng.uniform(),
    )


def _cycle(action: _Action, style: _Style, moments: np.ndarray) -> np.ndarray:
    """The action's clock: cycles, or the share of the clip for what happens once."""
    if action.tempo is None:
        return moments / max(float(moments[-1]), 1e-9)
    return style.phase + action.tempo * style.tempo * moments


def _tremble(pose: _Pose, seconds: np.ndarray, rng: np.random.Generator) -> _Pose:
    """The pose with a slow unsteadiness of a degree or two in every joint."""
    changed = {}
    for name in (*_PAIRS, "lean", "twist"):
        track = getattr(pose, name)
        rate, start = rng.uniform(0.3, 1.1, track.shape[1:]), rng.uniform(0, 1, track.shape[1:])
        moment = seconds.reshape((-1,) + (1,) * (track.ndim - 1))
        changed[name] = track + 1.6 * _wave_of(moment * rate + start)
    return replace(pose, **changed)


# ---- Forward kinematics. Vectors are (forward, left, up) in body units. ----


def _limb(flexion: np.ndarray, outward: np.ndarray) -> np.ndarray:
    """Unit vectors (time, 2, 3) of a hanging limb, swung forward and then outward (degrees)."""
    flexion, outward = np.radians(flexion), np.radians(outward)
    side = np.sin(outward) * np.array([-1.0, 1.0])
    return np.stack(
        [np.sin(flexion) * np.cos(outward), side, -np.cos(flexion) * np.cos(outward)], axis=-1
    )


def _across(half: float, twist: np.ndarray) -> np.ndarray:
    """Where the right and left joint of a girdle lie around its centre: (time, 2, 3)."""
    angle = np.radians(twist)
    left = np.stack([-np.sin(angle), np.cos(angle), np.zeros_like(angle)], axis=-1)
    return half * np.stack([-left, left], axis=1)


def _skeleton(figure: Figure, pose: _Pose) -> dict[str, np.ndarray]:
    """Joint positions over time: (time, 3), and (time, 2, 3) for pairs; the ground is up = 0."""
    lean = np.radians(pose.lean)
    spine = np.stack([np.sin(lean), np.zeros_like(lean), np.cos(lean)], axis=-1)
    nod = np.radians(0.5 * pose.lean)
    crown = np.stack([np.sin(nod), np.zeros_like(nod), np.cos(nod)], axis=-1)
    pelvis = np.zeros_like(spine)
    chest = pelvis + figure.torso * spine
    head = chest + (figure.neck + figure.head_radius) * crown
    hips = pelvis[:, None] + _across(figure.hip_half, -0.3 * pose.twist)
    knees = hips + figure.thigh * _limb(pose.hip, pose.spread)
    ankles = knees + figure.shin * _limb(pose.hip - pose.knee, pose.spread)
    shoulders = chest[:, None] + _across(figure.shoulder_half, pose.twist)
    elbows = shoulders + figure.upper_arm * _limb(pose.shoulder, pose.lift)
    wrists = elbows + figure.forearm * _limb(pose.shoulder + pose.elbow, pose.lift + pose.fold)
    joints = {
        "pelvis": pelvis,
        "chest": chest,
        "head": head,
        "hip": hips,
        "knee": knees,
        "ankle": ankles,
        "toe": ankles + figure.foot * _feet(pose, ankles),
        "shoulder": shoulders,
        "elbow": elbows,
        "wrist": wrists,
    }
    return _stand(joints, pose)


def _feet(pose: _Pose, ankles: np.ndarray) -> np.ndarray:
    """Directions of the feet (time, 2, 3): flat on the ground, following the shin in the air."""
    over = ankles[..., 2] - ankles[..., 2].min(axis=1, keepdims=True) + pose.hop[:, None]
    shin = 0.8 * (pose.hip - pose.knee) - 12.0
    pitch = 90.0 + shin * np.clip(over / 0.12, 0.0, 1.0)
    return _limb(pitch, np.full_like(pitch, 8.0))


def _stand(joints: dict[str, np.ndarray], pose: _Pose) -> dict[str, np.ndarray]:
    """Moves the body so that its lower foot meets the ground and anchored feet stay in place."""
    soles = np.minimum(
        joints["ankle"][..., 2] - drawing.ANKLE_HEIGHT, joints["toe"][..., 2] - 0.016
    )
    shift = np.zeros_like(joints["pelvis"])
    shift[:, 2] = pose.hop - soles.min(axis=1)
    if pose.anchor:
        feet = joints["ankle"][:, list(pose.anchor), 0].mean(axis=1)
        shift[:, 0] = feet.mean() - feet
    return {
        name: place + (shift[:, None] if place.ndim == 3 else shift)
        for name, place in joints.items()
    }


# ---- Checks ----


def _rng(seed: int, name: str, stream: int) -> np.random.Generator:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"Expected {name} to be an integer, 0 or more. Received: {seed!r}")
    return np.random.default_rng([int(seed), stream])


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (
        round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    )
    return red, green, blue


def _check_action(action: str) -> None:
    if action not in _ACTIONS:
        raise InputError(f"Expected an action among {', '.join(ACTIONS)}. Received: {action!r}")


def _check_even(width: int, height: int) -> None:
    if width % 2 or height % 2:
        raise InputError(
            "Expected an even width and height, as video codecs need. "
            f"Received: width={width}, height={height}"
        )


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
    _check_even(*sides)


def _check_counts(**counts: tuple[int, int]) -> None:
    for name, (value, least) in counts.items():
        if not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"Expected {name} to be {least} or more. Received: {value!r}")


# ---- Clips ----


def render_clip(
    action: str,
    figure_seed: int,
    clip_seed: int,
    *,
    seconds: float = 2.5,
    fps: int = 15,
    size: tuple[int, int] = (320, 240),
) -> np.ndarray:
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
    motion = _rng(clip_seed, "clip_seed", 2)
    moments = np.arange(round(seconds * fps)) / fps
    style, doing = _style(motion), _ACTIONS[action]
    cycle = _cycle(doing, style, moments)
    pose = _tremble(doing.move(cycle, style), moments, motion)
    facing = 1.0 if motion.uniform() < 0.5 else -1.0
    yaw = facing * motion.uniform(*doing.yaw)
    scene = drawing.Scene.from_rng(_rng(clip_seed, "clip_seed", 3), size, moments, facing)
    return drawing.draw_frames(figure, _skeleton(figure, pose), yaw, scene)


def _encoder(suffix: str, codec: str | None) -> str:
    """The first usable encoder for a container."""
    if suffix not in CODECS:
        known = ", ".join(CODECS)
        raise InputError(f"Expected a file name that ends in one of {known}. Received: {suffix!r}")
    names = CODECS[suffix] if codec is None else (codec,)
    for name in names:
        if _can_encode(name):
            return name
    raise InputError(f"Expected an encoder that PyAV has. Received: {', '.join(names)}")


def _can_encode(name: str) -> bool:
    try:
        return av.codec.Codec(name, "w").type == "video"
    except (ValueError, av.FFmpegError):
        return False


def _open_stream(
    container: av.container.OutputContainer, codec: str, fps: float, width: int, height: int
) -> av.VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    stream = container.add_stream(codec, rate=rate)
    stream.width, stream.height = width, height
    stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
    if codec in ("libx264", "h264"):
        stream.options = {"crf": "22", "preset": "veryfast"}
        return stream
    if codec != "gif":
        stream.bit_rate = max(100_000, int(0.5 * width * height * fps))
    if codec.startswith("libvpx"):
        stream.options = {"deadline": "realtime", "cpu-used": "6"}
    return stream


def _encode(path: Path, frames: np.ndarray, fps: float, codec: str) -> None:
    height, width = frames.shape[1:3]
    with av.open(str(path), "w") as container:
        stream = _open_stream(container, codec, fps, width, height)
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_clip(
    path: str | os.PathLike[str], frames: np.ndarray, fps: float, *, codec: str | None = None
) -> None:
    """Encodes frames as a video file.

    The suffix chooses the container: .mp4, .mov, .mkv (H.264, else MPEG-4), .avi (MPEG-4), .webm
    (VP9, else VP8) or .gif. The file is written under a temporary name and then moved into place,
    so that a broken-off run leaves no half file. Missing folders are made.

    Args:
        path: file to write; an existing one is replaced.
        frames: 8-bit RGB frames of shape `(time, height, width, channels)`; width and height are
            even, except for .gif.
        fps: frames per second.
        codec: name of an FFmpeg encoder to use instead.

    Raises:
        InputError: the suffix or codec is unknown, or `frames` or `fps` is not as described.
        av.FFmpegError: FFmpeg failed, for example as the codec does not go with the container.
        OSError: the file cannot be written.

    Example:
        >>> from keras_videolstm.data.figures import render_clip, write_clip
        >>> write_clip("walk.mp4", render_clip("walk", 0, 0), fps=15)
    """
    path, frames = Path(path), np.asarray(frames)
    suffix = path.suffix.lower()
    encoder = _encoder(suffix, codec)
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or 0 in frames.shape:
        raise InputError(
            "Expected uint8 frames of shape (time, height, width, 3), at least one. "
            f"Received: shape={frames.shape}, dtype={frames.dtype}"
        )
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"Expected fps above 0. Received: {fps!r}")
    if suffix != ".gif":
        _check_even(frames.shape[2], frames.shape[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        _encode(temporary, frames, fps, encoder)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
