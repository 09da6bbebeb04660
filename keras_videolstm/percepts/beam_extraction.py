"""Extraction on many machines, as an Apache Beam pipeline; needs the extra `beam`."""

import io
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr

import apache_beam as beam
from apache_beam.metrics import Metrics, MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.percepts.extraction import ExtractionReport
from keras_videolstm.percepts.extractor import PerceptExtractor
from keras_videolstm.percepts.named_extractors import get_extractor
from keras_videolstm.percepts.store_extraction import StoreExtraction

_DECODERS_A_WORKER = 2
_COUNTER = ("keras_videolstm", "new_frames")
_NEW_FRAMES = MetricsFilter().with_namespace(_COUNTER[0]).with_name(_COUNTER[1])


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
    may be run again at any time. All workers must see clips and store under the
    same paths, on a file system that they share.

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
        InputError: if there are fewer clips than files, no file at all was good, an option is
            wrong, or the runner failed.

    Example:
        >>> report = extract_with_beam(
        ...     find_clips("/videos"), "/store", "efficientnet_lite0", shards=64, fps=15
        ... )
    """
    started = time.perf_counter()
    whole = StoreExtraction(clips, store, extractor, fps=fps, fit=fit, shards=shards)
    with _in_a_sentence():
        pipeline = beam.Pipeline(options=_parsed(options))
    whole.prepare()
    with _in_a_sentence():
        files = pipeline | "files" >> beam.Create(list(whole.numbers)) | beam.Reshuffle()
        _ = files | "extract" >> beam.ParDo(_ExtractFile(whole, extractor))
        result = pipeline.run()
        state = result.wait_until_finish()
    if state != PipelineState.DONE:
        raise InputError(f"Expected a pipeline that comes to its end. Received: {state}")
    whole.finish()
    report = ExtractionReport.of_store(PerceptStore(store))
    counted = result.metrics().query(_NEW_FRAMES)["counters"]
    # Some runners do not know what was committed; `result` is then what was attempted.
    report.new_frames = sum(found.result for found in counted)
    report.seconds = time.perf_counter() - started
    return report


def _parsed(options: Sequence[str]) -> PipelineOptions:
    """Return Beam's options, of which a bad one prints all their usage and exits."""
    printed = io.StringIO()
    parsed = PipelineOptions(list(options))
    try:
        with redirect_stderr(printed):
            parsed.get_all_options()
    except SystemExit as error:
        raise ValueError(printed.getvalue().rpartition("error: ")[2]) from error
    return parsed


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """Make one sentence of what Beam and its runners raise, which is anything."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        # What comes from another process ends with its reason, after a traceback.
        reason = (str(error).strip() or repr(error)).splitlines()[-1]
        raise InputError(
            f"Expected a runner of Apache Beam, and options, that work here. Received: {reason}"
        ) from error


class _ExtractFile(beam.DoFn):
    """Writes one file of the store, whose number it is given."""

    def __init__(self, whole: StoreExtraction, extractor: str) -> None:
        self._whole = whole
        self._name = extractor
        self._loaded: PerceptExtractor | None = None

    def process(self, number: int) -> Iterable[int]:
        new_frames = Metrics.counter(*_COUNTER)
        self._whole.part(number).run(
            self._extractor,
            workers=_DECODERS_A_WORKER,
            count=lambda ended, frames: new_frames.inc(frames),
        )
        yield number

    def _extractor(self) -> PerceptExtractor:
        if self._loaded is None:
            self._loaded = get_extractor(self._name)
        return self._loaded
