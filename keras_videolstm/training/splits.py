"""Labelled videos into training, validation and test parts, sources never shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.data.official_splits import TEST, TRAIN, official_parts
from keras_videolstm.data.order_controls import original_names
from keras_videolstm.data.percept_store import UNLABELLED, PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.training.group_draw import GroupDraw


@dataclass(frozen=True)
class Split:
    """Numbers of the videos of each part.

    Attributes:
        train: videos that weights are learned from.
        validation: videos that choose when to stop.
        test: videos that are scored once, at the end; may be empty.
    """

    train: NDArray[Any]
    validation: NDArray[Any]
    test: NDArray[Any]


def split_by_group(
    store: PerceptStore,
    *,
    seed: int,
    test_groups: Sequence[str] = (),
    validation_groups: Sequence[str] = (),
    with_test: bool = True,
) -> Split:
    """Split a store so that no source stands on two sides.

    Parts whose groups are not named get a fifth of each class's sources, at least one, drawn by
    `seed`; training gets the rest.

    Args:
        store: labelled percepts.
        seed: of the draw.
        test_groups: groups to test on.
        validation_groups: groups to validate on.
        with_test: whether a test part is wanted where no test groups are named.

    Raises:
        InputError: if there are no labels, a class has no videos, or too few sources.

    Example:
        >>> split = split_by_group(
        ...     PerceptStore("ucf.h5"), seed=1, test_groups=("g08",), validation_groups=("g13",)
        ... )
    """
    labelled = _labelled(store)
    part_of: dict[str, str] = {}
    shared = sorted(set(test_groups) & set(validation_groups))
    if shared:
        raise InputError(
            f"Expected test groups that are not validation groups. Received: {shared[0]} in both"
        )
    store.videos_of_groups(tuple(test_groups) + tuple(validation_groups))
    part_of.update(dict.fromkeys(validation_groups, "validation"))
    part_of.update(dict.fromkeys(test_groups, "test"))
    wanted = [
        part
        for part, given in (("test", test_groups), ("validation", validation_groups))
        if not given and (with_test or part != "test")
    ]
    parts = _draw_groups(store, labelled, wanted, part_of, seed)
    split = Split(*(labelled[parts == part] for part in ("train", "validation", "test")))
    _check_training_part(store, split)
    return split


def official_split(store: PerceptStore, data_set: str, number: int, *, seed: int) -> Split:
    """Return an official split of UCF-101 or HMDB-51, validation cut from its training part.

    Validation gets a fifth of each class's sources, drawn by `seed` as in `GroupDraw`; the official
    test part stays as it is, and videos that a split of HMDB-51 leaves out are in no part.

    Args:
        store: percepts of the data set, or of some of its videos.
        data_set: `"ucf101"` or `"hmdb51"`.
        number: 1, 2 or 3.
        seed: of the draw.

    Raises:
        InputError: if there are no labels, a video is not of the data set, or a part or a class has
            no video.

    Example:
        >>> split = official_split(PerceptStore("ucf101.h5"), "ucf101", 1, seed=0)
        >>> len(split.train) + len(split.validation), len(split.test)
        (9537, 3783)
    """
    labelled = _labelled(store)
    parts = official_parts(data_set, list(store.names[labelled]), number)
    candidates, tested = labelled[parts == TRAIN], labelled[parts == TEST]
    if not len(candidates) or not len(tested):
        raise InputError(
            f"Expected videos of both parts of split {number} of {data_set}. Received: "
            f"{store.path} with {len(candidates)} to train and {len(tested)} to test on"
        )
    drawn = _draw_groups(store, candidates, ["validation"], {}, seed)
    split = Split(candidates[drawn == "train"], candidates[drawn == "validation"], tested)
    _check_training_part(store, split)
    return split


def split_of_control(control: PerceptStore, store: PerceptStore, split: Split) -> Split:
    """Return the split of a control of order in which each version stands where its video stands.

    Args:
        control: written by `write_order_control`.
        store: what it was made from.
        split: of `store`.

    Example:
        >>> control = write_order_control(store, "direction.h5", "direction")
        >>> split_of_control(control, store, split_by_group(store, seed=0))
    """
    names = original_names(control)
    parts = (split.train, split.validation, split.test)
    return Split(*(np.flatnonzero(np.isin(names, store.names[part])) for part in parts))


def _labelled(store: PerceptStore) -> NDArray[Any]:
    labelled = np.flatnonzero(store.labels != UNLABELLED)
    if not len(labelled) or len(store.class_names) < 2:
        raise InputError(
            f"Expected labelled videos of at least two classes. "
            f"Received: {store.path} with the classes {', '.join(store.class_names) or '(none)'}"
        )
    present = set(store.labels[labelled])
    missing = [name for number, name in enumerate(store.class_names) if number not in present]
    if missing:
        raise InputError(
            f"Expected a video of every class that can be read. Received: {store.path} with none "
            f"of {', '.join(missing)}"
        )
    return labelled


def _draw_groups(
    store: PerceptStore,
    labelled: NDArray[Any],
    wanted: Sequence[str],
    part_of: Mapping[str, str],
    seed: int,
) -> NDArray[Any]:
    """Return the part of each labelled video, of groups that have none yet by a draw."""
    groups, labels = store.groups[labelled], store.labels[labelled]
    draw = GroupDraw(groups, labels, store.class_names, part_of)
    draw.deal(wanted, np.random.default_rng(seed))
    return np.array([draw.part_of[group] for group in groups])


def _check_training_part(store: PerceptStore, split: Split) -> None:
    present = set(store.labels[split.train])
    missing = [name for number, name in enumerate(store.class_names) if number not in present]
    if missing:
        raise InputError(
            f"Expected every class in the training part. Received: none of {', '.join(missing)}"
        )


def draw_shots(store: PerceptStore, split: Split, shots: int, seed: int) -> Split:
    """Keep `shots` clips a class of the training and of the validation part, drawn by `seed`.

    All views of a clip are kept. Validation shrinks too: who has few labels has few to validate
    with. The test part stays.

    Raises:
        InputError: if `shots` is not positive.

    Example:
        >>> small = draw_shots(store, split, shots=4, seed=1)
    """
    if shots < 1:
        raise InputError(f"Expected at least one video a class. Received: shots={shots}")
    rng = np.random.default_rng((seed, shots))
    return Split(
        _drawn(store, split.train, shots, rng),
        _drawn(store, split.validation, shots, rng),
        split.test,
    )


def _drawn(
    store: PerceptStore, videos: NDArray[Any], shots: int, rng: np.random.Generator
) -> NDArray[Any]:
    drawn = []
    for number in np.unique(store.labels[videos]):
        of_class = videos[store.labels[videos] == number]
        clips = store.clips_of(of_class)
        count = clips.max() + 1
        kept = rng.choice(count, min(shots, count), replace=False)
        drawn.append(of_class[np.isin(clips, kept)])
    return np.sort(np.concatenate(drawn)) if drawn else videos
