"""Which parts of a layer or a model are frozen, by name, so that files can say it."""

from collections.abc import Iterable, Mapping

import keras


def frozen_among(parts: Mapping[str, keras.layers.Layer]) -> list[str]:
    """Return the names of parts that are frozen, and of what is frozen inside others.

    Example:
        >>> encoder = VideoEncoder([8, 4])
        >>> encoder.cells[0].trainable = False
        >>> frozen_among({"encoder": encoder})
        ['encoder/cells_0']
    """
    found = []
    for name, part in parts.items():
        if not part.trainable:
            found.append(name)
            continue
        found += [f"{name}/{inner}" for inner in frozen_among(getattr(part, "parts", {}))]
    return found


def freeze_among(parts: Mapping[str, keras.layers.Layer], names: Iterable[str]) -> None:
    """Freeze what `frozen_among` has named; what is not there is passed over.

    Example:
        >>> encoder = VideoEncoder([8, 4])
        >>> freeze_among({"encoder": encoder}, ["encoder/cells_0"])
        >>> encoder.cells[0].trainable
        False
    """
    for name in names:
        own, _, inner = name.partition("/")
        part = parts.get(own)
        if part is None:
            continue
        if inner:
            freeze_among(part.parts, [inner])
        else:
            part.trainable = False


def numbered(name: str, layers: Iterable[keras.layers.Layer]) -> dict[str, keras.layers.Layer]:
    """Return layers of a list by name and number.

    Example:
        >>> list(numbered("cells", VideoEncoder([8, 4]).cells))
        ['cells_0', 'cells_1']
    """
    return {f"{name}_{number}": layer for number, layer in enumerate(layers)}


def present(**layers: keras.layers.Layer | None) -> dict[str, keras.layers.Layer]:
    """Return by name the layers that are there.

    Example:
        >>> list(present(slow=None, encoder=VideoEncoder([8])))
        ['encoder']
    """
    return {name: layer for name, layer in layers.items() if layer is not None}
