"""What a VideoLSTM's `fit` takes of a clip."""

from typing import Any

from keras_videolstm.choices import BASES, CONDITIONAL
from keras_videolstm.training.recipe import ModelRecipe

VALIDATION_SEED_SHIFT = 1_000_003
"""Between a recipe's seed and that of its validation set."""


def clip_parts(clip: Any, model: ModelRecipe) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split whole clips into a VideoLSTM's inputs and targets.

    Args:
        clip: tensor or array `(batch, input_steps + prediction_steps, *frame_shape)`; pixels may
            stay uint8, which `VideoLSTM` scales.
        model: variant and numbers of steps.

    Returns:
        `{"frames": ...}` (and `"future"` where a conditional prediction needs it) and a dict with
        the variant's own keys.

    Example:
        >>> model = ModelRecipe("composite", [3], [8], input_steps=2, prediction_steps=4)
        >>> inputs, targets = clip_parts(np.zeros((1, 6, 3)), model)
        >>> sorted(targets), targets["prediction"].shape
        (['prediction', 'reconstruction'], (1, 4, 3))
    """
    parts = {
        "reconstruction": clip[:, : model.input_steps],
        "prediction": clip[:, model.input_steps :],
    }
    keys = BASES[model.variant.removeprefix(CONDITIONAL)]
    inputs = {"frames": parts["reconstruction"]}
    if model.variant.startswith(CONDITIONAL) and "prediction" in keys:
        inputs["future"] = parts["prediction"]
    return inputs, {key: parts[key] for key in keys}
