"""What `videolstm-tools predict` does."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.blocks import BLOCK_STEPS, BLOCK_STRIDE, block_starts
from keras_videolstm.checkpoints import load, metadata_of
from keras_videolstm.clip_reader import ClipReader
from keras_videolstm.data.action_clips import find_clips
from keras_videolstm.errors import InputError
from keras_videolstm.files import atomic_path
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.training.clips import is_of_digits
from keras_videolstm.visualization import (
    Strip,
    draw_action_timeline,
    draw_sequence,
    save_figure,
    side_by_side,
    write_animation,
)
from keras_videolstm.visualization.saving import FIGURE_SUFFIXES
from keras_videolstm_tools.counted import counted
from keras_videolstm_tools.named_clips import clips_named
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import print_json
from keras_videolstm_tools.work.films import clip_row, model_row
from keras_videolstm_tools.work.model_pictures import (
    forecast_errors,
    forecast_figure,
    forecast_title,
)
from keras_videolstm_tools.work.pretraining_sources import pretraining_sources
from keras_videolstm_tools.work.split_file import LEARNED_FROM, Parts, name_of, parts_by_name

_THUMBNAILS = 10
_FILMS, _ARRAY = (".gif", ".mp4"), ".npy"


def run(
    checkpoint: str,
    clips: tuple[str, ...],
    steps: int | None,
    input_steps: int | None,
    fps: float | None,
    seconds: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run `predict`."""
    model = load(checkpoint)
    reader = ClipReader.of(model, checkpoint, fps)
    metadata = metadata_of(checkpoint)
    names = isinstance(model, ActionClassifier)
    if names and (steps or input_steps):
        raise InputError(
            f"Expected a video model, to forecast --steps after --input-steps. "
            f"Received: {checkpoint}, which names actions"
        )

    if is_of_digits(metadata):
        click.echo(f"{checkpoint} has only seen moving digits, and knows no other video.", err=True)

    parts = parts_by_name(Path(checkpoint)) if names else {}
    sources = {} if names else pretraining_sources(checkpoint)

    def predict(name: str, clip: Path, picture: Path | None) -> dict[str, Any]:
        if isinstance(model, ActionClassifier):
            result = _name_action(model, reader, clip, picture, name)
            return result | _learned_from(parts, clip)
        read = input_steps or metadata.get("input_steps", BLOCK_STEPS)
        title = forecast_title(checkpoint, name, reader.fps)
        if len(model.frame_shape) == 3:
            title += f"; {reader.view}"
        ahead = steps or model.prediction_steps
        result = _forecast(model, reader, clip, read, ahead, picture, title, Path(checkpoint).name)
        return result | _pretrained_on(sources, clip)

    with clips_named(clips, seconds) as named:
        _check_out(out, model, len(named))
        if len(named) > 1:
            _predict_all(predict, named, out, as_json)
            return
        ((name, clip),) = named.items()
        result = {"clip": name, **predict(name, clip, out)}
    if as_json:
        print_json(result)
    else:
        click.echo(_as_text(result))


def _check_out(out: Path | None, model: ActionClassifier | VideoLSTM, clips: int) -> None:
    """Refuse what cannot be written before a clip is read."""
    if out is None:
        return
    arrays = () if isinstance(model, ActionClassifier) else (_ARRAY,)
    of_pixels = isinstance(model, VideoLSTM) and len(model.frame_shape) == 3
    endings = (*FIGURE_SUFFIXES, *arrays, *(_FILMS if of_pixels else ()))
    if clips > 1 and out.suffix.lower() in endings:
        raise InputError(
            f"Expected --out to be a folder, for the pictures of {clips} clips. Received: {out}"
        )
    if clips == 1 and out.suffix.lower() not in endings:
        raise InputError(
            f"Expected --out to end in one of {', '.join(endings)}, as this model gives "
            f"{'pixels' if of_pixels else 'no pixels'}. Received: {out}"
        )


def _learned_from(parts: Parts, clip: Path) -> dict[str, str]:
    """Say where a clip is, by its name, one that the classifier has learned from."""
    part = parts.get(name_of(clip))
    return {"learned_from": part} if part in LEARNED_FROM else {}


def _pretrained_on(sources: Mapping[str, str], clip: Path) -> dict[str, str]:
    """Say where a clip is, by its name, of a source that the model has learned from."""
    source = find_clips(clip)[0].group if clip.is_file() else ""
    return {"pretrained_on": f"{source} of {sources[source]}"} if source in sources else {}


def _predict_all(
    predict: Callable[[str, Path, Path | None], dict[str, Any]],
    clips: dict[str, Path],
    out: Path | None,
    as_json: bool,
) -> None:
    """Predict clip after clip; a bad one is named and left out, and makes the command fail."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    results, bad = [], 0
    line = ProgressLine("predict", "clips") if as_json else None
    for number, (name, clip) in enumerate(clips.items(), start=1):
        # Clips of several folders may have one name.
        picture = None if out is None else out / f"{number:04d}_{clip.stem}.png"
        try:
            results.append({"clip": name, **predict(name, clip, picture)})
        except InputError as error:
            bad += 1
            click.echo(f"Left out: {' '.join(str(error).split())}", err=True)
        else:
            if not as_json:
                click.echo(_as_text(results[-1]))
        if line is not None:
            line(number, len(clips))
    if as_json:
        print_json(results)
    if bad:
        raise InputError(f"Expected clips that can be read. Received: {bad} bad of {len(clips)}")


def _name_action(
    model: ActionClassifier, reader: ClipReader, clip: Path, out: Path | None, name: str
) -> dict[str, Any]:
    features = reader.read(clip)
    blocks = model.classify_blocks(features)
    mean = blocks.mean(axis=0)
    order = np.argsort(mean)[::-1]
    if out is not None:
        title = f"{model.label(mean)} ({100 * mean.max():.0f} %), {Path(name).name}"
        _draw_timeline(model, blocks, reader, clip, len(features), out, title)
    return {
        "action": model.label(mean),
        "probabilities": {model.class_names[i]: float(mean[i]) for i in order},
        "frames": len(features),
        "blocks": len(blocks),
        **({"out": str(out)} if out else {}),
    }


def _draw_timeline(
    model: ActionClassifier,
    blocks: NDArray[Any],
    reader: ClipReader,
    clip: Path,
    frames: int,
    out: Path,
    title: str,
) -> None:
    starts = np.array(block_starts(frames, BLOCK_STEPS, BLOCK_STRIDE))
    times = (starts + min(BLOCK_STEPS, frames) / 2) / reader.fps
    chosen = np.unique(np.linspace(0, frames - 1, _THUMBNAILS).astype(int))
    thumbnails = reader.pictures(clip)[chosen]
    figure = draw_action_timeline(
        blocks,
        model.class_names,
        times,
        frames=thumbnails,
        frame_times=(chosen + 0.5) / reader.fps,
        duration=frames / reader.fps,
        title=title,
    )
    save_figure(figure, out)


def _forecast(
    model: VideoLSTM,
    reader: ClipReader,
    clip: Path,
    input_steps: int,
    steps: int,
    out: Path | None,
    title: str,
    label: str,
) -> dict[str, Any]:
    frames = reader.read(clip)
    read, truth = frames[:input_steps], frames[input_steps : input_steps + steps]
    forecast = model.forecast(read, steps)
    result: dict[str, Any] = {
        "frames": len(frames),
        "frames_read": len(read),
        "frames_forecast": steps,
        "frames_of_truth": len(truth),
        "fps": reader.fps,
        "seen": reader.view,
    }
    if len(truth):
        result["mean_squared_error"] = forecast_errors(model, read, truth, forecast)
    if out is not None:
        if out.suffix.lower() == _ARRAY:
            _save_array(forecast, out)
        elif len(model.frame_shape) == 3:
            rows = clip_row(read, truth) | {label: model_row(model, read, forecast)}
            _draw_frames(rows, len(read), out, title)
        else:
            figure = forecast_figure(model, read, truth, forecast, reader, clip, title)
            save_figure(figure, out)
        result["out"] = str(out)
    return result


def _save_array(forecast: NDArray[Any], out: Path) -> None:
    with atomic_path(out) as temporary, temporary.open("wb") as file:
        np.save(file, forecast, allow_pickle=False)


def _draw_frames(rows: dict[str, list[Strip]], input_steps: int, out: Path, title: str) -> None:
    if out.suffix.lower() in _FILMS:
        write_animation(side_by_side(rows, input_steps=input_steps), out)
    else:
        save_figure(draw_sequence(rows, input_steps=input_steps, title=title), out)


def _as_text(result: dict[str, Any]) -> str:
    if "action" in result:
        likeliest = list(result["probabilities"].items())[:3]
        named = ", ".join(f"{name} {100 * p:.0f}%" for name, p in likeliest)
        frames, blocks = result["frames"], counted(result["blocks"], "block")
        seen = blocks if frames >= BLOCK_STEPS else f"{frames} of a block's {BLOCK_STEPS} frames"
        text = f"{result['clip']}: {result['action']}  ({named}; {seen})"
        if "learned_from" in result:
            part = result["learned_from"]
            text += f"\n  A clip of this name is of the classifier's {part} part: if this is it, "
            text += "that it is named rightly shows nothing new."
    else:
        text = _as_times(result)
        for name, error in result.get("mean_squared_error", {}).items():
            text += f"\n  mean squared error, {name}: {error:.4g}"
        if "pretrained_on" in result:
            text += (
                f"\n  The model has learned from the source {result['pretrained_on']}: if this "
                "clip is of it, it is not new to the model."
            )
        errors = list(result.get("mean_squared_error", {}).values())
        if errors and errors[0] > errors[1]:
            text += "\n  To hold the last frame is the better forecast of this clip."
    return text + (f"\n{result['out']}" if "out" in result else "")


def _as_times(result: dict[str, Any]) -> str:
    """Say what of a clip was read and forecast, and how much of that can be compared."""
    fps, read, steps = result["fps"], result["frames_read"], result["frames_forecast"]
    known = result["frames_of_truth"]
    compared = "all with" if known == steps else f"{known} of them with" if known else "none with"
    return (
        f"{result['clip']}: of {result['frames'] / fps:.1f} s the first {read / fps:.1f} s read "
        f"({read} frames), the next {steps / fps:.1f} s forecast ({steps} frames, {compared} a "
        f"true one to compare with)\n  of each frame: {result['seen']}"
    )
