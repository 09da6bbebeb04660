"""Functional models: video representations and action classifiers."""

from keras_videolstm.choices import VARIANTS
from keras_videolstm.models.classifier import ActionClassifier
from keras_videolstm.models.video_lstm import VideoLSTM
from keras_videolstm.models.video_stream import VideoStream

__all__ = ["VARIANTS", "ActionClassifier", "VideoLSTM", "VideoStream"]
