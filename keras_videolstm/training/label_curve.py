"""What each method reaches with few labels and with many (paper, Figure 7 and Table 3)."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.training.paired_difference import PairedDifference

Shots = int | None
"""Labelled videos a class; `None` is all."""
Trial = Callable[[int, Shots, int], Mapping[str, float]]
"""Trains and scores: from fold, shots and draw to scores by name, `"accuracy"` among them."""

_PLAN, _RESULTS = "plan.json", "results.jsonl"
_KEY = ("method", "fold", "shots", "draw")


class LabelCurve:
    """Scores on the test parts by method, labelled videos a class, fold and draw.

    Every result is kept in the folder as soon as it is there, so that a measurement that is
    killed goes on where it stopped, and draws or shots can be added to one that has ended, also
    while another process measures others. The draws are the same for all methods.

    Args:
        folder: of `results.jsonl` and `plan.json`; a new one is made.
        plan: all that the results depend on beside fold, shots, draw and method, as JSON; a
            folder of another plan is refused.

    Raises:
        InputError: if the folder holds results of another plan.

    Example:
        >>> curve = LabelCurve("fig7", {"store": "ucf.h5"})
        >>> trials = percept_trials(starts_from(model), store, [split], FinetuneSettings())
        >>> curve.measure(trials, folds=1, shots=[1, None], draws=10)
        >>> curve.difference(FINETUNED, SCRATCH, shots=1)
        PairedDifference(mean=0.047, low=0.021, high=0.073)
    """

    def __init__(self, folder: str | Path, plan: Mapping[str, Any]) -> None:
        self._folder = Path(folder)
        self._results: dict[tuple[str, int, int, int], dict[str, float]] = {}
        self._keep_plan(json.loads(json.dumps(plan)))
        self._read()

    def measure(
        self,
        trials: Mapping[str, Trial],
        *,
        folds: int,
        shots: Sequence[Shots],
        draws: int = 1,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Train and score what is not there yet.

        Args:
            trials: by method; those of one fold, shots and draw must take the same videos.
            folds: number of them.
            shots: labelled videos a class.
            draws: of the labelled videos.
            progress: called with (results there, results in all).
        """
        wanted = [
            (method, fold, count or 0, draw)
            for count in shots
            for draw in range(draws)
            for fold in range(folds)
            for method in trials
        ]
        for done, key in enumerate(wanted):
            progress(done, len(wanted))
            if key not in self._results:
                method, fold, count, draw = key
                scores = dict(trials[method](fold, count or None, draw))
                self._read()  # what another process may have added
                self._results[key] = scores
                self._write()
        progress(len(wanted), len(wanted))

    @property
    def methods(self) -> list[str]:
        """Names of the methods, in the order in which they were measured."""
        return list(dict.fromkeys(method for method, *_ in self._results))

    @property
    def shots(self) -> list[Shots]:
        """Labelled videos a class that were measured, rising, all of them last."""
        counts = {count for _, _, count, _ in self._results if self.draws(count or None)}
        return sorted(counts - {0}) + [None] * (0 in counts)

    def draws(self, shots: Shots) -> list[int]:
        """Return the draws of so many videos that all methods have in all folds.

        Others are of a measurement that is under way, and count for nothing yet.
        """
        found = {(m, f, draw) for m, f, count, draw in self._results if (count or None) == shots}
        wanted = [
            (method, fold)
            for method in self.methods
            for fold in {fold for _, fold, *_ in self._results}
        ]
        return [
            draw
            for draw in sorted({draw for *_, draw in found})
            if all((*pair, draw) in found for pair in wanted)
        ]

    def by_draw(self, method: str, shots: Shots, score: str = "accuracy") -> NDArray[Any]:
        """Return a score `(draws,)`, for each of `draws(shots)` the mean over the folds.

        Raises:
            InputError: if there is no result of that kind.
        """
        draws = set(self.draws(shots))
        values: dict[int, list[float]] = {}
        for (name, _, count, draw), scores in self._results.items():
            if (name, count or None) == (method, shots) and draw in draws:
                values.setdefault(draw, []).append(scores[score])
        if not values:
            raise InputError(
                f"Expected one of {', '.join(self.methods)}, and shots of {self.shots}. "
                f"Received: {method!r}, shots={shots}"
            )
        return np.array([np.mean(values[draw]) for draw in sorted(values)])

    def mean_and_std(self, method: str, shots: Shots) -> tuple[float, float]:
        """Return mean and sample standard deviation of the accuracy over the draws."""
        values = self.by_draw(method, shots)
        return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0

    def difference(self, method: str, baseline: str, shots: Shots) -> PairedDifference:
        """Return how much a method's accuracy is above another's, paired by draw."""
        return PairedDifference.between(self.by_draw(method, shots), self.by_draw(baseline, shots))

    def _keep_plan(self, plan: dict[str, Any]) -> None:
        path = self._folder / _PLAN
        if not path.exists():
            write_text(path, json.dumps(plan, indent=2) + "\n")
            return
        begun = _json_of(path)
        for key in {**begun, **plan}:
            if begun.get(key) != plan.get(key):
                raise InputError(
                    f"Expected {key}={begun.get(key)!r}, with which {self._folder} began. "
                    f"Received: {plan.get(key)!r}"
                )

    def _read(self) -> None:
        path = self._folder / _RESULTS
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines:
            try:
                result = json.loads(line)
                key = tuple(result.pop(name) for name in _KEY)
                self._results[key] = {name: float(score) for name, score in result.items()}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputError(
                    f"Expected results of a label curve. Received: {path} with {line[:60]!r}"
                ) from error

    def _write(self) -> None:
        lines = [
            json.dumps(dict(zip(_KEY, key, strict=True)) | scores)
            for key, scores in self._results.items()
        ]
        write_text(self._folder / _RESULTS, "\n".join(lines) + "\n")


def _json_of(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"Expected a plan in JSON. Received: {path} ({error})") from error
