"""How the moving figures move: joint angles over time, and forward kinematics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data import _figure_drawing as drawing
from keras_videolstm.data.figure import Figure

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

    hip: NDArray[Any]  # (time, 2) thigh forward
    spread: NDArray[Any]  # (time, 2) leg outward
    knee: NDArray[Any]  # (time, 2) bend
    shoulder: NDArray[Any]  # (time, 2) upper arm forward
    lift: NDArray[Any]  # (time, 2) arm outward and up
    elbow: NDArray[Any]  # (time, 2) bend of the forearm, forward
    fold: NDArray[Any]  # (time, 2) bend of the forearm, upward in the frontal plane
    lean: NDArray[Any]  # (time,) trunk forward
    twist: NDArray[Any]  # (time,) shoulders turned to the left
    hop: NDArray[Any]  # (time,) height over the ground, body units
    anchor: tuple[int, ...] = ()  # feet that stay in place; none: the pelvis does


_PAIRS = ("hip", "spread", "knee", "shoulder", "lift", "elbow", "fold")
_SINGLES = ("lean", "twist", "hop")


def _pose(cycle: NDArray[Any], anchor: tuple[int, ...] = (), **angles: object) -> _Pose:
    """A pose from what is named; the rest is zero. Pairs broadcast to (time, 2)."""
    frames = len(cycle)
    unset = {"lift": 8.0, "spread": 3.0}
    shapes = {**dict.fromkeys(_PAIRS, (frames, 2)), **dict.fromkeys(_SINGLES, (frames,))}
    filled = {
        name: np.broadcast_to(np.asarray(angles.get(name, unset.get(name, 0.0)), float), shape)
        for name, shape in shapes.items()
    }
    return _Pose(**filled, anchor=anchor)


def _ease(share: NDArray[Any]) -> NDArray[Any]:
    """0 to 1 with a soft start and stop."""
    return share * share * (3.0 - 2.0 * share)


def _keys(cycle: NDArray[Any], *keys: tuple[float, float]) -> NDArray[Any]:
    """Periodic track through `(moment, value)` keys (moments rising in [0, 1)), eased between."""
    moments = np.array([moment for moment, _ in keys] + [keys[0][0] + 1.0])
    values = np.array([value for _, value in keys] + [keys[0][1]])
    at = (cycle - moments[0]) % 1.0 + moments[0]
    left = np.clip(np.searchsorted(moments, at, side="right") - 1, 0, len(keys) - 1)
    share = (at - moments[left]) / (moments[left + 1] - moments[left])
    return values[left] + (values[left + 1] - values[left]) * _ease(share)


def _sides(cycle: NDArray[Any], delay: float = 0.5) -> NDArray[Any]:
    """The cycle of the right and, `delay` later, of the left side: (time, 2)."""
    return np.stack([cycle, cycle - delay], axis=1)


def _lead(style: _Style, leading: object, other: object, frames: int) -> NDArray[Any]:
    """(time, 2) with the leading side's track in its place."""
    tracks = [np.broadcast_to(np.asarray(track, float), (frames,)) for track in (leading, other)]
    return np.stack(tracks if style.lead == 0 else tracks[::-1], axis=1)


def _wave_of(cycle: NDArray[Any]) -> NDArray[Any]:
    return np.sin(2.0 * np.pi * cycle)


def _gait(
    cycle: NDArray[Any], *, swing: float, offset: float, bend: float, floor: float, arms: float
) -> dict[str, NDArray[Any]]:
    """Legs and arms of walking and running: opposite sides half a cycle apart."""
    sides = _sides(cycle)
    raised = 0.5 + 0.5 * np.cos(2.0 * np.pi * sides + 0.35)  # the leg that comes forward bends
    return {
        "hip": offset + swing * _wave_of(sides),
        "knee": floor + bend * raised**1.6,
        "shoulder": -arms * _wave_of(sides),
        "twist": -7.0 * _wave_of(cycle),
    }


def _walk(cycle: NDArray[Any], style: _Style) -> _Pose:
    size = style.amplitude + 0.12 * style.manner  # a brisk walk looks like a jog
    gait = _gait(cycle, swing=28 * size, offset=6, bend=54 * size, floor=9, arms=27 * size)
    elbow, lean = 14.0 + 72.0 * style.variant, 2.0 + 9.0 * style.manner
    return _pose(cycle, **gait, elbow=elbow, lean=lean)


def _run(cycle: NDArray[Any], style: _Style) -> _Pose:
    size = style.amplitude - 0.22 * style.manner  # a jog looks like a brisk walk
    gait = _gait(cycle, swing=38 * size, offset=8, bend=82 * size, floor=12, arms=38 * size)
    elbow, lean = 35.0 + 62.0 * style.variant, 4.0 + 9.0 * style.manner
    flight = 0.055 * size * _wave_of(cycle) ** 2
    return _pose(cycle, **gait, elbow=elbow, lean=lean, hop=flight)


def _crouched(bend: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Both legs bent by `bend` (time,), feet under the body, trunk forward in proportion."""
    both = np.stack([bend, bend], axis=1)
    return {"hip": 0.56 * both, "knee": both, "lean": 0.34 * bend}


def _jump(cycle: NDArray[Any], style: _Style) -> _Pose:
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


def _crouch(share: NDArray[Any], style: _Style) -> _Pose:
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


def _rise(share: NDArray[Any], style: _Style) -> _Pose:
    """A crouch backwards: no single frame tells the two apart."""
    return _crouch(1.0 - share, style)


def _wave(cycle: NDArray[Any], style: _Style) -> _Pose:
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


def _jumping_jack(cycle: NDArray[Any], style: _Style) -> _Pose:
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


def _guard(cycle: NDArray[Any], style: _Style) -> dict[str, NDArray[Any]]:
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


def _punch(cycle: NDArray[Any], style: _Style) -> _Pose:
    stance = _guard(cycle, style)
    strike = _keys(_sides(cycle), (0.0, 0), (0.05, 0), (0.15, 1), (0.2, 1), (0.32, 0))
    forward = strike[:, 1] - strike[:, 0]
    target = 86.0 + 10.0 * style.manner
    stance["shoulder"] = stance["shoulder"] + (target - stance["shoulder"]) * strike
    stance["elbow"] = stance["elbow"] * (1.0 - 0.96 * strike)
    stance["twist"] = -34.0 * style.amplitude * forward
    stance["lean"] = stance["lean"] + 5.0 * np.abs(forward)
    return _pose(cycle, (1 - style.lead,), **stance)


def _kick(cycle: NDArray[Any], style: _Style) -> _Pose:
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
    move: Callable[[NDArray[Any], _Style], _Pose]
    tempo: float | None  # cycles per second; None: happens once, over the whole clip
    yaw: tuple[float, float]  # degrees away from facing the camera


MOTIONS: dict[str, _Action] = {
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
ACTIONS: tuple[str, ...] = tuple(MOTIONS)


def draw_style(rng: np.random.Generator) -> _Style:
    return _Style(
        phase=rng.uniform(),
        tempo=rng.uniform(0.85, 1.15),
        amplitude=rng.uniform(0.86, 1.1),
        lead=int(rng.integers(2)),
        variant=rng.uniform(),
        manner=rng.uniform(),
        pause=rng.uniform(),
    )


def clock(action: _Action, style: _Style, moments: NDArray[Any]) -> NDArray[Any]:
    """The action's clock: cycles, or the share of the clip for what happens once."""
    if action.tempo is None:
        return moments / max(float(moments[-1]), 1e-9)
    return style.phase + action.tempo * style.tempo * moments


def tremble(pose: _Pose, seconds: NDArray[Any], rng: np.random.Generator) -> _Pose:
    """The pose with a slow unsteadiness of a degree or two in every joint."""
    changed = {}
    for name in (*_PAIRS, "lean", "twist"):
        track = getattr(pose, name)
        rate, start = rng.uniform(0.3, 1.1, track.shape[1:]), rng.uniform(0, 1, track.shape[1:])
        moment = seconds.reshape((-1,) + (1,) * (track.ndim - 1))
        changed[name] = track + 1.6 * _wave_of(moment * rate + start)
    return replace(pose, **changed)


# ---- Forward kinematics. Vectors are (forward, left, up) in body units. ----


def _limb(flexion: NDArray[Any], outward: NDArray[Any]) -> NDArray[Any]:
    """Unit vectors (time, 2, 3) of a hanging limb, swung forward and then outward (degrees)."""
    flexion, outward = np.radians(flexion), np.radians(outward)
    side = np.sin(outward) * np.array([-1.0, 1.0])
    return np.stack(
        [np.sin(flexion) * np.cos(outward), side, -np.cos(flexion) * np.cos(outward)], axis=-1
    )


def _across(half: float, twist: NDArray[Any]) -> NDArray[Any]:
    """Where the right and left joint of a girdle lie around its centre: (time, 2, 3)."""
    angle = np.radians(twist)
    left = np.stack([-np.sin(angle), np.cos(angle), np.zeros_like(angle)], axis=-1)
    return half * np.stack([-left, left], axis=1)


def skeleton(figure: Figure, pose: _Pose) -> dict[str, NDArray[Any]]:
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


def _feet(pose: _Pose, ankles: NDArray[Any]) -> NDArray[Any]:
    """Directions of the feet (time, 2, 3): flat on the ground, following the shin in the air."""
    over = ankles[..., 2] - ankles[..., 2].min(axis=1, keepdims=True) + pose.hop[:, None]
    shin = 0.8 * (pose.hip - pose.knee) - 12.0
    pitch = 90.0 + shin * np.clip(over / 0.12, 0.0, 1.0)
    return _limb(pitch, np.full_like(pitch, 8.0))


def _stand(joints: dict[str, NDArray[Any]], pose: _Pose) -> dict[str, NDArray[Any]]:
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
