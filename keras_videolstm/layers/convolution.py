"""Where a convolutional stack of LSTMs looks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Convolution:
    """How a stack of LSTMs runs over feature maps.

    Attributes:
        patch_size: a frame is cut into patches of so many pixels a side, whose pixels are the
            channels of the lowest layer's input; default 4.
        kernel_size: side of the kernels, of inputs and of states alike; default 3.
        strides: for each layer, how much coarser its maps are than those below; default 1 each.
        max_displacement: how many pixels things may move between two frames. The layers are then
            told how far each patch has moved (`BlockMatching`), and a conditional decoder moves the
            frame before instead of drawing all of it anew (`MotionHead`). Default 0: neither.
        motion_tracks: whether the layers are also told how each patch has moved up to now
            (`MotionTracks`), which needs a `max_displacement`; default `False`.

    Raises:
        ValueError: if a number is not a positive integer, the kernel's side is even, or
            `max_displacement` is larger than a patch or does not go with strides or is missing.

    Example:
        >>> Convolution(patch_size=4, strides=(1, 2)).scale(1)
        2
    """

    patch_size: int = 4
    kernel_size: int = 3
    strides: Sequence[int] = ()
    max_displacement: int = 0
    motion_tracks: bool = False

    def __post_init__(self) -> None:
        strides = self.strides if isinstance(self.strides, Sequence) else (None,)
        numbers = (self.patch_size, self.kernel_size, *strides, self.max_displacement)
        if not all(type(number) is int for number in numbers):
            raise ValueError(f"Expected integers, and strides a list. Received: {asdict(self)}")
        object.__setattr__(self, "strides", tuple(strides))
        if min(self.patch_size, self.kernel_size, *self.strides) < 1 or not self.kernel_size % 2:
            raise ValueError(
                f"Expected positive numbers, and an odd kernel_size. Received: {asdict(self)}"
            )
        first = self.stride(0) == 1
        if not 0 <= self.max_displacement <= (self.patch_size if first else 0):
            raise ValueError(
                f"Expected max_displacement from 0 to patch_size, and 0 where the first of strides "
                f"is not 1. Received: {asdict(self)}"
            )
        if type(self.motion_tracks) is not bool or self.motion_tracks > self.max_displacement:
            raise ValueError(
                f"Expected motion_tracks true or false, and false without a max_displacement. "
                f"Received: {asdict(self)}"
            )

    @classmethod
    def of(cls, value: "Convolution | dict[str, Any] | None") -> "Convolution | None":
        """Return a convolution from its fields; `None` stays `None`."""
        if value is None or isinstance(value, cls):
            return value
        names = [field.name for field in fields(cls)]
        if not isinstance(value, dict) or not set(value) <= set(names):
            raise ValueError(
                f"Expected a Convolution, or a dict of some of {names}. Received: {value!r}"
            )
        return cls(**value)

    def stride(self, layer: int) -> int:
        """Return how much coarser a layer's maps are than those below."""
        return self.strides[layer] if layer < len(self.strides) else 1

    def scale(self, layer: int) -> int:
        """Return how much coarser a layer's maps are than the patches."""
        scale = 1
        for below in range(layer + 1):
            scale *= self.stride(below)
        return scale

    def to_config(self) -> dict[str, Any]:
        """Return plain values, for a configuration."""
        return {**asdict(self), "strides": list(self.strides)}
