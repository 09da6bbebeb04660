"""What `finetune` says of what it has reached."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.training.comparison import SINGLE_FRAME, MethodResult
from keras_videolstm.training.scores import Scores
from keras_videolstm.training.splits import Split
from keras_videolstm_tools.counted import counted

VIDEO = "video_accuracy"
SEEN = "test_sources_seen_in_pretraining"
LEARNED = "test_videos_whose_labels_the_convnet_learned"
_KEPT_HEAD = "Training the recurrent layers, too, validated no better: kept is the softmax alone"
_SCORES = ("frame_accuracy", "block_accuracy", VIDEO)


def metrics_of(
    results: Sequence[MethodResult],
    store: PerceptStore,
    split: Split,
    drawn: Split,
    tests: int,
    shots: int | None,
    repeats: int,
) -> dict[str, Any]:
    """Return protocol and scores as plain numbers; `drawn` is what of the split was used."""
    return {
        "protocol": {
            "reduction": "probabilities averaged over the steps of 16-frame blocks at stride 8, "
            "then over a video's blocks; accuracy is a mean over videos (blocks, frames)",
            "classes": list(store.class_names),
            "train_videos": store.count_clips(split.train),
            "validation_videos": store.count_clips(split.validation),
            "used_train_videos": store.count_clips(drawn.train),
            "used_validation_videos": store.count_clips(drawn.validation),
            "test_videos": tests,
            "shots_a_class": shots,
            "repeats": repeats,
            "std": "sample standard deviation over the repeats",
        },
        "methods": {result.name: _method_metrics(result) for result in results},
    }


def _method_metrics(result: MethodResult) -> dict[str, Any]:
    metrics: dict[str, Any] = {}
    for part in ("validation", "test"):
        if getattr(result, part):
            metrics[part] = {
                score: _mean_and_std(result, score, part) for score in (*_SCORES, "video_nats")
            }
            metrics[part]["runs"] = [scores.as_dict() for scores in getattr(result, part)]
    return metrics


def _mean_and_std(result: MethodResult, score: str, part: str) -> dict[str, float | None]:
    mean, std = result.mean_and_std(score, part)
    return {"mean": mean, "std": std if len(getattr(result, part)) > 1 else None}


def table_of(results: Sequence[MethodResult], metrics: dict[str, Any]) -> str:
    """Return the scores as a table in Markdown, and what they are worth."""
    protocol = metrics["protocol"]
    part = "test" if results[0].test else "validation"
    shots, repeats = protocol["shots_a_class"], protocol["repeats"]
    seeds = f"mean ± std over {repeats} seeds" if repeats > 1 else "one seed"
    classes = len(protocol["classes"])
    lines = [
        f"{classes} classes; {_used(protocol, 'train')} to train, "
        f"{_used(protocol, 'validation')} to validate, {protocol['test_videos']} to test"
        f"{f'; {shots} a class drawn' if shots else ''}; scored on the {part} part; {seeds}",
        "",
        "| accuracy, % | frame | block | video |",
        "|---|---|---|---|",
    ]
    count = protocol[f"{part}_videos"]
    for result in results:
        cells = [_cell(*result.mean_and_std(score, part), repeats) for score in _SCORES]
        if repeats == 1:
            right = round(count * result.mean_and_std(VIDEO, part)[0])
            cells[-1] += f" ({right} of {count})"
        lines.append(f"| {result.name} | {' | '.join(cells)} |")
    lines += [
        "",
        "A frame counts by the answer at its step, a block by the mean over its 16 steps, a video "
        f"by the mean over its blocks. One video is {100 / count:.1f} points; guessing names "
        f"{100 / classes:.1f} % rightly.",
    ]
    first = "" if repeats == 1 else ", in the first repeat"
    lines += [f"{_KEPT_HEAD} of {result.name}{first}." for result in results if _kept_head(result)]
    if seen := protocol.get(SEEN):
        lines.append(
            "The checkpoint has learned, without labels, from sources of these names in the test "
            f"part, or was chosen by them: {', '.join(seen)}. If they are the same, they were not "
            "new to it."
        )
    if learned := protocol.get(LEARNED):
        lines.append(
            f"The convnet of these percepts has learned the labels of {len(learned)} test videos, "
            "or was chosen by them: this is no test."
        )
    if repeats == 1:
        lines.append(_worth(results[-1], part, count, classes))
    return "\n".join(lines) + "\n"


def _used(protocol: dict[str, Any], part: str) -> str:
    used, there = protocol[f"used_{part}_videos"], protocol[f"{part}_videos"]
    return counted(used, "video") if used == there else f"{used} of {counted(there, 'video')}"


def _kept_head(result: MethodResult) -> bool:
    """Whether no look after the softmax alone validated better."""
    looks = result.history.get("val_loss")
    return result.name != SINGLE_FRAME and looks is not None and int(np.argmin(looks)) == 0


def _worth(result: MethodResult, part: str, count: int, classes: int) -> str:
    """Say how likely so many right answers are without having learned anything."""
    right = round(count * result.mean_and_std(VIDEO, part)[0])
    by_guessing = sum(
        math.comb(count, k) * (classes - 1) ** (count - k) for k in range(right, count + 1)
    )
    probability = by_guessing / classes**count
    return (
        f"{result.name}: {right} or more of {count} come by guessing with probability "
        f"{probability:.2g}. This is one split and one seed: --repeats 5 shows what they are worth."
    )


def _cell(mean: float, std: float, repeats: int) -> str:
    spread = f" ± {100 * std:.1f}" if repeats > 1 else ""
    return f"{100 * mean:.1f}{spread}"


def of_videos(metrics: dict[str, Any], part: str) -> str:
    """Say of how many videos and seeds an accuracy is, and so how far it can be trusted."""
    count, repeats = metrics["protocol"][f"{part}_videos"], metrics["protocol"]["repeats"]
    seeds = f"{repeats} seeds" if repeats > 1 else "one seed"
    return f"{counted(count, 'video')}, each {100 / count:.1f} points; {seeds}"


def mistakes_of(scores: Scores, classes: Sequence[str], repeats: int) -> str:
    """Return, in Markdown, which videos were named wrongly."""
    videos = scores.of_videos
    answers = videos.probabilities.argmax(-1)
    rows = []
    for i in np.flatnonzero(answers != videos.labels):
        texts = (videos.names[i], classes[videos.labels[i]], classes[answers[i]])
        cells = " | ".join(text.replace("|", r"\|") for text in texts)
        rows.append(f"| {cells} | {100 * videos.probabilities[i].max():.0f} % |")
    if not rows:
        return "No video was named wrongly.\n"
    first = ", in the first repeat" if repeats > 1 else ""
    head = ["", "| video | is | was taken for | with |", "|---|---|---|---|"]
    return "\n".join([f"Named wrongly{first}: {len(rows)} of {len(answers)}", *head, *rows]) + "\n"
