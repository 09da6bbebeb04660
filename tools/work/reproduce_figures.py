"""The paper's figures of moving MNIST and of patches of video, from any checkpoint."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from keras_videolstm.checkpoints import load, metadata_of
from keras_videolstm.clip_reader import ClipReader
from keras_videolstm.data.moving_mnist import SIDE
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.percepts import PatchPercepts
from keras_videolstm_tools.progress import ProgressLine
from keras_videolstm_tools.results import Made, pictures
from keras_videolstm_tools.work.films import (
    digit_clips,
    film_rows,
    input_steps_of,
    opening_of,
    write_film,
)
from keras_videolstm_tools.work.model_pictures import write_activity, write_features

_DIGITS = (SIDE, SIDE, 1)
_PATCH = (PatchPercepts.size, PatchPercepts.size, 3)
_STEPS = 10


def fig4(
    checkpoints: tuple[str, ...], mnist: str | None, test_sequences: int, out: Path
) -> list[Made]:
    """Run `reproduce fig4`."""
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    clips = digit_clips(mnist, test_sequences, read + _STEPS)
    return _write_films(models, clips, read, out, "fig4")


def fig5(checkpoints: tuple[str, ...], clips: tuple[Path, ...], out: Path) -> list[Made]:
    """Run `reproduce fig5`."""
    models, read = _load_all(checkpoints, _PATCH), _common_input_steps(checkpoints)
    horizon = max(model.prediction_steps for model in models.values())
    reader = ClipReader(metadata_of(checkpoints[0]), _PATCH)
    made = []
    for number, clip in enumerate(clips, start=1):
        rows = film_rows(models, opening_of(clip, reader, read, horizon), read)
        paths = write_film(rows, read, out, f"fig5_{number}")
        made += pictures(paths, f"a patch of {clip}, and what {', '.join(models)} makes of it")
    return made


def fig_long(
    checkpoints: tuple[str, ...], mnist: str | None, test_sequences: int, steps: int, out: Path
) -> list[Made]:
    """Run `reproduce fig_long`."""
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    for label, model in models.items():
        if "prediction" not in model.decoders:
            raise InputError(f"Expected models that predict. Received: {label}")
    clips = digit_clips(mnist, test_sequences, read + steps)
    return _write_films(models, clips, read, out, "fig_long")


def fig_digits(
    checkpoints: tuple[str, ...], mnist: str | None, test_sequences: int, out: Path
) -> list[Made]:
    """Run `reproduce fig_digits`."""
    models, read = _load_all(checkpoints), _common_input_steps(checkpoints)
    made = []
    for digits in (1, 3):
        clips = digit_clips(mnist, test_sequences, read + _STEPS, digits)
        made += _write_films(models, clips, read, out, f"fig_digits_{digits}", digits)
    return made


def fig_features(checkpoint: str, drawn_units: int, out: Path) -> list[Made]:
    """Run `reproduce fig_features`."""
    label = Path(checkpoint).name
    return write_features(_load(checkpoint), label, drawn_units, out, "fig_features")


def fig_state(
    checkpoint: str, mnist: str | None, steps: int, drawn_units: int, out: Path
) -> list[Made]:
    """Run `reproduce fig_state`."""
    (clip,) = digit_clips(mnist, 1, input_steps_of(checkpoint))
    label = Path(checkpoint).name
    return write_activity(_load(checkpoint), label, clip, steps, drawn_units, out, "fig_state")


def _load(checkpoint: str, frame_shape: tuple[int, ...] = _DIGITS) -> VideoLSTM:
    model = load(checkpoint)
    if not isinstance(model, VideoLSTM) or model.frame_shape != frame_shape:
        raise InputError(f"Expected a video model of frames {frame_shape}. Received: {checkpoint}")
    return model


def _load_all(
    checkpoints: tuple[str, ...], frame_shape: tuple[int, ...] = _DIGITS
) -> dict[str, VideoLSTM]:
    labels = [Path(checkpoint).name for checkpoint in checkpoints]
    if len(set(labels)) < len(labels):
        labels = list(checkpoints)
    return {
        label: _load(path, frame_shape) for label, path in zip(labels, checkpoints, strict=True)
    }


def _common_input_steps(checkpoints: tuple[str, ...]) -> int:
    counts = {input_steps_of(checkpoint) for checkpoint in checkpoints}
    if len(counts) > 1:
        raise InputError(f"Expected models that read as many frames. Received: {sorted(counts)}")
    return counts.pop()


def _write_films(
    models: dict[str, VideoLSTM],
    clips: NDArray[Any],
    read: int,
    out: Path,
    name: str,
    digits: int = 2,
) -> list[Made]:
    made, line = [], ProgressLine(name, "sequences")
    for number, clip in enumerate(clips, start=1):
        paths = write_film(film_rows(models, clip, read), read, out, f"{name}_{number}")
        shows = f"test sequence {number} of {digits} digits, and what {', '.join(models)} predicts"
        made += pictures(paths, shows)
        line(number, len(clips))
    return made
