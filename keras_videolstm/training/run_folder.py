"""The folder of a training run."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from keras_videolstm.errors import InputError
from keras_videolstm.files import DAMAGED
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.recipe import Recipe

RECIPE, TENSORBOARD = "recipe.toml", "tensorboard"


@dataclass
class TrainingResult:
    """What a run gave.

    Attributes:
        model: with the best weights.
        history: a dict of losses for each epoch.
        best_epoch: number, from 1, of the epoch of the best weights.
        resumed_at: epochs that were already done at the start.
        precision: Keras dtype policy that the run has.
    """

    model: VideoLSTM
    history: list[dict[str, float]]
    best_epoch: int
    resumed_at: int
    precision: str


def check_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    """Refuse a folder that holds something else than this recipe's run.

    Raises:
        InputError: if it is a file, holds other files or another run, or a run and not `resume`.

    Example:
        >>> check_folder(Path("new"), Recipe.load("recipe.toml"), resume=True)
    """
    kept = out / RECIPE
    if out.exists() and not out.is_dir():
        raise InputError(f"Expected a folder for the run. Received: {out}, which is a file")
    if kept.exists():
        if not resume:
            raise InputError(
                f"Expected an empty folder with --no-resume. Received: {out}, which holds a run"
            )
        if not _is_without_an_epoch(out) and Recipe.load(kept) != recipe:
            raise InputError(
                f"Expected the recipe that the run in {out} was started with ({kept}). "
                f"Received: another one; give another --out"
            )
    elif out.exists() and any(out.iterdir()):
        raise InputError(f"Expected an empty or new folder. Received: {out}, which holds files")


def _is_without_an_epoch(out: Path) -> bool:
    """Whether a run has left nothing there that a mended recipe could spoil."""
    return {path.name for path in out.iterdir()} <= {RECIPE, TENSORBOARD}


def load_best_weights(model: VideoLSTM, run: Path) -> None:
    """Load the best weights of a run.

    Raises:
        InputError: if they are missing or do not fit.

    Example:
        >>> load_best_weights(model, Path("run"))
    """
    path = run / "best.weights.h5"
    try:
        with warnings.catch_warnings():
            # The file holds the weights alone.
            warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")
            model.load_weights(path)
    except DAMAGED as error:
        raise InputError(f"Expected the run's best weights. Received: {path} ({error})") from error
