"""One contestant in a process of its own, told by lines of JSON what to do."""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from keras_videolstm_benchmarks.problem import Problem

_CHECKED_CLIPS = 2


def _contestant(name: str, problem: Problem) -> Any:
    # Imported here: each process loads its own framework alone.
    if name == "limit float32":
        from keras_videolstm_benchmarks.limit import Limit

        return Limit("float32")
    if name == "limit bfloat16":
        from keras_videolstm_benchmarks.limit import Limit

        return Limit("bfloat16")
    library, precision, *options = name.split()
    if library == "ours":
        from keras_videolstm_benchmarks.ours import Ours

        return Ours(problem, precision)
    if library == "torch":
        from keras_videolstm_benchmarks.torch_peer import TorchPeer

        return TorchPeer(problem, precision)
    from keras_videolstm_benchmarks.keras_peer import KerasPeer

    return KerasPeer(problem, precision, xla="XLA" in options, unroll="unrolled" in options)


def _timed(work: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = (li for li in status.read_text().splitlines() if li.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _answer(contestant: Any, request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "train":
        seconds, loss = _timed(contestant.train)
        return {"seconds": seconds, "loss": loss, "peak_mib": _peak_mib()}
    seconds, frames = _timed(lambda: contestant.infer(request["horizon"]))
    if "check" in request:
        np.save(request["check"], frames[:_CHECKED_CLIPS])
    return {"seconds": seconds}


def main() -> None:
    """Make the contestant, then answer each request with one line."""
    # What a framework prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    given = json.loads(sys.argv[1])
    contestant = _contestant(given["name"], Problem(**given["problem"]))
    print(json.dumps({"precision": contestant.precision}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(contestant, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
