"""The official splits of UCF-101 and HMDB-51."""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

DATA_SETS = ("ucf101", "hmdb51")
TRAIN, TEST, NEITHER = "train", "test", ""
_LIST = "hmdb51_splits.txt"
_PART = {"0": NEITHER, "1": TRAIN, "2": TEST}
_SPLITS = (1, 2, 3)
# UCF-101's lists follow a rule: of its 25 groups seven are for testing, the next seven in each
# split (g01 to g07, g08 to g14, g15 to g21).
_GROUP = re.compile(r"_g(\d\d)_c\d\d$")
_TEST_GROUPS = 7


def official_parts(data_set: str, videos: Sequence[str], split: int) -> NDArray[Any]:
    """Return which part of an official split each video belongs to.

    Args:
        data_set: `"ucf101"` or `"hmdb51"`.
        videos: paths that end in `class/video.avi`; another suffix than `.avi` does no harm.
        split: 1, 2 or 3.

    Returns:
        `"train"`, `"test"`, or `""` (in HMDB-51, of videos that a split leaves out), for each.

    Raises:
        InputError: if the data set or the split is unknown, or a video is not of that data set.

    Example:
        >>> official_parts("ucf101", ["Archery/v_Archery_g08_c02.avi"], split=1)
        array(['train'], dtype='<U5')
    """
    if data_set not in DATA_SETS or split not in _SPLITS:
        raise InputError(
            f"Expected one of {DATA_SETS}, and a split of {_SPLITS}. "
            f"Received: {data_set!r}, split={split!r}"
        )
    part = _part_in_ucf101 if data_set == "ucf101" else _part_in_hmdb51
    return np.array([part(PurePath(video), split) for video in videos], dtype="<U5")


def has_official_name(data_set: str, video: PurePath) -> bool:
    """Whether a file has a name of UCF-101 or HMDB-51.

    Example:
        >>> has_official_name("ucf101", PurePath("Archery/v_Archery_g08_c02.avi"))
        True
    """
    if data_set == "ucf101":
        return bool(_GROUP.search(video.stem))
    return f"{video.parent.name}/{video.stem}" in _hmdb51()


def _part_in_ucf101(video: PurePath, split: int) -> str:
    found = _GROUP.search(video.stem)
    if not found:
        raise InputError(
            f"Expected a video of UCF-101, such as v_Archery_g08_c02.avi. Received: {video}"
        )
    tested = range(_TEST_GROUPS * (split - 1) + 1, _TEST_GROUPS * split + 1)
    return TEST if int(found[1]) in tested else TRAIN


def _part_in_hmdb51(video: PurePath, split: int) -> str:
    parts = _hmdb51().get(f"{video.parent.name}/{video.stem}")
    if parts is None:
        raise InputError(f"Expected a video of HMDB-51, class/name.avi. Received: {video}")
    return _PART[parts[split - 1]]


@cache
def _hmdb51() -> dict[str, str]:
    """Return, by class/video, its parts in the three splits, a digit each."""
    text = (resources.files("keras_videolstm.data") / _LIST).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)
