"""Which precision pays on this machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import tensorflow as tf

AUTO = "auto"
FULL = "float32"
LOW = "mixed_bfloat16"

# Low precision costs accuracy and casts: it has to be clearly quicker.
_LEAST_GAIN = 1.2
_CPU_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
_REPEATS = 5
_STEPS = 10
# Of smaller products the time is mostly that of starting them.
_FEWEST_OPERATIONS = 50e6
_FIRST_GPU_WITH_BFLOAT16 = (8, 0)


@dataclass(frozen=True)
class Precision:
    """A precision and why it was picked.

    Attributes:
        policy: Keras dtype policy, `"float32"` or `"mixed_bfloat16"`.
        reason: for people.
    """

    policy: str
    reason: str


@dataclass(frozen=True)
class Places:
    """Of what maps a convolutional layer is: their sides, and that of the kernel."""

    height: int
    width: int
    kernel_size: int

    @property
    def products(self) -> int:
        """How many dense products one convolution is."""
        return self.height * self.width * self.kernel_size**2


def pick_precision(
    requested: str,
    units: int,
    batch_size: int,
    places: Places | None = None,
    features: int | None = None,
) -> Precision:
    """Pick the precision of products: the requested one, or with `"auto"` the one that pays.

    bfloat16 is picked where the device has instructions for it, and where a short measurement of a
    layer's products over ten steps says that it is at least 1.2 times as fast: ten of
    `(batch, units) · (units, 4 units)`, and two of ten times the rows, of frames and of h; or of
    convolutions in their place. State, gates, what heads give, and losses are float32 either way;
    so are sums, but that of a convolution and its bias.

    Args:
        requested: `"auto"`, `"float32"` or `"mixed_bfloat16"`.
        units: of the largest layer.
        batch_size: sequences a step and device.
        places: of a convolutional layer; default `None`, fully connected.
        features: values of a frame, or of a place; default: as many as units.

    Example:
        >>> pick_precision("float32", units=1024, batch_size=100)
        Precision(policy='float32', reason='asked for')
    """
    if requested != AUTO:
        return Precision(requested, "asked for")
    if not _has_bfloat16():
        return Precision(FULL, "this device has no bfloat16 instructions")
    features = features or units
    products = places.products if places else 1
    if 2 * batch_size * (features + units) * 4 * units * products < _FEWEST_OPERATIONS:
        return Precision(FULL, "products as small as these gain nothing from bfloat16")
    full, low = _seconds_of_products(units, batch_size, features, places)
    measured = (
        f"ten steps of {units} units on {batch_size} sequences take {1e3 * low:.1f} ms in "
        f"bfloat16, {1e3 * full:.1f} ms in float32"
    )
    return Precision(LOW if full >= _LEAST_GAIN * low else FULL, measured)


def _has_bfloat16() -> bool:
    if gpus := tf.config.list_physical_devices("GPU"):
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        return all(
            tuple(each.get("compute_capability") or (0, 0)) >= _FIRST_GPU_WITH_BFLOAT16
            for each in details
        )
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:  # not Linux: measured, it would be emulated, and slow
        return True
    return bool(words & _CPU_FLAGS)


def _seconds_of_products(
    units: int, batch_size: int, features: int, places: Places | None = None
) -> list[float]:
    """Return the best time of the products in float32 and in bfloat16, measured in turns."""
    works = [
        tf.function(_products(dtype, units, batch_size, features, places))
        for dtype in ("float32", "bfloat16")
    ]
    times: list[list[float]] = [[], []]
    for _ in range(_REPEATS + 1):
        for work, seconds in zip(works, times, strict=True):
            start = time.perf_counter()
            work().numpy()
            seconds.append(time.perf_counter() - start)
    # The first call traces.
    return [min(seconds[1:]) for seconds in times]


def _products(
    dtype: str, units: int, batch_size: int, features: int, places: Places | None
) -> Callable[[], tf.Tensor]:
    if places is None:
        shape, sides, multiply = (), (), tf.matmul
    else:
        shape, sides = (places.height, places.width), (places.kernel_size,) * 2
        multiply = partial(tf.nn.conv2d, strides=1, padding="SAME")
    frames = tf.ones((_STEPS * batch_size, *shape, features), dtype)
    state = tf.ones((batch_size, *shape, units), dtype)
    kernel = tf.fill((*sides, features, 4 * units), tf.constant(1 / features, dtype))
    recurrent_kernel = tf.fill((*sides, units, 4 * units), tf.constant(1 / units, dtype))

    def work() -> tf.Tensor:
        at_once = multiply(multiply(frames, kernel)[..., :units], recurrent_kernel)
        last = state
        for _ in range(_STEPS):  # each waits for the one before
            last = multiply(last, recurrent_kernel)[..., :units]
        return tf.reduce_max(at_once) + tf.reduce_max(last)

    return work
