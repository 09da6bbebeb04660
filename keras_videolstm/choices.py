"""What arguments choose from and count up to, where a command line finds it without TensorFlow."""

# What each kind of model writes.
BASES = {
    "autoencoder": ("reconstruction",),
    "future_predictor": ("prediction",),
    "composite": ("prediction", "reconstruction"),
}
CONDITIONAL = "conditional_"
VARIANTS = tuple(BASES) + tuple(CONDITIONAL + base for base in BASES)

ROWS = (
    "autoencoder",
    "future_predictor",
    "composite",
    "conditional_future_predictor",
    "conditional_composite",
)
"""Variants of the paper's Table 2."""

DISTRIBUTIONS = ("none", "mirrored", "multiworker")
"""How a training is shared out."""

PARTS = ("encoder", "forecaster", "classifier")
FORMATS = ("savedmodel", "tflite", "onnx")
"""What is exported, and into what."""

CONTROLS = ("direction", "speed", "segments")
"""What alone tells the classes of a control of order apart."""

TASKS = ("digit", "direction", "speed")
"""What is to be named of a moving digit."""

TEST_SEQUENCES = 10_000
"""Of moving MNIST's test set."""
