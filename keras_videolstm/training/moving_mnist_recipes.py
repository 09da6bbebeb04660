"""Recipes of moving MNIST: the paper's Table 2, and the convolutional Composite."""

from keras_videolstm.choices import CONDITIONAL
from keras_videolstm.choices import ROWS as ROWS
from keras_videolstm.training.recipe import (
    ConvolutionRecipe,
    DataRecipe,
    ModelRecipe,
    OptimizerRecipe,
    Recipe,
    SamplingRecipe,
    TrainingRecipe,
)

_BATCH = 16
_STEPS_PER_EPOCH = 500


def table2_recipe(
    variant: str, units: int = 432, sequences: int = 240_000, seed: int = 1
) -> Recipe:
    """Return the recipe of a row: the same for all rows but for the variant.

    In conditional rows the decoder's own frames take the place of the true ones step by step over
    the first half of the training: a decoder that was only ever forced runs away on its own.

    Args:
        variant: one of `ROWS`.
        units: of each of the two layers; the paper has 2048.
        sequences: to train on, rounded up to a whole number of epochs of 8,000 at most.
        seed: of weights and data.

    Example:
        >>> table2_recipe("composite", units=2048).name
        'composite_moving_mnist'
    """
    steps = -(-sequences // _BATCH)
    steps_per_epoch = min(_STEPS_PER_EPOCH, steps)
    return Recipe(
        name=f"{variant}_moving_mnist",
        seed=seed,
        description=f"{variant.replace('_', ' ').capitalize()}, two layers of {units} units, "
        "moving MNIST",
        model=ModelRecipe(variant, [64, 64, 1], [units, units], 10, 10, input_gain=10.0),
        data=DataRecipe("moving_mnist", validation_windows=500),
        optimizer=OptimizerRecipe("adam", 2e-3, "cosine", warmup_steps=100, clipnorm=1.0),
        sampling=_sampling(variant, steps),
        training=TrainingRecipe(
            batch_size=_BATCH,
            steps_per_epoch=steps_per_epoch,
            epochs=-(-steps // steps_per_epoch),
        ),
    )


def convolutional_recipe(sequences: int = 26_000, seed: int = 1) -> Recipe:
    """Return the recipe of a convolutional Composite that one CPU core trains in two hours.

    The zoo's `composite_conv_moving_mnist` is a wider one, trained on a GPU: its `recipe.toml`.

    Args:
        sequences: to train on, rounded up to a whole number of epochs of 2,000 at most.
        seed: of weights and data.

    Example:
        >>> convolutional_recipe().model.convolution.max_displacement
        4
    """
    batch = 2  # The fewer sequences a step, the more is learned from each.
    steps = -(-sequences // batch)
    steps_per_epoch = min(1000, steps)
    return Recipe(
        name="composite_conv_moving_mnist",
        seed=seed,
        description="Convolutional Composite with conditional future predictor, a pyramid of three "
        "layers on 4x4 patches that sees and writes motion, moving MNIST",
        model=ModelRecipe(
            "conditional_composite",
            [64, 64, 1],
            [48, 96, 128],
            10,
            10,
            peepholes=False,
            input_gain=2.5,
            # What decides where a digit bounces is all of it: a local layer never sees that.
            convolution=ConvolutionRecipe(4, 3, strides=[1, 2, 2], max_displacement=4),
        ),
        data=DataRecipe("moving_mnist", validation_windows=300),
        optimizer=OptimizerRecipe("muon", 2e-3, "cosine", warmup_steps=50, clipnorm=1.0),
        sampling=SamplingRecipe(1.0, first_step=steps // 25, last_step=max(1, steps * 7 // 25)),
        training=TrainingRecipe(batch, steps_per_epoch, epochs=-(-steps // steps_per_epoch)),
    )


def _sampling(variant: str, steps: int) -> SamplingRecipe:
    if not variant.startswith(CONDITIONAL):
        return SamplingRecipe()
    return SamplingRecipe(rate=1.0, first_step=0, last_step=max(1, steps // 2))
