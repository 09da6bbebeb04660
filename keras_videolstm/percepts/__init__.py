"""Frames to vectors: patches, ImageNet convnets, optical flow."""

from keras_videolstm.percepts.efficientnet_lite0 import efficientnet_lite0
from keras_videolstm.percepts.efficientnet_percepts import EfficientNetLite0Percepts
from keras_videolstm.percepts.extraction import ExtractionReport, clip_percepts, extract
from keras_videolstm.percepts.extractor import PerceptExtractor, register_extractor
from keras_videolstm.percepts.flow_percepts import OpticalFlowPercepts
from keras_videolstm.percepts.named_extractors import (
    get_extractor,
    known_extractor,
    list_extractors,
)
from keras_videolstm.percepts.optical_flow import optical_flow
from keras_videolstm.percepts.patch_percepts import PatchPercepts
from keras_videolstm.percepts.temporal_stream import TemporalStream
from keras_videolstm.percepts.temporal_stream_percepts import TemporalStreamPercepts
from keras_videolstm.percepts.vgg16_percepts import VGG16Fc6Percepts

__all__ = [
    "EfficientNetLite0Percepts",
    "ExtractionReport",
    "OpticalFlowPercepts",
    "PatchPercepts",
    "PerceptExtractor",
    "TemporalStream",
    "TemporalStreamPercepts",
    "VGG16Fc6Percepts",
    "clip_percepts",
    "efficientnet_lite0",
    "extract",
    "get_extractor",
    "known_extractor",
    "list_extractors",
    "optical_flow",
    "register_extractor",
]
