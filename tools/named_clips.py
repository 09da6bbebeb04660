"""The clips that a command is told: files, folders, patterns, cameras."""

import glob
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from keras_videolstm.data.action_clips import find_clips
from keras_videolstm.data.live_video import is_live, record_live
from keras_videolstm.data.video import images_in
from keras_videolstm.errors import InputError
from keras_videolstm_tools.given_path import near_path

_WILD = "*?["


@contextmanager
def clips_named(texts: Sequence[str], seconds: float) -> Iterator[dict[str, Path]]:
    """Yield the clips that arguments name: files, folders of images or videos, patterns, cameras.

    What cameras and addresses show is recorded, and deleted at the end.

    Args:
        texts: the arguments.
        seconds: to record of each camera or address.

    Raises:
        InputError: if a folder or a pattern holds no clip, or what is live cannot be read.

    Example:
        >>> with clips_named(["0", "a.mp4", "films/*.avi"], seconds=10) as clips:
        ...     print(list(clips))
        ['0', 'a.mp4', 'films/b.avi']
    """
    with tempfile.TemporaryDirectory() as folder:
        clips: dict[str, Path] = {}
        for number, text in enumerate(texts):
            if is_live(text):
                clips[text] = Path(folder) / f"live_{number}.mkv"
                click.echo(f"Recording {seconds:g} s of {text}", err=True)
                record_live(text, clips[text], seconds)
            else:
                clips |= {str(clip): clip for clip in _clips_of(text)}
        yield clips


def check_clip(text: str) -> None:
    """Refuse an argument that names a file which is not there.

    Raises:
        InputError: if it does; as `clips_named`.

    Example:
        >>> check_clip("clip.mp4")
    """
    for clip in [] if is_live(text) else _clips_of(text):
        missing = False
        # A name that no file can have is said so by who reads it.
        with suppress(OSError, ValueError):
            missing = not clip.exists()
        if missing:
            raise InputError(
                f"Expected a video file. Received: {clip}, which does not exist{near_path(clip)}"
            )


def _clips_of(text: str) -> list[Path]:
    path = Path(text)
    # A name that no file can have is said so by who reads it.
    with suppress(OSError):
        if path.is_dir() and not images_in(path):
            return [clip.path for clip in find_clips(path)]
    if not any(sign in text for sign in _WILD):
        return [path]
    # A file of that very name comes first. `Path.glob` takes no absolute patterns.
    found = glob.glob(glob.escape(text)) or sorted(glob.glob(text, recursive=True))  # noqa: PTH207
    if not found:
        raise InputError(f"Expected a pattern that finds clips. Received: {text}, which finds none")
    return [Path(name) for name in found]
