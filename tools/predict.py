"""`videolstm-tools predict`."""

from pathlib import Path
from typing import Any

import click

from keras_videolstm.errors import InputError
from keras_videolstm_tools.results import json_option
from keras_videolstm_tools.shared_options import checkpoint_argument

_ENDINGS = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".gif", ".mp4", ".npy")


@click.command(name="predict")
@checkpoint_argument
@click.argument("clips", nargs=-1, required=True)
@click.option("--steps", type=click.IntRange(1), help="Frames to forecast.  [default: as trained]")
@click.option(
    "--input-steps",
    type=click.IntRange(1),
    help="Frames to read before a forecast.  [default: as trained]",
)
@click.option("--fps", type=float, help="Frames a second.  [default: the checkpoint's]")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=10,
    show_default=True,
    help="To record of a camera or an address.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Picture (.png, .svg, .pdf), film (.gif, .mp4) or a forecast's array (.npy); of several "
    "clips a folder of pictures.",
)
@json_option
def command(clips: tuple[str, ...], out: Path | None, **options: Any) -> None:
    """Name the action in clips, or forecast their next frames.

    A classifier names the action; a video model reads the first frames of a clip and forecasts
    those that follow, beside the true ones as far as the clip has them. A clip is a video file, a
    folder of images (each a frame, by name), the number of a camera (0 is the first), or an address
    that FFmpeg can open (http, rtsp...); CLIPS may also be folders of videos, and patterns.

    \b
    Example:
      videolstm-tools predict classifier clip.mp4 --out timeline.png
      videolstm-tools predict classifier videos "more/*.avi" --out timelines
      videolstm-tools predict classifier rtsp://camera.local/door --seconds 30
      videolstm-tools predict composite_youtube clip.mp4 --steps 30 --out forecast.png
      videolstm-tools predict composite_youtube clip.mp4 --input-steps 9999 --out next.npy
    """
    # Of several, a bad one is left out.
    if len(clips) == 1:
        from keras_videolstm_tools.named_clips import check_clip

        check_clip(*clips)
    if out and len(clips) == 1 and Path(clips[0]).is_file():
        _check_out(out)
    from keras_videolstm_tools.work.predict import run

    run(clips=clips, out=out, **options)


def _check_out(out: Path) -> None:
    """Refuse what cannot be written before the clip is read."""
    if out.suffix.lower() not in _ENDINGS:
        raise InputError(f"Expected --out to end in one of {', '.join(_ENDINGS)}. Received: {out}")
    if not out.parent.is_dir():
        raise InputError(f"Expected --out in a folder that exists. Received: {out}")
