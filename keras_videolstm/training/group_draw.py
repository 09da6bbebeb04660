"""Sources dealt to training, validation and test parts at random, alike much of each class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError

_SHARE = 5  # a fifth of each class's sources in each part that is drawn
_MOST, _LEAST = 2.0, 0.5  # times a fifth of a class's videos, where its sources allow it


class GroupDraw:
    """Deals sources (groups) to parts; one source may occur in many classes.

    A part gets a fifth of each class's sources, at least one. Where sources differ in size, or are
    shared by classes as in HMDB-51, that may be most of a class or next to nothing: sources are
    passed over that would give a part more than two fifths of a class's videos, and more are dealt
    while it has less than a tenth.

    Args:
        groups: of the videos, `(videos,)`.
        labels: of the videos, `(videos,)`.
        class_names: by label.
        part_of: parts that groups have already.

    Attributes:
        part_of: the part of each group.

    Example:
        >>> draw = GroupDraw(store.groups, store.labels, store.class_names, {})
        >>> draw.deal(["validation"], np.random.default_rng(0))
        >>> draw.part_of["g08"]
        'train'
    """

    def __init__(
        self,
        groups: NDArray[Any],
        labels: NDArray[Any],
        class_names: Sequence[str],
        part_of: Mapping[str, str],
    ) -> None:
        self.part_of = dict(part_of)
        names, numbers = np.unique(groups, return_inverse=True)
        counts = np.zeros((len(names), len(class_names)), int)
        np.add.at(counts, (numbers, labels), 1)
        self._videos = dict(zip(names.tolist(), counts, strict=True))
        self._all_videos = counts.sum(axis=0)
        self._of_class = {
            name: [group for group, count in self._videos.items() if count[number]]
            for number, name in enumerate(class_names)
        }

    def deal(self, wanted: Sequence[str], rng: np.random.Generator) -> None:
        """Give each group that has no part yet one of `wanted`, or the training part.

        Args:
            wanted: names of the parts that are drawn.
            rng: draws.

        Raises:
            InputError: if a class has too few sources for all parts.

        Example:
            >>> draw.deal(["test", "validation"], np.random.default_rng(0))
        """
        # Those with few come first, before what they share is dealt for others.
        order = sorted(enumerate(self._of_class), key=lambda item: len(self._of_class[item[1]]))
        for number, name in order:
            self._deal_class(number, name, wanted, rng)
        for name, groups in self._of_class.items():
            dealt = {self.part_of[group] for group in groups}
            missing = [part for part in wanted if part not in dealt]
            if groups and missing:
                raise InputError(
                    f"Expected sources of the class {name!r} in the {missing[0]} part. Received: "
                    f"all of them ({', '.join(groups[:5])}), which other classes share, in "
                    f"{' and '.join(sorted(dealt))}; test and validation groups can be named"
                )

    def _deal_class(
        self, number: int, name: str, wanted: Sequence[str], rng: np.random.Generator
    ) -> None:
        groups = self._of_class[name]
        free = [group for group in groups if group not in self.part_of]
        if not free:
            return
        share = max(1, len(groups) // _SHARE)
        present = [self.part_of[group] for group in groups if group in self.part_of]
        missing = {part: max(share - present.count(part), 0) for part in wanted}
        if len(free) <= sum(missing.values()) and "train" not in present:
            raise InputError(
                f"Expected at least {1 + len(wanted)} sources of the class {name!r}, one for each "
                f"part. Received: {len(groups)} ({', '.join(groups[:5])}); sources are named in a "
                f"CSV's group column"
            )
        rng.shuffle(free)
        spare = len(free) - sum(missing.values()) - ("train" not in present)
        for part, count in missing.items():
            spare = self._deal_part(number, part, count, spare, free)
        self.part_of.update(dict.fromkeys(free, "train"))

    def _deal_part(self, number: int, part: str, count: int, spare: int, free: list[str]) -> int:
        """Take groups out of `free` for a part; return how many are still to spare."""
        taken, fifth = 0, self._all_videos / _SHARE
        while free:
            held = self._videos_of(part)
            fitting = [g for g in free if np.all(held + self._videos[g] <= _MOST * fifth)]
            is_little = held[number] < _LEAST * fifth[number]
            if taken >= count and not (is_little and fitting and spare > 0):
                break
            group = (fitting or free)[0]
            free.remove(group)
            self.part_of[group] = part
            spare -= taken >= count
            taken += 1
        return spare

    def _videos_of(self, part: str) -> NDArray[Any]:
        """Return how many videos of each class a part has."""
        groups = [group for group in self._videos if self.part_of.get(group) == part]
        return sum((self._videos[group] for group in groups), np.zeros_like(self._all_videos))
