"""Video files decoded side by side, ahead of the convnet that reads their frames."""

import dataclasses
import itertools
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data.action_clips import Clip
from keras_videolstm.data.video import FrameFormat, iter_frames
from keras_videolstm.errors import InputError

_FRAMES_A_CHUNK = 64
_CHUNKS_AHEAD = 4
_LOOK_SECONDS = 0.5

Chunk = tuple[int, NDArray[Any], str]


def decoded_chunks(
    clips: Sequence[Clip], frame_format: FrameFormat, workers: int, span: int = 1
) -> Iterator[Chunk]:
    """Yield (clip, frames, "") per chunk, then (clip, no frames, fault or "") at a clip's end.

    `workers` threads decode a file each (PyAV lets others run meanwhile); the chunks of a file come
    in order, those of different files as they are ready. Where there are files for all of them,
    FFmpeg starts no threads of its own, which would only keep others waiting.

    Args:
        clips: the video files.
        frame_format: as `extractor.frame_format(fps, fit)` gives it.
        workers: files that are decoded at a time.
        span: as in `frame_chunks`.
    """
    ready: queue.Queue[Chunk | BaseException | None] = queue.Queue(_CHUNKS_AHEAD)
    numbers = itertools.count()  # its next() is atomic
    stopped = threading.Event()

    def put(item: Chunk | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return ready.put(item, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue

    one_thread = 1 < workers <= len(clips)

    def work() -> None:
        try:
            while (number := next(numbers)) < len(clips) and not stopped.is_set():
                for frames, fault in _decode(clips[number], frame_format, span, one_thread):
                    put((number, frames, fault))
                    if stopped.is_set():
                        return
            put(None)
        except BaseException as error:  # raised again where it is seen
            put(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        running = workers
        while running:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                running -= 1
            else:
                yield item
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def _decode(
    clip: Clip, frame_format: FrameFormat, span: int, one_thread: bool
) -> Iterator[tuple[NDArray[Any], str]]:
    fault = ""
    try:
        view = dataclasses.replace(
            frame_format, place=clip.place, flip=clip.flip, untimed_fps=clip.untimed_fps
        )
        for frames in frame_chunks(clip.path, view, span, one_thread):
            yield frames, ""
    except InputError as error:
        fault = str(error)
    yield np.empty((0, frame_format.size, frame_format.size, 3), np.uint8), fault


def frame_chunks(
    path: str | os.PathLike[str],
    frame_format: FrameFormat,
    span: int = 1,
    one_thread: bool = False,
) -> Iterator[NDArray[Any]]:
    """Yield the frames of a video file in chunks `(time, height, width, 3)`, uint8.

    Args:
        path: the file.
        frame_format: of the frames.
        span: frames that one percept is made of; a chunk begins with the last `span - 1` frames of
            the one before, so that no percept is lost between them.
        one_thread: as in `iter_frames`.

    Raises:
        InputError: as `iter_frames`; if there are less than `span` frames.
    """
    group: list[NDArray[Any]] = []
    chunks = 0
    for frame in iter_frames(path, frame_format, one_thread=one_thread):
        group.append(frame)
        if len(group) == _FRAMES_A_CHUNK + span - 1:
            yield np.stack(group)
            group = group[_FRAMES_A_CHUNK:]
            chunks += 1
    if len(group) >= span:
        yield np.stack(group)
    elif not chunks:
        raise InputError(
            f"Expected a video of at least {span} frames. Received: {path} with {len(group)}"
        )
