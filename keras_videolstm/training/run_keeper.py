"""Keeps a training run on disk so that it can be killed at any time."""

import csv
import io
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from keras_videolstm.errors import InputError
from keras_videolstm.files import DAMAGED, atomic_path, write_text
from keras_videolstm.weight_files import write_weights

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

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
        data: says what is learned from, so that a run is not continued on other data; default
            nothing.

    Raises:
        InputError: when the loss is no longer a number, the last checkpoint stays; if the last
            checkpoint is damaged, or learned from other data.

    Example:
        >>> keeper = RunKeeper(Path("run"))
        >>> keeper.epochs_done
        0
    """

    def __init__(
        self, folder: Path, monitor: str = "val_loss", writes: bool = True, data: str = ""
    ) -> None:
        super().__init__()
        self.folder = folder
        self.writes = writes
        self.monitor = monitor
        self.history: list[dict[str, float]] = []
        self._data = data
        found = self._newest()
        if found is not None:
            with _readable(found):
                state = json.loads((found / _STATE).read_text(encoding="utf-8"))
                self.history = [dict(row) for row in state["history"]]
            if data and state.get("data", data) != data:
                raise InputError(
                    f"Expected the videos or digits that the run in {folder} has learned from. "
                    f"Received: others; give another --out"
                )

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
        with _readable(found):
            model = keras.saving.load_model(found / _MODEL)
            saved = json.loads((found / _STATE).read_text(encoding="utf-8"))["seed_states"]
            for variable, state in zip(_seed_states(model), saved, strict=True):
                variable.assign(state)
        return model

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Refuse a second process that writes into the folder, as both would delete the other's.

        Raises:
            InputError: if another one trains there.
        """
        if not self.writes or fcntl is None:
            yield
            return
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left_by_a_kill in self.folder.glob(".*.part.*"):
                left_by_a_kill.unlink()
            yield
        except BlockingIOError as error:
            raise InputError(
                f"Expected one process to train in a folder. Received: {self.folder}, in which "
                "another one does"
            ) from error
        finally:
            os.close(folder)

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
            kept = ", with another --out; the last checkpoint is kept" if self.history else ""
            raise InputError(
                f"Expected finite losses. Received: {bad[0]}={row[bad[0]]} at epoch {epoch + 1}; "
                f"a lower learning rate or clipnorm helps{kept}"
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
        state = {"history": self.history, "seed_states": seed_states, "data": self._data}
        write_text(temporary / _STATE, json.dumps(state))
        temporary.replace(self.folder / f"checkpoint-{len(self.history):06d}")
        if older is not None:
            shutil.rmtree(older)

    def _as_csv(self) -> str:
        text = io.StringIO()
        # A run that goes on with another backend may log other losses, too.
        names = dict.fromkeys(name for row in self.history for name in row)
        writer = csv.DictWriter(text, ["epoch", *names], lineterminator="\n")
        writer.writeheader()
        for epoch, row in enumerate(self.history, start=1):
            writer.writerow({"epoch": epoch, **row})
        return text.getvalue()


@contextmanager
def _readable(checkpoint: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise InputError(
            f"Expected the run's last checkpoint, to continue it. Received: {checkpoint} ({error})"
        ) from error


def _seed_states(model: keras.Model) -> list[keras.Variable]:
    return [variable for variable in model.variables if variable.name == "seed_generator_state"]
