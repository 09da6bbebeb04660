"""Video representations learned without labels: recurrent encoders and decoders for Keras 3."""

from keras_videolstm._version import __version__

__all__ = ["__version__"]
