"""Percept stores as options name them: `percepts.h5`, or `percepts.h5:g08-g12,g20`."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_videolstm.data.action_clips import expand_groups
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_windows import StoreSelection
from keras_videolstm.data.store_files import is_sharded_store
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.recipe import StoreRecipe
from keras_videolstm_tools.work.labelled_percepts import settings_of


def named_store(text: str) -> StoreRecipe:
    """Return the store that an option names, and the groups to take of it."""
    path, colon, groups = text.rpartition(":")
    if not colon:
        return StoreRecipe(text)
    names = [name.strip() for name in groups.split(",") if name.strip()]
    return StoreRecipe(path, names)


def is_named_store(text: str) -> bool:
    """Whether an option names a percept store."""
    path = named_store(text).store
    return path.endswith(".h5") or is_sharded_store(path)


def opened_store(
    text: str, model: VideoLSTM, percepts: Mapping[str, Any] | None = None
) -> StoreSelection:
    """Return the store and groups that an option names, of percepts that a model reads.

    Where a checkpoint says how its percepts were made, others are told, or refused.
    """
    named = named_store(text)
    store = PerceptStore(Path(named.store))
    features = math.prod(model.frame_shape)
    if store.feature_dim != features:
        raise InputError(
            f"Expected percepts of {features} features, which the model reads. "
            f"Received: {named.store} with {store.feature_dim}"
        )
    if percepts:
        settings_of(store, percepts)
    return StoreSelection(store, expand_groups(named.groups, store.groups.tolist()) or None)
