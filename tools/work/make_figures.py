"""What `videolstm-tools make-figures` does."""

import csv
from pathlib import Path

from keras_videolstm.data.figures import ACTIONS, generate_figures
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made


def run(
    out: Path,
    figures: int,
    first_figure: int,
    clips: int,
    actions: tuple[str, ...],
    seconds: float,
    seed: int,
) -> Made:
    """Run `make-figures`."""
    generate_figures(
        out,
        figures=figures,
        clips_per_figure=clips,
        actions=actions or ACTIONS,
        seed=seed,
        seconds=seconds,
        first_figure=first_figure,
        progress=ProgressLine("make-figures", "clips"),
    )
    with (out / "clips.csv").open(encoding="utf-8", newline="") as table:
        clips = [{**row, "path": str(out / row["path"])} for row in csv.DictReader(table)]
    result = {"out": str(out), "table": str(out / "clips.csv"), "clips": clips}
    return Made(result, f"{out}: one sub-folder an action, clips.csv")
