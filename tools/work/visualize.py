"""What `videolstm-tools visualize` does."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.blocks import BLOCK_STEPS, video_blocks
from keras_videolstm.checkpoints import load, load_metadata, metadata_of
from keras_videolstm.clip_reader import ClipReader
from keras_videolstm.data.action_clips import class_names, find_clips
from keras_videolstm.data.moving_mnist import SIDE
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.training.scores import score_videos
from keras_videolstm.visualization import draw_confusion, draw_curves, draw_embeddings
from keras_videolstm.zoo_folder import METADATA, find_checkpoint
from keras_videolstm_tools.counted import counted
from keras_videolstm_tools.labelled_source import is_store
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made, pictures
from keras_videolstm_tools.work.counted_store import CountedStore
from keras_videolstm_tools.work.films import digit_clips, film_rows, write_figure, write_film
from keras_videolstm_tools.work.labelled_percepts import labelled_percepts, percepts_of, settings_of
from keras_videolstm_tools.work.model_pictures import (
    forecast_figure,
    forecast_title,
    write_activity,
    write_features,
)
from keras_videolstm_tools.work.split_file import clips_learned_from

_HISTORY = "history.csv"


def sequences(
    checkpoint: str, clip: Path | None, mnist: str | None, steps: int | None, out: Path
) -> list[Made]:
    """Run `visualize sequences`."""
    model, metadata = _video_model(checkpoint)
    read, predicted = _input_steps(metadata), steps or _horizon(model)
    frames = _frames(model, metadata, checkpoint, clip, mnist, read + predicted)
    if len(model.frame_shape) != 3:
        if "prediction" not in model.decoders:
            raise InputError(f"Expected a model that predicts. Received: {checkpoint}")
        forecast = model.forecast(frames[:read], predicted)
        reader = ClipReader(metadata, model.frame_shape)
        title = forecast_title(checkpoint, clip, reader.fps)
        figure = forecast_figure(model, frames[:read], frames[read:], forecast, reader, clip, title)
        shows = f"error of the forecast of {Path(checkpoint).name}, below the frames of {clip}"
        return pictures([write_figure(figure, out, "sequence")], shows)
    rows = film_rows({Path(checkpoint).name: model}, frames, read, predicted)
    shows = f"input and truth, and what {Path(checkpoint).name} makes of it"
    return pictures(write_film(rows, read, out, "sequence"), shows)


def features(checkpoint: str, drawn_units: int, out: Path) -> list[Made]:
    """Run `visualize features`."""
    model, _ = _video_model(checkpoint)
    return write_features(model, Path(checkpoint).name, drawn_units, out, "features")


def states(
    checkpoint: str, clip: Path | None, mnist: str | None, steps: int, drawn_units: int, out: Path
) -> list[Made]:
    """Run `visualize states`."""
    model, metadata = _video_model(checkpoint)
    read, stills = _input_steps(metadata), None
    frames = _frames(model, metadata, checkpoint, clip, mnist, read)
    if clip is not None:
        stills = ClipReader(metadata, model.frame_shape).pictures(clip)[read:]
    label = Path(checkpoint).name
    return write_activity(model, label, frames, steps, drawn_units, out, "states", stills)


def embeddings(checkpoint: str, data: Path, root: Path | None, out: Path) -> list[Made]:
    """Run `visualize embeddings`."""
    model, metadata = _video_model(checkpoint)
    store = _store(checkpoint, metadata, data, root, out)
    labels = None
    if store.class_names:
        labels = [store.class_names[label] if label >= 0 else "no label" for label in store.labels]
    line, points = ProgressLine("embeddings", "clips"), []
    for video in range(len(store)):
        points.append(_representation(model, store.read(video)))
        line(len(points), len(store))
    title = f"{Path(checkpoint).name}: {len(store)} clips"
    figure = draw_embeddings(np.stack(points), labels, title=title)
    return pictures([write_figure(figure, out, "embeddings")], f"a map of clips by {title}")


def confusion(classifier: str, data: Path, root: Path | None, out: Path) -> list[Made]:
    """Run `visualize confusion`."""
    model = load(classifier)
    if not isinstance(model, ActionClassifier):
        raise InputError(f"Expected a classifier, as `finetune` makes one. Received: {classifier}")
    if not is_store(data):
        # Before percepts are made, as far as names tell.
        clips = find_clips(data, root)
        _check_classes(model, class_names(clips), all(clip.label for clip in clips))
    store = _store(classifier, metadata_of(classifier), data, root, out)
    _check_classes(model, store.class_names, bool((store.labels >= 0).all()))
    learned = _learned_from(classifier, store)
    if learned:
        click.echo(f"{learned}: that they are named rightly shows nothing new.", err=True)
    scores = score_videos(model, CountedStore(store, "confusion"), np.arange(len(store)))
    figure = draw_confusion(scores.confusion, store.class_names, title=Path(classifier).name)
    shows = f"which actions {Path(classifier).name} takes for which, on {scores.videos} clips"
    if learned:
        shows += f"; {learned}"
    return pictures([write_figure(figure, out, "confusion")], shows)


def _check_classes(model: ActionClassifier, found: Sequence[str], all_labelled: bool) -> None:
    if tuple(found) != tuple(model.class_names) or not all_labelled:
        named = ", ".join(found) or "videos without labels"
        beside = "" if all_labelled or not found else ", and videos without labels"
        raise InputError(
            f"Expected videos of the classes {', '.join(model.class_names)}. "
            f"Received: {named}{beside}"
        )


def _learned_from(classifier: str, store: PerceptStore) -> str:
    """Say of how many clips a classifier has, by their names, learned; nothing of none."""
    learned = clips_learned_from(Path(classifier), store.names)
    if not learned:
        return ""
    parts = " and ".join(f"{learned[part]} of its {part} part" for part in sorted(learned))
    clips = counted(store.count_clips(range(len(store))), "clip")
    return f"of {clips} {learned.total()} have names of clips that it has learned from, {parts}"


def curves(checkpoint: str, out: Path) -> list[Made]:
    """Run `visualize curves`."""
    folder = Path(checkpoint)
    if not (folder / _HISTORY).is_file():
        folder = find_checkpoint(checkpoint)
    label = Path(checkpoint).name
    history = _history(folder / _HISTORY)
    figure = draw_curves(history, title=label, best=_kept_epoch(folder, history))
    return pictures([write_figure(figure, out, "curves")], f"learning curves of {label}")


def _video_model(checkpoint: str) -> tuple[VideoLSTM, dict[str, Any]]:
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM):
        raise InputError(f"Expected a video model. Received: {checkpoint}")
    return model, metadata_of(checkpoint)


def _input_steps(metadata: dict[str, Any]) -> int:
    return metadata.get("input_steps", BLOCK_STEPS)


def _horizon(model: VideoLSTM) -> int:
    return model.prediction_steps if "prediction" in model.decoders else 0


def _frames(
    model: VideoLSTM,
    metadata: dict[str, Any],
    checkpoint: str,
    clip: Path | None,
    mnist: str | None,
    count: int,
) -> NDArray[Any]:
    """Return the first frames of a clip; without one those of moving digits."""
    if clip is not None:
        return ClipReader(metadata, model.frame_shape).read(clip)[:count]
    if model.frame_shape != (SIDE, SIDE, 1):
        raise InputError(
            f"Expected --clip with {checkpoint}, which reads no digits. Received: none"
        )
    return digit_clips(mnist, 1, count)[0]


def _store(
    checkpoint: str, metadata: dict[str, Any], data: Path, root: Path | None, out: Path
) -> PerceptStore:
    percepts = percepts_of(metadata, checkpoint)
    out.mkdir(parents=True, exist_ok=True)
    store, _ = labelled_percepts(data, out / "percepts.h5", percepts, root)
    settings_of(store, percepts)
    return store


def _representation(model: VideoLSTM, percepts: NDArray[Any]) -> NDArray[Any]:
    steps = min(BLOCK_STEPS, len(percepts))
    return model.encode(video_blocks(percepts, steps), every_step=True).mean(axis=(0, 1))


def _kept_epoch(folder: Path, history: Mapping[str, Sequence[float]]) -> int | None:
    """Return the epoch whose weights are in a checkpoint, or would be in that of a run."""
    if (folder / METADATA).is_file():
        return load_metadata(folder.resolve()).get("best_epoch")
    losses = history.get("val_loss", [])
    return int(np.nanargmin(losses)) + 1 if np.isfinite(losses).any() else None


def _history(path: Path) -> dict[str, list[float]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        history = {key: [float(row[key]) for row in rows] for key in rows[0] if key != "epoch"}
    except (OSError, UnicodeDecodeError, IndexError, TypeError, ValueError) as error:
        raise InputError(f"Expected the log of a training. Received: {path} ({error})") from error
    return history
