"""Percepts of temporal streams: those of the zoo's folder, by their names."""

import json
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from keras_videolstm.percepts.extractor import PerceptExtractor
from keras_videolstm.percepts.flow_percepts import OpticalFlowPercepts
from keras_videolstm.percepts.temporal_stream import TemporalStream
from keras_videolstm.zoo_folder import zoo_folder

_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"


class TemporalStreamPercepts(PerceptExtractor):
    """The rectified units of a `TemporalStream`, of each frame's flow and those that follow.

    There is a class for each temporal stream in the zoo's folder, which `known_extractor` makes.

    Example:
        >>> get_extractor("temporal_stream_10")(np.zeros((20, 128, 128, 3), "uint8")).shape
        (10, 512)
    """

    size = OpticalFlowPercepts.size
    short_side = OpticalFlowPercepts.short_side
    folder: ClassVar[Path]

    def __init__(self) -> None:
        self._flow = OpticalFlowPercepts()
        self._stream = TemporalStream.from_config(_config_of(self.folder))
        self._stream.load_weights(self.folder / _WEIGHTS)

    def __call__(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Map frames `(time, 128, 128, 3)`, uint8 RGB, to `(time - stack, features)` float32."""
        return self._stream.percepts(self._flow(frames))


def temporal_streams() -> dict[str, type[PerceptExtractor]]:
    """Return the extractor of each temporal stream in the zoo's folder, by name.

    Example:
        >>> list(temporal_streams())
        ['temporal_stream_10']
    """
    found = {}
    for path in sorted(zoo_folder().glob(f"*/{_CONFIG}")):
        config = _config_of(path.parent)
        if config is not None:
            attributes = {
                "name": path.parent.name,
                "feature_dim": config["features"],
                "span": config["stack"] + 1,
                "version": _hash_of_weights(path.parent),
                "folder": path.parent,
                "__doc__": f"The percepts of the zoo's {path.parent.name}.",
            }
            found[path.parent.name] = type(path.parent.name, (TemporalStreamPercepts,), attributes)
    return found


def _config_of(folder: Path) -> dict[str, Any] | None:
    """Return a temporal stream's arguments; nothing of other checkpoints, and of damaged ones."""
    try:
        content = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        config = content["config"]
        known = {"features", "stack"} <= set(config)
    except (OSError, KeyError, TypeError, ValueError):
        return None
    return config if known and content.get("model") == TemporalStream.__name__ else None


def _hash_of_weights(folder: Path) -> str:
    try:
        content = json.loads((folder / _METADATA).read_text(encoding="utf-8"))
        return str(content["sha256"][_WEIGHTS])
    except (OSError, KeyError, TypeError, ValueError):
        return ""
