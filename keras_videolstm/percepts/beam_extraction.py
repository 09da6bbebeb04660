"""Extraction on many machines, as an Apache Beam pipeline; needs the extra `beam`."""

import os
import time
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.percepts.extraction import ExtractionReport, shard_extraction
from keras_videolstm.percepts.extractor import PerceptExtractor
from keras_videolstm.percepts.named_extractors import get_extractor

_DECODERS_A_WORKER = 2


def extract_with_beam(
    clips: Sequence[Clip],
    store: str | os.PathLike[str],
    extractor: str,
    *,
    shards: int,
    fps: float | None = None,
    fit: str = "crop",
    options: Sequence[str] = (),
) -> ExtractionReport:
    """Write the percepts of clips into a store of several files, each a worker's task.

    It is `extract` file by file: a file that is complete is left alone, one that is not is gone on
    with video by video, and each appears under its name once. So a task, or the whole pipeline,
    may be run again at any time. Clips and store must be on a file system that all workers see.

    Args:
        clips: the video files, by absolute paths.
        store: the folder to write.
        extractor: name of the extractor; each worker loads it once.
        shards: number of files, which is how many tasks can be shared out.
        fps, fit: as in `extract`.
        options: Beam's own, such as `["--runner=FlinkRunner"]`; default: Beam's local runner.

    Returns:
        The report.

    Raises:
        InputError: if there are fewer clips than files, or no file at all was good.

    Example:
        >>> report = extract_with_beam(
        ...     find_clips("/videos"), "/store", "efficientnet_lite0", shards=64, fps=15
        ... )
    """
    started = time.perf_counter()
    task: dict[str, Any] = {"store": os.fspath(store), "extractor": extractor, "shards": shards}
    task |= {"clips": list(clips), "fps": fps, "fit": fit}
    shard_extraction(**task)  # wrong use is said here, not first on a worker
    pipeline = beam.Pipeline(options=PipelineOptions(list(options)))
    files = pipeline | "files" >> beam.Create(list(range(shards))) | beam.Reshuffle()
    _ = files | "extract" >> beam.ParDo(_ExtractFile(task))
    result = pipeline.run()
    result.wait_until_finish()
    report = ExtractionReport.of_store(PerceptStore(store))
    report.new_frames = sum(found.committed for found in result.metrics().query()["counters"])
    report.seconds = time.perf_counter() - started
    return report


class _ExtractFile(beam.DoFn):
    """Writes one file of the store, whose number it is given."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._task = task
        self._loaded: PerceptExtractor | None = None

    def process(self, number: int) -> Iterable[int]:
        new_frames = beam.metrics.Metrics.counter("keras_videolstm", "new_frames")
        part = shard_extraction(**self._task, number=number)
        part.run(
            self._extractor,
            workers=_DECODERS_A_WORKER,
            count=lambda ended, frames: new_frames.inc(frames),
        )
        yield number

    def _extractor(self) -> PerceptExtractor:
        if self._loaded is None:
            self._loaded = get_extractor(self._task["extractor"])
        return self._loaded
