"""How near extraction comes to the slower of its two halves.

    python -m keras_videolstm_benchmarks.extraction VIDEOS --out FOLDER

decodes the videos without a convnet, feeds the convnet without decoding, and extracts, in turns and
in one process, and writes a table of frames per second and of the hours that 300 hours cost.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from keras_videolstm.data.action_clips import Clip, find_clips
from keras_videolstm.files import write_text
from keras_videolstm.percepts import PerceptExtractor, extract, get_extractor
from keras_videolstm.percepts.decoding import decoded_chunks

_CHUNK = 64
_HOURS = 300


@click.command()
@click.argument("videos", type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--percepts", default="efficientnet_lite0", show_default=True, help="Extractor.")
@click.option("--fps", type=float, default=15, show_default=True, help="Frames a second.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option(
    "--clips", type=click.IntRange(1), default=24, show_default=True, help="Evenly chosen."
)
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
def main(
    videos: Path, out: Path, percepts: str, fps: float, workers: int, clips: int, rounds: int
) -> None:
    """Measure decoding, convnet and both together, in turns."""
    found = find_clips(videos)
    chosen = found[:: max(len(found) // clips, 1)][:clips]
    extractor = get_extractor(percepts)
    frames = _decode(chosen, extractor, fps, workers)
    contestants: dict[str, Callable[[], object]] = {
        "decoding alone": lambda: _decode(chosen, extractor, fps, workers),
        "convnet alone": lambda: _percepts(extractor, frames),
        "both": lambda: _extract(chosen, extractor, fps, workers),
    }
    _percepts(extractor, _CHUNK)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    rates = {name: frames / statistics.median(times) for name, times in seconds.items()}
    out.mkdir(parents=True, exist_ok=True)
    result = {"frames": frames, "fps": fps, "workers": workers, "rates": rates, "seconds": seconds}
    write_text(out / "extraction.json", json.dumps(result, indent=2) + "\n")
    table = _table(rates, fps)
    write_text(out / "extraction.md", table)
    click.echo(table)


def _decode(clips: Sequence[Clip], extractor: PerceptExtractor, fps: float, workers: int) -> int:
    chunks = decoded_chunks(clips, extractor.frame_format(fps), workers)
    return sum(len(frames) for _, frames, _ in chunks)


def _percepts(extractor: PerceptExtractor, frames: int) -> None:
    chunk = np.random.default_rng(0).integers(0, 256, (_CHUNK, extractor.size, extractor.size, 3))
    chunk = chunk.astype("uint8")
    for start in range(0, frames, _CHUNK):
        extractor(chunk[: frames - start])


def _extract(clips: Sequence[Clip], extractor: PerceptExtractor, fps: float, workers: int) -> None:
    with TemporaryDirectory() as folder:
        extract(clips, Path(folder) / "s.h5", extractor, fps=fps, workers=workers)


def _table(rates: dict[str, float], fps: float) -> str:
    slower = min(rates["decoding alone"], rates["convnet alone"])
    lines = [
        f"| at {fps:g} frames a second | frames/s | of the slower | seconds an hour of video "
        f"| hours for {_HOURS} hours |",
        "|---|---|---|---|---|",
    ]
    for name, rate in rates.items():
        an_hour = 3600 * fps / rate
        lines.append(
            f"| {name} | {rate:.0f} | {100 * rate / slower:.0f}% | {an_hour:.0f} "
            f"| {_HOURS * an_hour / 3600:.1f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
