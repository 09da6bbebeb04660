"""Frames to vectors: patches and ImageNet convnets."""

from keras_videolstm.percepts.efficientnet_lite0 import efficientnet_lite0
from keras_videolstm.percepts.efficientnet_percepts import EfficientNetLite0Percepts
from keras_videolstm.percepts.extraction import ExtractionReport, clip_percepts, extract
from keras_videolstm.percepts.extractor import (
    PerceptExtractor,
    get_extractor,
    known_extractor,
    list_extractors,
    register_extractor,
)
from keras_videolstm.percepts.patch_percepts import PatchPercepts
from keras_videolstm.percepts.vgg16_percepts import VGG16Fc6Percepts

__all__ = [
    "EfficientNetLite0Percepts",
    "ExtractionReport",
    "PatchPercepts",
    "PerceptExtractor",
    "VGG16Fc6Percepts",
    "clip_percepts",
    "efficientnet_lite0",
    "extract",
    "get_extractor",
    "known_extractor",
    "list_extractors",
    "register_extractor",
]
