"""Pictures and films from plain NumPy arrays; knows nothing of models."""

from keras_videolstm.visualization.activity import draw_activity
from keras_videolstm.visualization.animations import side_by_side, write_animation
from keras_videolstm.visualization.confusion import draw_confusion
from keras_videolstm.visualization.curves import draw_bars, draw_curves
from keras_videolstm.visualization.embeddings import draw_embeddings
from keras_videolstm.visualization.features import draw_features
from keras_videolstm.visualization.forecasts import draw_forecast
from keras_videolstm.visualization.label_curves import draw_label_curves
from keras_videolstm.visualization.learning import draw_learning
from keras_videolstm.visualization.saving import save_figure
from keras_videolstm.visualization.sequences import draw_sequence
from keras_videolstm.visualization.strips import Strip
from keras_videolstm.visualization.timeline import draw_action_timeline

__all__ = [
    "Strip",
    "draw_action_timeline",
    "draw_activity",
    "draw_bars",
    "draw_confusion",
    "draw_curves",
    "draw_embeddings",
    "draw_features",
    "draw_forecast",
    "draw_label_curves",
    "draw_learning",
    "draw_sequence",
    "save_figure",
    "side_by_side",
    "write_animation",
]
