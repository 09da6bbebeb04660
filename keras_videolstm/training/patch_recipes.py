"""Recipes of image patches: the paper's Table 2, right column."""

from collections.abc import Sequence

from keras_videolstm.choices import CONDITIONAL
from keras_videolstm.training.recipe import (
    DataRecipe,
    ModelRecipe,
    OptimizerRecipe,
    Recipe,
    SamplingRecipe,
    StoreRecipe,
    TrainingRecipe,
)

_BATCH = 16
_STEPS_PER_EPOCH = 500


def patches_recipe(
    variant: str,
    train: Sequence[StoreRecipe],
    validation: Sequence[StoreRecipe],
    test: Sequence[StoreRecipe],
    units: int = 432,
    sequences: int = 120_000,
    seed: int = 1,
) -> Recipe:
    """Return the recipe of a row: the same for all rows but for the variant (paper, section 3.3).

    It reads 16 patches of 32x32 pixels in colour, rebuilds them and predicts 13 more; every channel
    is standardised by its mean and deviation in the training part, and the loss is half the squared
    error, summed over a frame. Conditional rows learn by scheduled sampling, as those of moving
    MNIST do.

    Args:
        variant: as of `VideoLSTM`.
        train: stores that `extract --percepts patches` wrote.
        validation: stores by which the best epoch is chosen.
        test: stores that are scored once.
        units: of each of the two layers; the paper has 2048, then 4096.
        sequences: to train on, rounded up to a whole number of epochs of 8,000 at most.
        seed: of weights and data.

    Example:
        >>> patches_recipe("composite", [StoreRecipe("patches.h5")], [], []).model.prediction_steps
        13
    """
    steps = -(-sequences // _BATCH)
    steps_per_epoch = min(_STEPS_PER_EPOCH, steps)
    sampling = SamplingRecipe()
    if variant.startswith(CONDITIONAL):
        sampling = SamplingRecipe(rate=1.0, first_step=0, last_step=max(1, steps // 2))
    return Recipe(
        name=f"{variant}_patches",
        seed=seed,
        description=f"{variant.replace('_', ' ').capitalize()}, two layers of {units} units, "
        "32x32 colour patches of video",
        model=ModelRecipe(
            variant,
            [32, 32, 3],
            [units, units],
            16,
            13,
            activation="linear",
            standardize="channel",
        ),
        data=DataRecipe("percepts", list(train), list(validation), test=list(test)),
        optimizer=OptimizerRecipe("adam", 1e-3, "cosine", warmup_steps=100, clipnorm=1.0),
        sampling=sampling,
        training=TrainingRecipe(_BATCH, steps_per_epoch, epochs=-(-steps // steps_per_epoch)),
    )
