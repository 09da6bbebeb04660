"""Keeps a training run on disk so that it can be killed at any time."""

import csv
import io
import json
import math
import shutil
from pathlib import Path
from typing import Any

import keras

from keras_videolstm.errors import InputError
from keras_videolstm.files import atomic_path, write_text
from keras_videolstm.weight_files import write_weights

_STATE = "state.json"
_MODEL = "model.keras"


class RunKeeper(keras.callbacks.Callback):
    """Saves everything at the end of each epoch: weights, optimiser, history, and the best weights.

    A run's folder holds `history.csv`, `best.weights.h5` and one folder `checkpoint-<epoch>`; a
    checkpoint appears under its name only when it is complete, and the one before it is removed
    only then.

    Args:
        folder: of the run.
        monitor: name of the validation loss that says which weights are best.
        writes: `False` on the workers of a distributed run that only read; default `True`.

    Raises:
        InputError: when the loss is no longer a number; the last checkpoint stays.

    Example:
        >>> keeper = RunKeeper(Path("run"))
        >>> keeper.epochs_done
        0
    """

    def __init__(self, folder: Path, monitor: str = "val_loss", writes: bool = True) -> None:
        super().__init__()
        self.folder = folder
        self.writes = writes
        self.monitor = monitor
        self.history: list[dict[str, float]] = []
        found = self._newest()
        if found is not None:
            self.history = json.loads((found / _STATE).read_text(encoding="utf-8"))["history"]

    @property
    def epochs_done(self) -> int:
        """Number of epochs that are safe on disk."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """Number, from 1, of the epoch whose weights are the best."""
        values = [row[self.monitor] for row in self.history]
        return values.index(min(values)) + 1

    def load_model(self) -> keras.Model | None:
        """Return the model as it was at the newest checkpoint, optimiser included."""
        found = self._newest()
        if found is None:
            return None
        try:
            model = keras.saving.load_model(found / _MODEL)
            saved = json.loads((found / _STATE).read_text(encoding="utf-8"))["seed_states"]
            for variable, state in zip(_seed_states(model), saved, strict=True):
                variable.assign(state)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"Expected the run's last checkpoint, to continue it. Received: {found} ({error})"
            ) from error
        return model

    def _newest(self) -> Path | None:
        found = sorted(
            (path for path in self.folder.glob("checkpoint-*") if (path / _STATE).is_file()),
            key=lambda path: path.name,
        )
        return found[-1] if found else None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save; called by `fit`."""
        row = {key: float(value) for key, value in (logs or {}).items()}
        bad = sorted(key for key, value in row.items() if not math.isfinite(value))
        if bad:
            raise InputError(
                f"Expected finite losses. Received: {bad[0]}={row[bad[0]]} at epoch {epoch + 1}; "
                f"a lower learning rate or clipnorm helps, and the last checkpoint is kept"
            )
        self.history.append(row)
        if not self.writes:
            return
        temporary = self.folder / ".checkpoint.part"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        try:
            self._save(temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _save(self, temporary: Path) -> None:
        older = self._newest()
        self.model.save(temporary / _MODEL)
        # The checkpoint says that the epoch is done, so it appears last: a run killed before it
        # does the epoch again and writes the same weights and history again.
        if self.best_epoch == len(self.history):
            with atomic_path(self.folder / "best.weights.h5") as best:
                write_weights(temporary / _MODEL, best)
        write_text(self.folder / "history.csv", self._as_csv())
        # Keras' own format leaves out the states of dropout's random generators.
        seed_states = [variable.numpy().tolist() for variable in _seed_states(self.model)]
        state = {"history": self.history, "seed_states": seed_states}
        write_text(temporary / _STATE, json.dumps(state))
        temporary.replace(self.folder / f"checkpoint-{len(self.history):06d}")
        if older is not None:
            shutil.rmtree(older)

    def _as_csv(self) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, ["epoch", *self.history[0]], lineterminator="\n")
        writer.writeheader()
        for epoch, row in enumerate(self.history, start=1):
            writer.writerow({"epoch": epoch, **row})
        return text.getvalue()


def _seed_states(model: keras.Model) -> list[keras.Variable]:
    return [variable for variable in model.variables if variable.name == "seed_generator_state"]
