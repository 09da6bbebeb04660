"""Models as files for other runtimes: TensorFlow, TensorFlow Lite, ONNX."""

from keras_videolstm.choices import FORMATS, PARTS
from keras_videolstm.exporting.export import TOLERANCE, export
from keras_videolstm.exporting.export_report import ExportReport

__all__ = ["FORMATS", "PARTS", "TOLERANCE", "ExportReport", "export"]
