"""Runs contestants in turns, each in a process of its own."""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm_benchmarks.problem import SIDE, Problem

OURS = ("ours auto", "ours float32")
TORCH = ("torch float32", "torch bfloat16")
KERAS = (
    "keras float32",
    "keras float32 XLA",
    "keras mixed_bfloat16",
    "keras mixed_bfloat16 XLA",
    "keras float32 unrolled",
    "keras mixed_bfloat16 unrolled",
)
LIMITS = ("limit float32", "limit bfloat16")
WARM_UP = 2
# Weights, gradient, two moments, and as much again for copies and activations.
_BYTES_A_WEIGHT = 16 * 1.7
_BYTES_A_PROCESS = 0.8e9
_PART_OF_MEMORY = 0.85
_TOLERANCE = {"float32": 1e-3, "low": 5e-2}

Say = Callable[[str], None]


def contestants() -> list[str]:
    """Return the names of those that can run here; PyTorch is optional."""
    torch = TORCH if importlib.util.find_spec("torch") else ()
    return [*OURS, *torch, *KERAS]


def measure(problem: Problem, names: list[str], rounds: int, horizons: list[int], say: Say) -> Any:
    """Measure a problem: contestants take turns, step by step, with the plain products.

    Where memory does not hold all of them at once they run in groups; the first contestant and the
    products are in each, so that every ratio is one of neighbours in time.

    Args:
        problem: what to compute.
        names: of contestants; ratios are to the first.
        rounds: measured steps after two of warm-up.
        horizons: numbers of frames to predict; none leaves inference out.
        say: told how far it is.

    Returns:
        A record: problem, and one entry a contestant with medians, ratios and peak memory.

    Raises:
        InputError: if a contestant computes another function or fails.

    Example:
        >>> record = measure(Problem("composite", 256, 16), ["ours auto"], 10, [10], print)
    """
    entries: dict[str, Any] = {}
    for group in _groups(problem, names):
        say(f"{problem.variant} 2x{problem.units}, batch {problem.batch}: {', '.join(group)}")
        for name, entry in _measure_group(problem, group, rounds, horizons).items():
            entries.setdefault(name, entry)
    return {"problem": problem.arguments(), "rounds": rounds, "contestants": entries}


def _groups(problem: Problem, names: list[str]) -> Iterator[list[str]]:
    size = problem.parameters() * _BYTES_A_WEIGHT + _BYTES_A_PROCESS
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _PART_OF_MEMORY
    reference, *others = names
    at_once = max(1, int(memory / size) - 1)
    for start in range(0, max(len(others), 1), at_once):
        yield [reference, *others[start : start + at_once]]


def _measure_group(
    problem: Problem, group: list[str], rounds: int, horizons: list[int]
) -> dict[str, Any]:
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        processes = {
            name: stack.enter_context(_process(name, problem)) for name in (*group, *LIMITS)
        }
        checks = {}
        if horizons:
            for number, name in enumerate(group):
                path = Path(folder) / f"{number}.npy"
                request = {"do": "infer", "horizon": horizons[0], "check": str(path)}
                processes[name].ask(request)
                checks[name] = np.load(path)
        train = _turns(processes, {"do": "train"}, rounds)
        inference = {
            horizon: _turns(
                {name: processes[name] for name in group},
                {"do": "infer", "horizon": horizon},
                rounds,
            )
            for horizon in horizons
        }
    precisions = {name: process.precision for name, process in processes.items()}
    _check(checks, train, precisions, group)
    products = {name.split()[1]: 2 * SIDE**3 / _median(train[name]) / 1e9 for name in LIMITS}
    return {
        name: {
            "precision": precisions[name],
            "train": _entry(problem, train[name], problem.training_flops(), products),
            "ratio": _median(train[name]) / _median(train[group[0]]),
            "peak_mib": train[name][-1]["peak_mib"],
            "limit_gflops": products,
            "inference": {
                str(horizon): {
                    **_entry(problem, of[name], problem.inference_flops(horizon), products),
                    "ratio": _median(of[name]) / _median(of[group[0]]),
                }
                for horizon, of in inference.items()
            },
        }
        for name in group
    }


class _Process:
    """A contestant's process, and what it says on its standard error."""

    def __init__(self, name: str, problem: Problem, errors: IO[str]) -> None:
        given = json.dumps({"name": name, "problem": problem.arguments()})
        self.name = name
        self._errors = errors
        self.child = subprocess.Popen(
            [sys.executable, "-m", "keras_videolstm_benchmarks.worker", given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self.precision = self._answer()["precision"]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        print(json.dumps(request), file=self.child.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self.child.stdout.readline()
        if line:
            return json.loads(line)
        self._errors.seek(0)
        last = (self._errors.read().strip().splitlines() or ["no message"])[-1]
        raise InputError(f"Expected {self.name} to run. Received: {last}")


@contextmanager
def _process(name: str, problem: Problem) -> Iterator[_Process]:
    with tempfile.TemporaryFile("w+") as errors:
        process = _Process(name, problem, errors)
        try:
            yield process
        finally:
            process.child.kill()
            process.child.wait()


def _turns(
    processes: dict[str, _Process], request: dict[str, Any], rounds: int
) -> dict[str, list[dict[str, Any]]]:
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in processes}
    for _ in range(WARM_UP + rounds):
        for name, process in processes.items():
            answers[name].append(process.ask(request))
    return answers


def _median(answers: list[dict[str, Any]]) -> float:
    return statistics.median(answer["seconds"] for answer in answers[WARM_UP:])


def _entry(
    problem: Problem, answers: list[dict[str, Any]], flops: float, products: dict[str, float]
) -> dict[str, float]:
    seconds = _median(answers)
    gflops = flops / seconds / 1e9
    return {
        "seconds": seconds,
        "sequences_per_second": problem.batch / seconds,
        "gflops": gflops,
        **{f"part_of_{name}_product": gflops / limit for name, limit in products.items()},
    }


def _check(
    frames: dict[str, NDArray[Any]],
    train: dict[str, list[dict[str, Any]]],
    precisions: dict[str, str],
    group: list[str],
) -> None:
    """Check that all start from the same loss and predict the same frames."""
    reference = group[0]
    for name in group:
        both = {precisions[name], precisions[reference]}
        tolerance = _TOLERANCE["float32" if both == {"float32"} else "low"]
        here, there = (train[each][0]["loss"] for each in (name, reference))
        if not abs(here - there) <= tolerance * abs(there):  # NaN, too
            raise InputError(f"Expected {name} to start at a loss of {there:g}. Received: {here:g}")
        apart = np.abs(frames[name] - frames[reference]).max() if frames else 0.0
        if not apart <= tolerance:
            raise InputError(
                f"Expected {name} to predict what {reference} does. "
                f"Received: pixels that are {apart:g} apart"
            )
