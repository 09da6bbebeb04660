"""Models as files for other runtimes: TensorFlow, TensorFlow Lite, ONNX."""

from keras_videolstm.exporting.export import FORMATS, TOLERANCE, export
from keras_videolstm.exporting.export_report import ExportReport
from keras_videolstm.exporting.serving import PARTS

__all__ = ["FORMATS", "PARTS", "TOLERANCE", "ExportReport", "export"]
