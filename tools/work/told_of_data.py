"""What a person should know of labelled percepts before a classifier is trained on them."""

import click
import numpy as np

from keras_videolstm.blocks import BLOCK_STEPS
from keras_videolstm.data.action_clips import is_its_own_source
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm_tools.counted import counted


def tell_of_data(store: PerceptStore, test_store: PerceptStore | None) -> None:
    """Say on standard error what may make a classifier, or its test, worth less than it seems.

    That is where nothing but files' names tells the sources, where clips are shorter than a block,
    and where a source of test videos is trained on.

    Args:
        store: percepts to train on.
        test_store: percepts to test on; `None` if they are part of `store`.

    Example:
        >>> tell_of_data(PerceptStore("ucf.h5"), None)
    """
    _tell_sources(store)
    _tell_short_clips(store)
    if test_store is not None:
        _tell_shared_sources(store, test_store)


def _tell_sources(store: PerceptStore) -> None:
    if all(map(is_its_own_source, store.names, store.groups)):
        clips, sources = store.count_clips(range(len(store))), len(set(store.groups))
        click.echo(
            f"{clips:,} clips count as {sources:,} sources, by their files' names: where several "
            "show one scene or person, name it in a CSV (path,label,group), so that none is both "
            "trained and tested on.",
            err=True,
        )


def _tell_short_clips(store: PerceptStore) -> None:
    short = np.flatnonzero(store.frame_counts < BLOCK_STEPS)
    if len(short):
        clips, every = store.count_clips(short), store.count_clips(range(len(store)))
        click.echo(
            f"{counted(clips, 'clip')} of {every:,} last less than a block of {BLOCK_STEPS} "
            f"frames; the shortest has {store.frame_counts.min()}.",
            err=True,
        )


def _tell_shared_sources(store: PerceptStore, test_store: PerceptStore) -> None:
    of_test = zip(test_store.names, test_store.groups, strict=True)
    told = {group for name, group in of_test if not is_its_own_source(name, group)}
    shared = sorted(told & set(store.groups))
    if shared:
        click.echo(
            f"{counted(len(shared), 'source')} of test videos, such as {shared[0]}, bear the name "
            "of one that is trained on: if they are the same, the test is not of new ones.",
            err=True,
        )
