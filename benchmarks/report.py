"""From records to a table and pictures."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_videolstm.visualization.style import (
    INK,
    MUTED,
    PALETTE,
    PAPER,
    add_title,
    new_figure,
    styled,
)

_HEAD = (
    "| contestant | training, s a step | sequences/s | times ours | part of its product's limit "
    "| peak memory, MiB |{} \n|---|---|---|---|---|---|{}"
)


def as_markdown(records: Iterable[dict[str, Any]]) -> str:
    """Return a table for each problem.

    Example:
        >>> as_markdown([])
        ''
    """
    return "\n\n".join(_table(record) for record in records)


def _table(record: dict[str, Any]) -> str:
    problem = record["problem"]
    entries = record["contestants"]
    horizons = list(next(iter(entries.values()))["inference"])
    heads = "".join(f" {horizon} frames ahead, s (times ours) |" for horizon in horizons)
    limits = next(iter(entries.values()))["limit_gflops"]
    lines = [
        f"**{problem['variant']}, 2×{problem['units']}, batch {problem['batch']}** "
        f"({problem['steps']} frames read, rebuilt and predicted; medians of {record['rounds']} "
        f"steps; a plain 4096³ product reached {limits['float32']:.0f} GFLOP/s in float32, "
        f"{limits['bfloat16']:.0f} in bfloat16)",
        "",
        _HEAD.format(heads, "---|" * len(horizons)).replace(" \n", "\n"),
    ]
    return "\n".join(lines + [_row(name, entry) for name, entry in entries.items()])


def _row(name: str, entry: dict[str, Any]) -> str:
    train = entry["train"]
    kind = "bfloat16" if "bfloat16" in entry["precision"] else "float32"
    shown = f"{name} ({entry['precision']})" if name.endswith("auto") else name
    cells = [
        shown,
        f"{train['seconds']:.3f}",
        f"{train['sequences_per_second']:.1f}",
        f"{entry['ratio']:.2f}",
        f"{100 * train[f'part_of_{kind}_product']:.0f}% of {kind}",
        f"{entry['peak_mib']:.0f}",
        *(f"{e['seconds']:.3f} ({e['ratio']:.2f})" for e in entry["inference"].values()),
    ]
    return "| " + " | ".join(cells) + " |"


@styled()
def draw_speed(record: dict[str, Any]) -> Figure:
    """Draw the sequences a second of each contestant, the limit as a line.

    Example:
        >>> figure = draw_speed(record)
    """
    entries = record["contestants"]
    speeds = [entry["train"]["sequences_per_second"] for entry in entries.values()]
    figure = new_figure(7.2, 0.36 * len(entries) + 1.3, arrange=True)
    axes = figure.add_subplot()
    places = np.arange(len(entries))
    colours = [PALETTE["blue"] if name.startswith("ours") else MUTED for name in entries]
    axes.barh(places, speeds, height=0.62, color=colours, alpha=0.8)
    for place, speed in enumerate(speeds):
        axes.annotate(
            f"{speed:.1f}",
            (speed, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.0},
        )
    first = next(iter(entries.values()))
    for kind in ("float32", "bfloat16"):
        limit = first["train"]["sequences_per_second"] / first["train"][f"part_of_{kind}_product"]
        axes.axvline(limit, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
        axes.annotate(
            f"{kind} product ",
            (limit, -0.75),
            ha="right",
            va="center",
            fontsize=8,
            color=INK,
            annotation_clip=False,
        )
    axes.set_yticks(places, list(entries))
    axes.set(
        xlabel="training, sequences per second", ylim=(len(entries) - 0.45, -1.1), xlim=(0, None)
    )
    axes.tick_params(axis="y", length=0)
    problem = record["problem"]
    add_title(figure, f"{problem['variant']}, 2×{problem['units']} units, batch {problem['batch']}")
    return figure


@styled()
def draw_scaling(series: dict[str, list[tuple[float, float]]]) -> Figure:
    """Draw seconds a step against each quantity, on logarithmic axes, with the line of slope 1.

    Args:
        series: by the quantity's name, pairs of its value and the seconds of a step.

    Example:
        >>> figure = draw_scaling({"batch": [(16, 0.3), (32, 0.5)]})
    """
    figure = new_figure(3.2 * len(series), 3.0, arrange=True)
    for place, (name, pairs) in enumerate(series.items(), start=1):
        axes = figure.add_subplot(1, len(series), place)
        values, seconds = np.array(sorted(pairs)).T
        axes.loglog(values, seconds, "o-", color=PALETTE["blue"])
        proportional = seconds[-1] * values / values[-1]
        axes.loglog(values, proportional, linestyle=(0, (4, 2)), color=MUTED)
        axes.set(xlabel=name, ylabel="seconds a training step" if place == 1 else "")
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.set_yticks(seconds, [f"{value:.2f}" for value in seconds])
        axes.minorticks_off()
    add_title(figure, "Cost of a training step (dashed: proportional)")
    return figure


def slope(pairs: list[tuple[float, float]]) -> float:
    """Return the exponent of cost, from the two largest values: 1 is linear.

    Example:
        >>> round(slope([(10, 1.0), (20, 2.0)]), 3)
        1.0
    """
    (small, cheap), (large, dear) = sorted(pairs)[-2:]
    return float(np.log(dear / cheap) / np.log(large / small))
