"""One person of the moving figures: a body and its clothes."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from keras_videolstm.data import _figure_drawing as drawing
from keras_videolstm.errors import InputError

Colour = tuple[int, int, int]

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
        >>> from keras_videolstm.data.figure import Figure
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
            >>> from keras_videolstm.data.figure import Figure
            >>> 0.8 < Figure.from_seed(0).height < 1.2
            True
        """
        rng = seeded_rng(seed, "figure_seed", 1)
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


def seeded_rng(seed: int, name: str, stream: int) -> np.random.Generator:
    """Return a generator of a seed and a stream; `name` is said where the seed is unusable."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"Expected {name} to be an integer, 0 or more. Received: {seed!r}")
    return np.random.default_rng([int(seed), stream])


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (
        round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    )
    return red, green, blue
