"""`videolstm-tools benchmark`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from keras_videolstm.errors import InputError
from keras_videolstm.files import write_text
from keras_videolstm_benchmarks.problem import Problem
from keras_videolstm_benchmarks.report import as_markdown, draw_scaling, draw_speed, slope
from keras_videolstm_benchmarks.runner import OURS, TORCH, contestants, measure
from keras_videolstm_tools.results import json_option, print_json

VARIANTS = ("composite", "conditional_composite")
_RESULTS = "results.json"
_SCALING = {
    "sequence length": [{"steps": steps} for steps in (5, 10, 20, 40)],
    "batch": [{"batch": batch} for batch in (16, 32, 64, 128)],
    "units": [{"units": units} for units in (128, 256, 512, 1024)],
}
# One precision for all sizes.
_SCALED = "ours float32"
_SCALING_BASE = {"variant": "conditional_composite", "units": 512, "batch": 32, "steps": 10}


@click.command(name="benchmark")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of results.")
@click.option(
    "--variant",
    "variants",
    multiple=True,
    type=click.Choice(VARIANTS),
    default=["conditional_composite"],
    show_default=True,
    help="Model; may be given more than once.",
)
@click.option(
    "--units",
    multiple=True,
    type=click.IntRange(1),
    default=[1024],
    show_default=True,
    help="Units of each of the two layers; may be given more than once.",
)
@click.option(
    "--batch-size",
    "batch_sizes",
    multiple=True,
    type=click.IntRange(1),
    default=[100, 16],
    show_default=True,
    help="Sequences at a time; may be given more than once.",
)
@click.option(
    "--steps",
    "horizons",
    multiple=True,
    type=click.IntRange(1),
    default=[10, 100],
    show_default=True,
    help="Frames to forecast in inference; may be given more than once.",
)
@click.option(
    "--contestant",
    "names",
    multiple=True,
    type=click.Choice([*contestants()]),
    help="Against whom, beside `ours auto`; may be given more than once.  [default: all]",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Times that each is measured, in turns.",
)
@click.option(
    "--scaling/--no-scaling",
    default=True,
    show_default=True,
    help="Also measure the cost against sequence length, batch and units.",
)
@json_option
def command(
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
    """Measure training and inference beside PyTorch and stock Keras, step by step in turns.

    Every contestant computes the same function from the same weights, which is checked, and has a
    process of its own. A problem that --out holds already is not measured again. PyTorch takes
    part where it is installed.

    \b
    Example:
      videolstm-tools benchmark --units 256 --batch-size 16 --out speed
    """
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
    from keras_videolstm.visualization.saving import save_figure

    write_text(out / "results.md", as_markdown(records) + "\n")
    for record in records:
        problem = record["problem"]
        name = f"speed_{problem['variant']}_{problem['units']}_{problem['batch']}.png"
        save_figure(draw_speed(record), out / name)


def _measure_scaling(out: Path, records: _Records, rounds: int) -> None:
    from keras_videolstm.visualization.saving import save_figure

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
