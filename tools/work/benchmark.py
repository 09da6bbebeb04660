"""What `videolstm-tools benchmark` does."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm.visualization.saving import save_figure
from keras_videolstm_benchmarks.problem import Problem
from keras_videolstm_benchmarks.report import as_markdown, draw_scaling, draw_speed, slope
from keras_videolstm_benchmarks.runner import OURS, TORCH, contestants, measure
from keras_videolstm_tools.results import print_json

_RESULTS = "results.json"
_SCALING = {
    "sequence length": [{"steps": steps} for steps in (5, 10, 20, 40)],
    "batch": [{"batch": batch} for batch in (16, 32, 64, 128)],
    "units": [{"units": units} for units in (128, 256, 512, 1024)],
}
# One precision for all sizes.
_SCALED = "ours float32"
_SCALING_BASE = {"variant": "conditional_composite", "units": 512, "batch": 32, "steps": 10}


def run(
    out: Path,
    variants: tuple[str, ...],
    units: tuple[int, ...],
    batch_sizes: tuple[int, ...],
    horizons: tuple[int, ...],
    names: tuple[str, ...],
    rounds: int,
    scaling: bool,
    as_json: bool,
) -> None:
    """Run `benchmark`."""
    out.mkdir(parents=True, exist_ok=True)
    records = _Records(out / _RESULTS)
    against = [OURS[0], *(names or contestants())]
    against = list(dict.fromkeys(against))
    if not set(TORCH) & set(contestants()):
        click.echo("PyTorch is not installed, and left out.", err=True)
    for variant in variants:
        for size in units:
            for batch_size in batch_sizes:
                problem = Problem(variant, size, batch_size)
                if records.find(problem, against, rounds, horizons) is None:
                    records.add(measure(problem, against, rounds, list(horizons), _say))
    _write_report(out, records.measured)
    if scaling:
        _measure_scaling(out, records, rounds)
    if as_json:
        print_json(records.all)
    else:
        click.echo(as_markdown(records.measured))
        click.echo(f"\nKept in {out}: {_RESULTS}, results.md, and pictures")


def _say(line: str) -> None:
    click.echo(line, err=True)


class _Records:
    """Records of a folder, written after each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.all: list[dict[str, Any]] = []
        if path.exists():
            try:
                self.all = json.loads(path.read_text(encoding="utf-8"))
                _ = [(record["problem"], record["contestants"]) for record in self.all]
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(f"Expected results in JSON. Received: {path} ({error})") from error

    @property
    def measured(self) -> list[dict[str, Any]]:
        return [record for record in self.all if len(record["contestants"]) > 1]

    def find(
        self, problem: Problem, names: list[str], rounds: int, horizons: Sequence[int] = ()
    ) -> dict[str, Any] | None:
        """Return a record that holds all that is asked for."""
        for record in self.all:
            entries = record["contestants"]
            same = record["problem"] == problem.arguments() and record["rounds"] >= rounds
            if same and all(
                name in entries and {str(h) for h in horizons} <= set(entries[name]["inference"])
                for name in names
            ):
                return record
        return None

    def add(self, record: dict[str, Any]) -> None:
        """Keep a record, in place of an older one of the same problem."""
        self.all = [old for old in self.all if old["problem"] != record["problem"]] + [record]
        write_text(self._path, json.dumps(self.all, indent=1) + "\n")


def _write_report(out: Path, records: list[dict[str, Any]]) -> None:
    write_text(out / "results.md", as_markdown(records) + "\n")
    for record in records:
        problem = record["problem"]
        name = f"speed_{problem['variant']}_{problem['units']}_{problem['batch']}.png"
        save_figure(draw_speed(record), out / name)


def _measure_scaling(out: Path, records: _Records, rounds: int) -> None:
    series = {}
    for quantity, changes in _SCALING.items():
        pairs = []
        for change in changes:
            problem = Problem(**{**_SCALING_BASE, **change})
            record = records.find(problem, [_SCALED], rounds)
            if record is None:
                record = measure(problem, [_SCALED], rounds, [], _say)
                records.add(record)
            (value,) = change.values()
            pairs.append((float(value), record["contestants"][_SCALED]["train"]["seconds"]))
        series[quantity] = pairs
        _say(f"cost grows as {quantity} to the power of {slope(pairs):.2f}")
    save_figure(draw_scaling(series), out / "scaling.png")
