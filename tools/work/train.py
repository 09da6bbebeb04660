"""What `videolstm-tools train` does."""

import os
import sys
import time
from pathlib import Path
from shlex import quote
from typing import NoReturn

import click

from keras_videolstm.models import VideoLSTM
from keras_videolstm.training import Recipe, TrainingResult, train
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.distribution import WorkerLost
from keras_videolstm.training.percept_evaluation import guess_losses
from keras_videolstm.training.run_keeper import RunKeeper
from keras_videolstm_tools.results import print_json
from keras_videolstm_tools.work.recipe import CARD

# A worker that comes back before the others have noticed is refused; they notice within ten.
_SECONDS_BEFORE_A_NEW_START = 5
_STARTS_WITHOUT_AN_EPOCH = 5
_STARTS = "VIDEOLSTM_STARTS"
_KEPT = ("best.weights.h5", "history.csv", "tensorboard", "recipe.toml")


def run(
    recipe_path: Path,
    out: Path,
    data_root: Path | None,
    mnist: str | None,
    resume: bool,
    distribute: str,
    as_json: bool,
) -> None:
    """Run `train`."""
    recipe = Recipe.load(recipe_path)
    root = data_root or recipe_path.parent
    try:
        result = train(
            recipe,
            out,
            data_root=root,
            mnist=mnist,
            resume=resume,
            distribute=distribute,
            announce=None if as_json else click.echo,
            verbose=_verbosity(as_json),
        )
    except WorkerLost as error:
        if not resume:
            raise
        _start_again(error, out)
    _show(result, _guesses(result.model, recipe, root), out, as_json)
    if not as_json:
        digits = f" --mnist {quote(str(mnist))}" if mnist else ""
        stores = f" --root {quote(str(root))}" if recipe.data.kind == "percepts" else digits
        card = quote(str(recipe_path.parent / CARD))
        click.echo(
            "Next, with a card that says what it has learned from:\n"
            f"  videolstm-tools zoo publish {quote(str(out))} --card {card}{stores} "
            f"--out {quote(f'my_zoo/{recipe.name}')}"
        )


def _start_again(error: WorkerLost, out: Path) -> NoReturn:
    """Become a new process, which waits for the worker and goes on from the last checkpoint.

    TensorFlow can join a cluster only once in a process. What fails again and again without a new
    epoch is no lost worker.
    """
    epochs = str(RunKeeper(out).epochs_done)
    before, _, count = os.environ.get(_STARTS, "").partition(":")
    starts = int(count) + 1 if before == epochs else 1
    if starts > _STARTS_WITHOUT_AN_EPOCH:
        raise error
    os.environ[_STARTS] = f"{epochs}:{starts}"
    click.echo(f"{error}\nStarting again, and waiting for all workers.", err=True)
    time.sleep(_SECONDS_BEFORE_A_NEW_START)
    sys.stdout.flush()
    sys.stderr.flush()
    program = [sys.executable, "-m", "keras_videolstm_tools.main", *sys.argv[1:]]
    os.execv(sys.executable, program)


def _verbosity(as_json: bool) -> int:
    """A bar on a terminal, a line an epoch elsewhere, nothing beside JSON."""
    if as_json:
        return 0
    return 1 if sys.stdout.isatty() else 2


def _guesses(model: VideoLSTM, recipe: Recipe, root: Path) -> dict[str, float]:
    """Return what predicts the windows that validate without having learned anything."""
    if recipe.data.kind != "percepts":
        return {}
    windows = ClipSource(recipe, root).validation_windows()
    return guess_losses(model, windows, recipe.model.input_steps)


def _show(result: TrainingResult, guesses: dict[str, float], out: Path, as_json: bool) -> None:
    best = result.history[result.best_epoch - 1]
    if as_json:
        summary = {
            "out": str(out),
            "precision": result.precision,
            "best_epoch": result.best_epoch,
            "losses": best,
            "baselines": guesses,
        }
        print_json(summary)
        return
    click.echo(f"Best epoch {result.best_epoch} of {len(result.history)}:")
    for name, value in best.items():
        click.echo(f"  {name} = {value:.4g}")
    if guesses:
        named = ", ".join(f"{name} {value:.4g}" for name, value in guesses.items())
        click.echo(f"What learns nothing predicts the same windows with a loss of: {named}")
    kept = [name for name in _KEPT if (out / name).exists()]
    click.echo(f"Kept in {out}: {', '.join(kept)}")
