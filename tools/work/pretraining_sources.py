"""Sources of videos that a checkpoint has learned from without labels, or was chosen by."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from keras_videolstm.data.action_clips import expand_groups
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.training.recipe import Recipe
from keras_videolstm.training.run_folder import RECIPE
from keras_videolstm.zoo_folder import find_checkpoint

_MOST_NAMES = 5


def pretraining_sources(checkpoint: str) -> dict[str, str]:
    """Return the sources that a checkpoint's recipe trains or validates on, and the store of each.

    Those of the checkpoint that it began with are among them. A recipe that takes all of a store
    does not name its sources; a file or an address has no recipe.

    Example:
        >>> pretraining_sources("composite_youtube")["g16"]
        'ucf101_11.h5'
    """
    # A file or an address has none, and what a checkpoint began with may be gone.
    try:
        path = find_checkpoint(checkpoint) / RECIPE
    except InputError:
        return {}
    if not path.is_file():
        return {}
    recipe = Recipe.load(path)
    found = pretraining_sources(recipe.training.start) if recipe.training.start else {}
    return found | {
        group: Path(part.store).name
        for part in (*recipe.data.train, *recipe.data.validation)
        for group in {*part.groups, *expand_groups(part.groups, ())}
    }


def sources_seen(
    checkpoint: str, store: PerceptStore, videos: Sequence[int] | NDArray[Any]
) -> tuple[list[str], str]:
    """Return the sources of test videos whose names a checkpoint's recipe has, and a sentence.

    A name is no proof: other videos may have it, too. Where there is none, nothing is said.

    Example:
        >>> sources_seen("composite_youtube", PerceptStore("ucf.h5"), split.test)[0]
        ['g16', 'g22']
    """
    sources = pretraining_sources(checkpoint)
    seen = [video for video in videos if store.groups[video] in sources]
    names = sorted({store.groups[video] for video in seen})
    if not names:
        return [], ""
    stores = ", ".join(sorted({sources[name] for name in names}))
    more = ", ..." if len(names) > _MOST_NAMES else ""
    return names, (
        f"Of {store.count_clips(videos)} test clips, {store.count_clips(seen)} bear names of "
        f"sources that {checkpoint} has learned from without labels, or was chosen by "
        f"({', '.join(names[:_MOST_NAMES])}{more} of {stores}): if they are the same, they are "
        "not new to it."
    )
