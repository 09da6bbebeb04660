"""Where the learning curves of Table 2's published rows would cross the paper's numbers.

    python -m keras_videolstm_benchmarks.crossing --out FOLDER

What a network's nats are above those of the truth itself falls as a power of the sequences that it
has learned from. The exponent is fitted to each checkpoint's own log, in the epochs before its
learning rate is on its way to zero, and drawn on to the paper's number.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_videolstm.files import write_text
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.visualization import save_figure
from keras_videolstm.visualization.style import MUTED, PALETTE, add_title, new_figure, styled
from keras_videolstm.zoo_folder import zoo_folder
from keras_videolstm_tools.work.published_results import LATER_NATS, PAPER_NATS

_FLOOR = LATER_NATS["lower bound: the truth itself"]
# Of 30 epochs along half a cosine: the rate is at least a half, and the conditional models see
# mostly their own frames already.
_FIRST, _LAST = 8, 15
_CHECKED = 20


@dataclass(frozen=True)
class Curve:
    """A checkpoint's log.

    Attributes:
        variant: of the model.
        sequences: seen at the end of each epoch.
        nats: per frame of the future on validation digits, free-running.
    """

    variant: str
    sequences: NDArray[np.float64]
    nats: NDArray[np.float64]

    def power_law(self) -> tuple[float, float]:
        """Return `(a, b)` of `log(nats - floor) = a + b log(sequences)`."""
        fitted = slice(_FIRST - 1, _LAST)
        b, a = np.polyfit(np.log(self.sequences[fitted]), np.log(self.nats[fitted] - _FLOOR), 1)
        return float(a), float(b)

    def foreseen(self, sequences: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the nats that the power law gives after so many sequences."""
        a, b = self.power_law()
        return _FLOOR + np.exp(a + b * np.log(sequences))

    @property
    def crossing(self) -> float:
        """Sequences after which the power law is at the paper's number."""
        a, b = self.power_law()
        return float(np.exp((np.log(PAPER_NATS[self.variant] - _FLOOR) - a) / b))


def read_curve(variant: str) -> Curve:
    """Read the log of a checkpoint of moving MNIST.

    Example:
        >>> read_curve("composite").nats[-1]
        416.7978515625
    """
    folder = zoo_folder() / f"{variant}_moving_mnist"
    training = Recipe.load(folder / "recipe.toml").training
    with (folder / "history.csv").open(encoding="utf-8", newline="") as file:
        nats = np.array([float(row["val_prediction_loss"]) for row in csv.DictReader(file)])
    a_epoch = training.steps_per_epoch * training.batch_size
    return Curve(variant, a_epoch * np.arange(1.0, len(nats) + 1), nats)


def as_markdown(curves: list[Curve]) -> str:
    """Return the table."""
    lines = [
        f"Fitted to epochs {_FIRST} to {_LAST}; nats per frame on validation digits.",
        "",
        f"| | exponent | epoch {_CHECKED}, foreseen | epoch {_CHECKED}, found | at the end "
        "| the paper's number | crossed after, million sequences |",
        "|---" * 7 + "|",
    ]
    for curve in curves:
        place = _CHECKED - 1
        lines.append(
            f"| {curve.variant} | {curve.power_law()[1]:.3f} "
            f"| {curve.foreseen(curve.sequences)[place]:.1f} | {curve.nats[place]:.1f} "
            f"| {curve.nats[-1]:.1f} | {PAPER_NATS[curve.variant]} | {curve.crossing / 1e6:.1f} |"
        )
    return "\n".join(lines) + "\n"


@styled()
def draw(curves: list[Curve]) -> Figure:
    """Draw the curves, and their power laws up to the paper's numbers."""
    figure = new_figure(6.8, 4.6, arrange=True)
    axes = figure.add_subplot()
    for curve, colour in zip(curves, PALETTE.values(), strict=False):
        label = curve.variant.replace("_", " ")
        axes.plot(curve.sequences, curve.nats, color=colour, label=label)
        ahead = np.geomspace(curve.sequences[_FIRST - 1], curve.crossing)
        axes.plot(ahead, curve.foreseen(ahead), color=colour, linestyle=":", linewidth=1)
        axes.plot(curve.crossing, PAPER_NATS[curve.variant], "o", color=colour, markersize=4)
    axes.plot([], color=MUTED, linestyle=":", label="power law, to the paper's number")
    axes.set(
        xscale="log", xlabel="sequences learned from", ylabel="nats per frame, validation digits"
    )
    axes.grid()
    figure.legend(loc="outside lower center", ncols=2)
    add_title(figure, "Moving MNIST, future, two layers of 432 units")
    return figure


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of results.")
def main(out: Path) -> None:
    """Write a table and a picture."""
    curves = [read_curve(variant) for variant in PAPER_NATS]
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "crossing.md", as_markdown(curves))
    save_figure(draw(curves), out / "crossing.png")
    click.echo(as_markdown(curves))


if __name__ == "__main__":
    main()
