"""Video representations learned without labels: recurrent encoders and decoders for Keras 3.

    >>> import keras_videolstm as kvl
    >>> model = kvl.load("composite_youtube")
    >>> clip = kvl.read_clip("clip.mp4", "composite_youtube")
    >>> model.encode(clip), model.forecast(clip, steps=30)

Names are imported on first use, so that `import keras_videolstm` is quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

from keras_videolstm._version import __version__

if TYPE_CHECKING:
    from keras_videolstm.checkpoints import load, load_metadata, save, verify
    from keras_videolstm.clip_reader import read_clip
    from keras_videolstm.layers import (
        ConditionalDecoder,
        FrameStandardizer,
        PeepholeLSTMCell,
        VideoEncoder,
        unroll,
    )
    from keras_videolstm.models import ActionClassifier, VideoLSTM
    from keras_videolstm.zoo_folder import list_checkpoints

_HOMES = {
    "ActionClassifier": "models",
    "ConditionalDecoder": "layers",
    "FrameStandardizer": "layers",
    "PeepholeLSTMCell": "layers",
    "VideoEncoder": "layers",
    "VideoLSTM": "models",
    "list_checkpoints": "zoo_folder",
    "load": "checkpoints",
    "load_metadata": "checkpoints",
    "read_clip": "clip_reader",
    "save": "checkpoints",
    "unroll": "layers",
    "verify": "checkpoints",
}

__all__ = [
    "ActionClassifier",
    "ConditionalDecoder",
    "FrameStandardizer",
    "PeepholeLSTMCell",
    "VideoEncoder",
    "VideoLSTM",
    "__version__",
    "list_checkpoints",
    "load",
    "load_metadata",
    "read_clip",
    "save",
    "unroll",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'keras_videolstm' has no attribute {name!r}")
    return getattr(importlib.import_module(f"keras_videolstm.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
