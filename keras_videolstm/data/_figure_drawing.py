"""Draws figures, scenes and camera motion for `keras_videolstm.data.figures`; private.

Joints come in as `(forward, left, up)` in body units. World places are pixels of a background
canvas that is larger than the frame; the camera cuts a moving box out of it.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from keras_videolstm.data.figure import Figure

Colour = tuple[int, int, int]

ANKLE_HEIGHT = 0.04  # of the ankle over the sole, body units
_SUPERSAMPLE = 2
_TILT = 0.12  # how much nearer things lie lower in the picture
_CAP = np.linspace(-np.pi / 2, np.pi / 2, 8)  # angles of a limb's round end
_EDGE = 0.008  # width of the dark edge, body units
_TOWARD_LIGHT = np.array([-0.28, -0.3])  # picture direction, in stroke radii
_MARGIN = 0.35  # canvas beyond the frame on each side, in frame sizes


def _shade(colour: Sequence[float], factor: float) -> Colour:
    red, green, blue = (int(np.clip(part * factor, 0, 255)) for part in colour)
    return red, green, blue


def _lighten(colour: Sequence[float], share: float) -> Colour:
    red, green, blue = (int(part + (255 - part) * share) for part in colour)
    return red, green, blue


# ---- Figures ----


@dataclass(frozen=True)
class _Layer:
    outline: NDArray[Any]  # (time, points, 2) in body units, x right and y down
    colour: Colour


@dataclass(frozen=True)
class _Part:
    """Layers that are drawn together, ordered among the parts by nearness to the camera."""

    near: NDArray[Any]  # (time,)
    layers: list[_Layer]


@dataclass(frozen=True)
class _Stroke:
    """A rounded, tapered limb between two projected places, each (time, 2)."""

    start: NDArray[Any]
    end: NDArray[Any]
    radii: tuple[float, float]
    colour: Colour


class _View:
    """Joints as the camera sees them."""

    def __init__(self, joints: dict[str, NDArray[Any]], yaw: float) -> None:
        self.sine, self.cosine = float(np.sin(np.radians(yaw))), float(np.cos(np.radians(yaw)))
        self.places = {name: self.flat(place) for name, place in joints.items()}
        self.depths = {name: self.depth(place) for name, place in joints.items()}

    def depth(self, place: NDArray[Any]) -> NDArray[Any]:
        """Nearness to the camera."""
        return place[..., 0] * self.cosine - place[..., 1] * self.sine

    def flat(self, place: NDArray[Any]) -> NDArray[Any]:
        """Picture coordinates, x right and y down."""
        across = place[..., 0] * self.sine + place[..., 1] * self.cosine
        return np.stack([across, _TILT * self.depth(place) - place[..., 2]], axis=-1)

    def side_shade(self, side: int) -> float:
        """Limbs on the far side are darker; `side` 0 is the right, 1 the left."""
        away = self.sine if side == 1 else -self.sine
        return 1.0 - 0.28 * max(0.0, away)

    def ahead(self, length: float) -> NDArray[Any]:
        """Picture offset of something `length` in front of the body."""
        return self.flat(np.array([length, 0.0, 0.0]))

    def aside(self, length: float) -> NDArray[Any]:
        """Picture offset of something `length` to the left of the body."""
        return self.flat(np.array([0.0, length, 0.0]))


def _capsule(start: NDArray[Any], end: NDArray[Any], radii: tuple[float, float]) -> NDArray[Any]:
    """Outlines (time, points, 2) of rounded, tapered strokes."""
    along = end - start
    angle = np.arctan2(along[:, 1], along[:, 0])[:, None]
    caps = [
        place[:, None] + radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        for place, radius, turn in (
            (end, radii[1], angle + _CAP),
            (start, radii[0], angle + np.pi + _CAP),
        )
    ]
    return np.concatenate(caps, axis=1)


def _disc(centre: NDArray[Any], radius: float, colour: Colour) -> _Stroke:
    return _Stroke(centre, centre, (radius, radius), colour)


def _edges(strokes: Sequence[_Stroke]) -> list[_Layer]:
    """Darker, slightly wider strokes, to be drawn below."""
    return [
        _Layer(
            _capsule(stroke.start, stroke.end, (stroke.radii[0] + _EDGE, stroke.radii[1] + _EDGE)),
            _shade(stroke.colour, 0.5),
        )
        for stroke in strokes
    ]


def _fills(strokes: Sequence[_Stroke]) -> list[_Layer]:
    return [
        _Layer(_capsule(stroke.start, stroke.end, stroke.radii), stroke.colour)
        for stroke in strokes
    ]


def _lights(strokes: Sequence[_Stroke]) -> list[_Layer]:
    """Lighter, narrower strokes on the side of the light, above left."""
    layers = []
    for stroke in strokes:
        first, last = stroke.radii
        start, end = stroke.start + first * _TOWARD_LIGHT, stroke.end + last * _TOWARD_LIGHT
        band = _capsule(start, end, (0.5 * first, 0.5 * last))
        layers.append(_Layer(band, _lighten(stroke.colour, 0.22)))
    return layers


def _shaded(strokes: Sequence[_Stroke]) -> list[_Layer]:
    return _edges(strokes) + _fills(strokes) + _lights(strokes)


def _between(start: NDArray[Any], end: NDArray[Any], share: float) -> NDArray[Any]:
    return start + (end - start) * share


def _arm(figure: Figure, view: _View, side: int) -> _Part:
    shoulder, elbow, wrist = (view.places[name][:, side] for name in ("shoulder", "elbow", "wrist"))
    shade, radius = view.side_shade(side), figure.arm_radius
    skin, shirt = _shade(figure.skin, shade), _shade(figure.shirt, shade * 0.94)
    lower = shirt if figure.long_sleeves else skin
    strokes = [
        _disc(_between(elbow, wrist, 1.12), radius * 1.0, skin),
        _Stroke(elbow, wrist, (radius * 0.92, radius * 0.72), lower),
        _Stroke(shoulder, elbow, (radius * 1.2, radius * 0.92), lower),
        _Stroke(shoulder, _between(shoulder, elbow, 0.55), (radius * 1.3, radius * 1.15), shirt),
    ]
    near = view.depths["elbow"][:, side] + 0.5 * view.depths["wrist"][:, side]
    return _Part(near / 1.5 + 0.02, _shaded(strokes))


def _leg(figure: Figure, view: _View, side: int) -> _Part:
    names = ("hip", "knee", "ankle", "toe")
    hip, knee, ankle, toe = (view.places[name][:, side] for name in names)
    shade, radius = view.side_shade(side), figure.leg_radius
    skin, cloth = _shade(figure.skin, shade), _shade(figure.trousers, shade)
    lower = cloth if figure.long_trousers else skin
    strokes = [
        _Stroke(ankle, toe, (radius * 0.72, radius * 0.5), _shade(figure.shoes, shade)),
        _Stroke(knee, ankle, (radius * 0.86, radius * 0.6), lower),
        _Stroke(hip, knee, (radius * 1.2, radius * 0.9), cloth),
    ]
    near = view.depths["knee"][:, side] - view.depths["pelvis"]
    return _Part(0.6 * near + view.depths["pelvis"] - 0.01, _shaded(strokes))


def _trunk(figure: Figure, view: _View) -> _Part:
    shoulder, hip = view.places["shoulder"], view.places["hip"]
    radius = figure.trunk_radius
    waist = _between(view.places["pelvis"], view.places["chest"], 0.2)
    sides = [
        _Stroke(
            _between(view.places["chest"], shoulder[:, side], 0.72),
            _between(waist, hip[:, side], 0.8),
            (radius, radius * 0.95),
            figure.shirt,
        )
        for side in (0, 1)
    ]
    middle = _Stroke(view.places["chest"], waist, (radius, radius), figure.shirt)
    seat = _Stroke(hip[:, 0], hip[:, 1], (radius * 0.98, radius * 0.98), figure.trousers)
    yoke = _Stroke(shoulder[:, 0], shoulder[:, 1], (figure.arm_radius * 1.25,) * 2, figure.shirt)
    shirt = [yoke, *sides, middle]
    layers = _edges([seat]) + _fills([seat]) + _edges([yoke, *sides]) + _fills(shirt)
    return _Part(view.depths["pelvis"], layers + _lights([middle]))


def _head(figure: Figure, view: _View) -> _Part:
    centre, chest, radius = view.places["head"], view.places["chest"], figure.head_radius
    up = np.array([0.0, -radius])
    hair_at = centre + 0.16 * up - view.ahead(0.24 * radius)
    face_at = centre - 0.1 * up + view.ahead(0.14 * radius)
    hair = [_disc(hair_at, radius * 0.98, figure.hair)]
    if figure.long_hair:
        nape = centre - 1.05 * up - view.ahead(0.45 * radius)
        hair.append(_Stroke(hair_at, nape, (radius * 0.8, radius * 0.62), figure.hair))
    neck = _Stroke(chest, centre, (radius * 0.45, radius * 0.45), _shade(figure.skin, 0.9))
    nose = _disc(face_at - 0.08 * up + view.ahead(0.82 * radius), radius * 0.16, figure.skin)
    face = _disc(face_at, radius * 0.84, figure.skin)
    skin = _edges([neck]) + _fills([neck, face, nose]) + _lights([face])
    eyes = [
        _disc(face_at + 0.12 * up + view.ahead(0.62 * radius) + offset, radius * 0.11, (26, 22, 26))
        for side in (-1, 1)
        for offset in [view.aside(side * 0.34 * radius)]
        if view.depth(np.array([0.62, side * 0.34, 0.0])) > 0.05
    ]
    layers = _shaded(hair) + skin + _fills(eyes)
    return _Part(view.depths["chest"] + 0.015, layers)


def _parts(figure: Figure, view: _View) -> list[_Part]:
    limbs = [build(figure, view, side) for build in (_leg, _arm) for side in (0, 1)]
    return [*limbs, _trunk(figure, view), _head(figure, view)]


# ---- Backgrounds: each painter fills (0, 0) to (width, bottom) of a canvas ----


def _tone(rng: np.random.Generator, low: float, high: float, saturation: float = 0.45) -> Colour:
    """A muted random colour with a value between `low` and `high`."""
    parts = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0, saturation), rng.uniform(low, high))
    return _shade([255 * part for part in parts], 1.0)


def _gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    share = np.linspace(0, 1, size[1])[:, None]
    rows = np.asarray(top) * (1 - share) + np.asarray(bottom) * share
    column = Image.fromarray(rows[:, None].astype(np.uint8))
    return column.resize(size)


def _sky(canvas: Image.Image, bottom: int, unit: float, rng: np.random.Generator) -> None:
    canvas.paste(
        _gradient((canvas.width, bottom), _tone(rng, 0.45, 0.95, 0.6), _tone(rng, 0.7, 1.0, 0.3))
    )
    draw = ImageDraw.Draw(canvas)
    for height in (0.35, 0.2):
        steps = np.linspace(0, canvas.width, 24)
        bumps = sum(
            np.sin(steps / unit * rng.uniform(1.0, 6.0) + rng.uniform(0, 6.3)) for _ in range(3)
        )
        tops = bottom - unit * height * (0.5 + 0.16 * bumps)
        ridge = [(float(x), float(y)) for x, y in zip(steps, tops, strict=True)]
        draw.polygon([(0, bottom), *ridge, (canvas.width, bottom)], fill=_tone(rng, 0.3, 0.75))
    _scatter(draw, canvas.width, bottom, unit, rng, (_tree, _house, _pole))


def _bricks(canvas: Image.Image, bottom: int, unit: float, rng: np.random.Generator) -> None:
    base = _tone(rng, 0.4, 0.8, 0.55)
    canvas.paste(_shade(base, rng.uniform(0.6, 1.25)), (0, 0, canvas.width, bottom))
    draw = ImageDraw.Draw(canvas)
    high = max(4.0, unit * rng.uniform(0.04, 0.1))
    wide, gap = high * rng.uniform(1.6, 3.0), max(1.0, high * 0.12)
    for row in range(int(bottom / high) + 1):
        y = bottom - (row + 1) * high
        for x in np.arange(-wide * (row % 2) / 2, canvas.width, wide):
            box = (float(x), y, float(x + wide - gap), y + high - gap)
            draw.rectangle(box, fill=_shade(base, rng.uniform(0.88, 1.08)))


def _stripes(canvas: Image.Image, bottom: int, unit: float, rng: np.random.Generator) -> None:
    first = _tone(rng, 0.45, 0.95)
    second = _shade(first, rng.uniform(0.7, 0.92))
    canvas.paste(first, (0, 0, canvas.width, bottom))
    draw, wide = ImageDraw.Draw(canvas), max(3.0, unit * rng.uniform(0.04, 0.15))
    slant = rng.uniform(-0.6, 0.6) * bottom * (rng.uniform() < 0.5)
    for x in np.arange(-abs(slant), canvas.width + abs(slant), 2 * wide):
        low = float(x + slant)
        draw.polygon([(x, 0), (x + wide, 0), (low + wide, bottom), (low, bottom)], fill=second)


def _mottled(canvas: Image.Image, bottom: int, unit: float, rng: np.random.Generator) -> None:
    grain = max(2, int(unit * rng.uniform(0.015, 0.08)))
    cells = (bottom // grain + 2, canvas.width // grain + 2, 1)
    patches = np.asarray(_tone(rng, 0.4, 0.9)) * rng.uniform(0.78, 1.12, cells)
    small = Image.fromarray(np.clip(patches, 0, 255).astype(np.uint8))
    canvas.paste(small.resize((canvas.width, bottom), Image.Resampling.BICUBIC))


def _room(canvas: Image.Image, bottom: int, unit: float, rng: np.random.Generator) -> None:
    """A plain wall with pictures, windows and boxes."""
    wall = _tone(rng, 0.5, 0.98, 0.35)
    canvas.paste(_gradient((canvas.width, bottom), wall, _shade(wall, rng.uniform(0.75, 1.0))))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, bottom - unit * 0.025, canvas.width, bottom), fill=_shade(wall, 0.7))
    _scatter(draw, canvas.width, bottom, unit, rng, (_picture, _box, _ball, _pole))


_BACKDROPS = (_sky, _bricks, _stripes, _mottled, _room, _sky, _room)

Clutter = Callable[[ImageDraw.ImageDraw, float, float, float, np.random.Generator], None]


def _scatter(
    draw: ImageDraw.ImageDraw,
    width: int,
    bottom: int,
    unit: float,
    rng: np.random.Generator,
    kinds: Sequence[Clutter],
) -> None:
    for _ in range(int(width / unit * rng.uniform(1.0, 3.5))):
        kinds[rng.integers(len(kinds))](draw, rng.uniform(0, width), bottom, unit, rng)


def _tree(
    draw: ImageDraw.ImageDraw, x: float, bottom: float, unit: float, rng: np.random.Generator
) -> None:
    height, crown = unit * rng.uniform(0.2, 0.55), unit * rng.uniform(0.08, 0.18)
    draw.rectangle(
        (x - crown / 7, bottom - height, x + crown / 7, bottom), fill=_tone(rng, 0.2, 0.5)
    )
    leaves = _tone(rng, 0.25, 0.65, 0.6)
    for _ in range(4):
        cx, cy = x + rng.normal(0, crown / 2), bottom - height + rng.normal(0, crown / 2)
        fill = _shade(leaves, rng.uniform(0.85, 1.15))
        draw.ellipse((cx - crown, cy - crown, cx + crown, cy + crown), fill=fill)


def _house(
    draw: ImageDraw.ImageDraw, x: float, bottom: float, unit: float, rng: np.random.Generator
) -> None:
    wide, high = unit * rng.uniform(0.15, 0.5), unit * rng.uniform(0.2, 0.75)
    draw.rectangle((x, bottom - high, x + wide, bottom), fill=_tone(rng, 0.35, 0.85))
    pane, step = _tone(rng, 0.2, 0.95), max(5.0, unit * rng.uniform(0.07, 0.12))
    for left in np.arange(x + step / 3, x + wide - step * 0.6, step):
        for top in np.arange(bottom - high + step / 3, bottom - step, step * 1.2):
            box = (float(left), float(top), float(left + step / 2), float(top + step * 0.6))
            draw.rectangle(box, fill=pane)


def _pole(
    draw: ImageDraw.ImageDraw, x: float, bottom: float, unit: float, rng: np.random.Generator
) -> None:
    half = max(1.0, unit * rng.uniform(0.006, 0.03))
    high = unit * rng.uniform(0.4, 1.2)
    draw.rectangle((x - half, bottom - high, x + half, bottom), fill=_tone(rng, 0.2, 0.8))


def _picture(
    draw: ImageDraw.ImageDraw, x: float, bottom: float, unit: float, rng: np.random.Generator
) -> None:
    wide, high = unit * rng.uniform(0.12, 0.35, 2)
    top, rim = bottom - unit * rng.uniform(0.45, 0.85), max(1.0, unit * 0.014)
    draw.rectangle((x, top, x + wide, top + high), fill=_tone(rng, 0.2, 0.6))
    inner = (x + rim, top + rim, x + wide - rim, top + high - rim)
    draw.rectangle(inner, fill=_tone(rng, 0.5, 0.95, 0.7))


def _box(
    draw: ImageDraw.ImageDraw, x: float, bottom: float, unit: float, rng: np.random.Generator
) -> None:
    wide, high = unit * rng.uniform(0.1, 0.3, 2)
    colour = _tone(rng, 0.3, 0.9, 0.6)
    draw.rectangle((x, bottom - high, x + wide, bottom), fill=colour)
    draw.rectangle((x, bottom - high, x + wide, bottom - 0.8 * high), fill=_shade(colour, 0.8))


def _ball(
    draw: ImageDraw.ImageDraw, x: float, bottom: float, unit: float, rng: np.random.Generator
) -> None:
    radius, colour = unit * rng.uniform(0.04, 0.1), _tone(rng, 0.4, 0.95, 0.8)
    y = bottom - radius
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    shine = radius * 0.4
    draw.ellipse((x - shine, y - 2 * shine, x + shine / 2, y - shine / 2), _lighten(colour, 0.3))


def _floor(canvas: Image.Image, top: int, unit: float, rng: np.random.Generator) -> None:
    high = canvas.height - top
    ground = _tone(rng, 0.35, 0.85)
    speckle = rng.uniform(0.9, 1.08, (high // 2 + 1, canvas.width // 3 + 1, 1))
    depth = np.linspace(rng.uniform(0.75, 1.0), 1.05, high // 2 + 1)[:, None, None]
    cells = np.clip(np.asarray(ground) * speckle * depth, 0, 255).astype(np.uint8)
    canvas.paste(Image.fromarray(cells).resize((canvas.width, high)), (0, top))
    if rng.uniform() < 0.5:
        return
    draw, step = ImageDraw.Draw(canvas), unit * rng.uniform(0.15, 0.5)
    slant = rng.uniform(-0.5, 0.5) * high
    for x in np.arange(-high, canvas.width + high, step):
        ends = [(float(x), top), (float(x + slant), canvas.height)]
        draw.line(ends, fill=_shade(ground, 0.8), width=2)


def _paint(
    size: tuple[int, int], horizon: int, unit: float, rng: np.random.Generator
) -> Image.Image:
    canvas = Image.new("RGB", size)
    _BACKDROPS[rng.integers(len(_BACKDROPS))](canvas, horizon, unit, rng)
    _floor(canvas, horizon, unit, rng)
    return canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.0, 1.2)))


# ---- Scene and camera ----


def _sway(
    rng: np.random.Generator, moments: NDArray[Any], rate: tuple[float, float]
) -> NDArray[Any]:
    """A smooth track in -1 to 1."""
    first, second = rng.uniform(*rate, 2)
    start = rng.uniform(0, 1, 2)
    tracks = np.sin(2 * np.pi * (moments[:, None] * (first, second) + start))
    return tracks.mean(axis=1)


@dataclass(frozen=True)
class Scene:
    """Where a clip plays and how the camera sees it; one row per frame in the tracks."""

    size: tuple[int, int]
    canvas: Image.Image
    feet: NDArray[Any]  # (time, 2) the figure's place on the canvas, pixels
    corner: NDArray[Any]  # (time, 2) top left of the camera's box on the canvas, pixels
    zoom: NDArray[Any]  # (time,)
    stature: float  # body height at zoom 1, pixels
    gain: NDArray[Any]  # (time,) brightness
    grain: NDArray[Any]  # sensor noise, larger than the frame
    grain_at: NDArray[Any]  # (time, 2) where the frame's noise begins

    @classmethod
    def from_rng(
        cls,
        rng: np.random.Generator,
        size: tuple[int, int],
        moments: NDArray[Any],
        facing: float,
    ) -> Scene:
        """A random scene for `moments` (seconds); `facing` 1 is to the right, -1 to the left."""
        frame = np.array(size, float)
        width, height = frame
        lasting = float(moments[-1])
        speed = width * rng.uniform(0.15, 0.6) * (rng.uniform() < 0.35)
        travel = min(speed * lasting, 3.0 * width)
        margin = np.ceil(_MARGIN * frame)
        ground = height * rng.uniform(0.9, 0.94)
        horizon = int(margin[1] + ground - height * rng.uniform(0.07, 0.3))
        canvas_size = (int(2 * margin[0] + width + np.ceil(travel)), int(2 * margin[1] + height))
        share = moments / max(lasting, 1e-9)
        scroll = travel * share if facing > 0 else travel * (1.0 - share)
        zoom = rng.uniform(0.98, 1.08) + (share - 0.5) * rng.uniform(-0.06, 0.06)
        zoom = np.maximum(zoom, 0.975)
        pan = 0.05 * width * _sway(rng, moments, (0.05, 0.3)) * rng.uniform()
        shake = 0.006 * height * rng.uniform() * rng.normal(size=(len(moments), 2))
        tilt = 0.012 * height * _sway(rng, moments, (0.1, 0.4))
        home = margin + np.stack([scroll, np.zeros_like(scroll)], axis=1)
        at = np.array([width * rng.uniform(0.44, 0.56), ground])
        centre = home + frame / 2 + np.stack([pan, tilt], axis=1) + shake
        sigma = rng.uniform(1.0, 4.5)
        noise = rng.normal(0.0, sigma, (size[1] + 16, size[0] + 16, 1))
        light = rng.uniform(0.86, 1.1) * (
            1.0 + 0.06 * rng.uniform() * _sway(rng, moments, (0.1, 0.6))
        )
        return cls(
            size=size,
            canvas=_paint(canvas_size, horizon, height, rng),
            feet=home + at,
            corner=centre - frame / (2 * zoom[:, None]),
            zoom=zoom,
            stature=height * rng.uniform(0.575, 0.65),
            gain=light,
            grain=noise.round().astype(np.int16),
            grain_at=rng.integers(0, 16, (len(moments), 2)),
        )

    def background(self, moment: int) -> Image.Image:
        """The camera's view of the canvas, enlarged for drawing with anti-aliasing."""
        left, top = self.corner[moment]
        width, height = np.array(self.size) / self.zoom[moment]
        left = float(np.clip(left, 0, self.canvas.width - width))
        top = float(np.clip(top, 0, self.canvas.height - height))
        large = (self.size[0] * _SUPERSAMPLE, self.size[1] * _SUPERSAMPLE)
        box = (left, top, left + width, top + height)
        return self.canvas.resize(large, Image.Resampling.BILINEAR, box=box)

    def finish(self, picture: Image.Image, moment: int) -> NDArray[Any]:
        """Reduces the enlarged picture to the frame and adds light changes and noise."""
        small = picture.reduce(_SUPERSAMPLE)
        table = np.clip(np.arange(256) * self.gain[moment], 0, 255).astype(int).tolist()
        pixels = np.asarray(small.point(table * 3), dtype=np.int16)
        down, across = self.grain_at[moment]
        width, height = self.size
        noisy = pixels + self.grain[down : down + height, across : across + width]
        return np.clip(noisy, 0, 255).astype(np.uint8)


def _soft_ellipse(width: int, height: int) -> Image.Image:
    """A shadow's mask, dark in the middle."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    strength = np.clip(1.25 - 1.25 * (x * x + y * y), 0, 1) ** 0.7
    return Image.fromarray((120 * strength).astype(np.uint8))


def _shadow(joints: dict[str, NDArray[Any]], view: _View) -> NDArray[Any]:
    """Centre x and width (time, 2) of the shadow, body units; it shrinks under a jump."""
    feet = view.places["ankle"][..., 0]
    middle = 0.5 * feet.mean(axis=1) + 0.5 * view.places["pelvis"][:, 0]
    height = joints["toe"][..., 2].min(axis=1)
    wide = (0.3 + 0.9 * np.ptp(feet, axis=1)) * np.clip(1.0 - 1.6 * height, 0.4, 1.0)
    return np.stack([middle, wide], axis=1)


def _cast_shadow(picture: Image.Image, origin: NDArray[Any], shadow: NDArray[Any]) -> None:
    """Darkens the ground at `shadow`, a centre and a width in pixels from `origin`."""
    wide = max(2, int(shadow[1]))
    high = max(2, wide // 5)
    corner = (int(origin[0] + shadow[0] - wide / 2), int(origin[1] - high / 2))
    picture.paste((14, 14, 22), corner, _soft_ellipse(wide, high))


def _place(outline: NDArray[Any], origin: NDArray[Any], scale: NDArray[Any]) -> NDArray[Any]:
    """Outlines (time, points, 2) in body units as x, y, x, y ... in pixels: (time, 2 * points)."""
    pixels = origin[:, None] + scale[:, None, None] * outline
    return pixels.reshape(len(pixels), -1)


def draw_frames(
    figure: Figure, joints: dict[str, NDArray[Any]], yaw: float, scene: Scene
) -> NDArray[Any]:
    """Draws every frame: background, shadow, figure, light and noise.

    Args:
        figure: who to draw.
        joints: places over time, `(time, 3)` or, for pairs, `(time, 2, 3)`.
        yaw: degrees that the figure is turned from facing the camera; positive to the right.
        scene: where.

    Returns:
        8-bit RGB frames of shape `(time, height, width, channels)`.
    """
    view = _View(joints, yaw)
    parts = _parts(figure, view)
    shadow = _shadow(joints, view)
    scale = scene.zoom * scene.stature / figure.height * _SUPERSAMPLE
    origin = (scene.feet - scene.corner) * scene.zoom[:, None] * _SUPERSAMPLE
    outlines = [[_place(layer.outline, origin, scale) for layer in part.layers] for part in parts]
    order = np.argsort(np.stack([part.near for part in parts], axis=1), axis=1, kind="stable")
    frames = np.empty((len(scale), scene.size[1], scene.size[0], 3), np.uint8)
    for moment in range(len(scale)):
        picture = scene.background(moment)
        _cast_shadow(picture, origin[moment], shadow[moment] * scale[moment])
        draw = ImageDraw.Draw(picture)
        for number in order[moment]:
            for layer, outline in zip(parts[number].layers, outlines[number], strict=True):
                draw.polygon(outline[moment].tolist(), fill=layer.colour)
        frames[moment] = scene.finish(picture, moment)
    return frames
