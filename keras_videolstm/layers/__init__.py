"""Recurrent layers: one step, how it is run over time, encoder and decoder."""

from keras_videolstm.layers.conv_lstm_cell import ConvPeepholeLSTMCell
from keras_videolstm.layers.convolution import Convolution
from keras_videolstm.layers.decoder import ConditionalDecoder
from keras_videolstm.layers.drift_features import DriftFeatures
from keras_videolstm.layers.encoder import VideoEncoder
from keras_videolstm.layers.frame_standardizer import FrameStandardizer
from keras_videolstm.layers.frame_traces import FrameTraces
from keras_videolstm.layers.lstm_cell import PeepholeLSTMCell
from keras_videolstm.layers.slow_features import SlowFeatures
from keras_videolstm.layers.unroll import unroll

__all__ = [
    "ConditionalDecoder",
    "ConvPeepholeLSTMCell",
    "Convolution",
    "DriftFeatures",
    "FrameStandardizer",
    "FrameTraces",
    "PeepholeLSTMCell",
    "SlowFeatures",
    "VideoEncoder",
    "unroll",
]
