"""From a recipe's data to what a VideoLSTM's `fit` takes."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_videolstm.data.action_clips import expand_groups
from keras_videolstm.data.moving_mnist import BLOCK, moving_mnist
from keras_videolstm.data.percept_kind import check_one_kind, kind_of
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.percept_windows import (
    StoreSelection,
    feature_statistics,
    percept_windows,
)
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.clip_parts import VALIDATION_SEED_SHIFT, clip_parts
from keras_videolstm.training.digit_parts import digit_parts
from keras_videolstm.training.drift_directions import drift_directions
from keras_videolstm.training.recipe import Recipe, StoreRecipe
from keras_videolstm.training.slow_directions import slow_directions

_OF_DIGITS = "moving digits"


class ClipSource:
    """The training stream and the fixed validation set of a recipe.

    Args:
        recipe: says which.
        data_root: folder that the stores' paths are relative to.
        mnist: for moving MNIST, as `load_digits` takes it.

    Attributes:
        fingerprint: a hash of what is learned from and validated on.

    Raises:
        InputError: if data is missing or does not fit the model, stores are of several kinds of
            percepts, or what validates or tests is learned from.

    Example:
        >>> source = ClipSource(Recipe.load("recipe.toml"), Path("data"))
        >>> inputs, targets = next(iter(source.training(first_step=0)))
    """

    def __init__(self, recipe: Recipe, data_root: Path, mnist: str | None = None) -> None:
        self._recipe = recipe
        self._length = recipe.model.input_steps + recipe.model.prediction_steps
        if recipe.data.kind == "percepts":
            self._train = [_selection(s, data_root) for s in recipe.data.train]
            self._validation = [_selection(s, data_root) for s in recipe.data.validation]
            self._test = [_selection(s, data_root) for s in recipe.data.test]
            self._check_features()
            self._check_kind()
            self._check_sources()
            self.fingerprint = _fingerprint([*self._train, *self._validation])
        else:
            digits = digit_parts(mnist)
            self.fingerprint = digits.fingerprint
            self.digits_source = digits.source
            self._train_digits = digits.train
            self._validation_digits = digits.validation

    def _check_features(self) -> None:
        expected = int(np.prod(self._recipe.model.frame_shape))
        for selection in (*self._train, *self._validation, *self._test):
            if selection.store.feature_dim != expected:
                raise InputError(
                    f"Expected percepts of {expected} features, as model.frame_shape says. "
                    f"Received: {selection.store.path} with {selection.store.feature_dim}"
                )

    def _check_kind(self) -> None:
        stores = [selection.store for selection in (*self._train, *self._validation, *self._test)]
        check_one_kind({str(store.path): store for store in stores})
        if self._recipe.model.activation != "sigmoid":
            return
        for store in stores:
            first = store.read(0)
            if first.min() < 0 or first.max() > 1:
                raise InputError(
                    f"Expected percepts from 0 to 1, as model.activation is 'sigmoid'; 'linear' is "
                    f"for others. Received: {store.path} with values from {first.min():g} to "
                    f"{first.max():g}"
                )

    def _check_sources(self) -> None:
        """What validates or tests must not be learned from: no source stands on both sides."""
        learned = set[tuple[Any, ...]]().union(*map(_sources, self._train))
        for selection in (*self._validation, *self._test):
            shared = sorted(_sources(selection) & learned)
            if shared:
                group, *_ = shared[0]
                raise InputError(
                    f"Expected sources to validate and test on that are not learned from. "
                    f"Received: {group} of {selection.store.path} in both parts"
                )

    def statistics(
        self, prepare: Callable[[NDArray[Any]], NDArray[Any]]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return mean and deviation of what is prepared of the training part's features.

        Both in the frame's shape.
        """
        shape = self._recipe.model.frame_shape
        parts = [(selection.store, selection.videos) for selection in self._train]
        mean, deviation = feature_statistics(parts, prepare)
        return mean.reshape(shape), deviation.reshape(shape)

    def slow_directions(self, model: VideoLSTM) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return the slow directions of the training part's videos, as the model sees them."""
        return slow_directions(self._clips_seen(model), model.slow_features)

    def drift_directions(self, model: VideoLSTM) -> NDArray[Any]:
        """Return the drift directions of the training part, read as often as the model does."""
        length = self._recipe.model.input_steps
        blocks = (
            clip[first : first + length]
            for clip in self._clips_seen(model)
            for first in range(0, len(clip), length)
        )
        return drift_directions(blocks, model.drift_features, model.drift.rate)

    def _clips_seen(self, model: VideoLSTM) -> Iterator[NDArray[Any]]:
        """Yield the training part's videos as the model sees them."""
        for selection in self._train:
            for video in selection.videos:
                clip = selection.store.read(video)
                if model.standardizer is not None:
                    clip = np.asarray(model.standardizer(clip[None]))[0]
                yield clip

    def describe(self) -> list[dict[str, float | str]] | str:
        """Return what the training part is made of, for cards and metadata."""
        if self._recipe.data.kind == "moving_mnist":
            return f"{_OF_DIGITS}: {self.digits_source}"
        described = []
        for selection, recipe in zip(self._train, self._recipe.data.train, strict=True):
            frames = int(selection.store.frame_counts[selection.videos].sum())
            fps = selection.store.metadata.get("fps")
            described.append(
                {
                    "store": Path(recipe.store).name,
                    "groups": ", ".join(recipe.groups) or "all",
                    "videos": len(selection.videos),
                    "frames": frames,
                    **({"minutes": round(frames / fps / 60, 1)} if fps else {}),
                }
            )
        return described

    def percept_settings(self) -> dict[str, float | str | None]:
        """Return how the percepts of the training part were made."""
        metadata = self._train[0].store.metadata
        return {"extractor": None, "fps": None, "fit": None, **kind_of(metadata)}

    def training(self, first_step: int) -> tf.data.Dataset[Any]:
        """Return the endless stream of `(inputs, targets)` batches from a step on."""
        first = first_step * self._recipe.training.batch_size
        if self._recipe.data.kind == "percepts":
            clips = percept_windows(
                self._train,
                self._length,
                seed=self._recipe.seed,
                batch_size=self._recipe.training.batch_size,
                first=first,
            )
        else:
            clips = self._digits_from(first)
        return self._as_batches(clips)

    def _digits_from(self, first: int) -> tf.data.Dataset[Any]:
        skipped = first % BLOCK
        clips = self._moving_mnist(self._train_digits, self._recipe.seed, first - skipped, None)
        if not skipped:
            return clips
        clips = clips.unbatch().skip(skipped)
        return clips.batch(self._recipe.training.batch_size, drop_remainder=True)

    def validation(self) -> tf.data.Dataset[Any]:
        """Return the fixed `(inputs, targets)` batches that validate."""
        if self._recipe.data.kind == "percepts":
            return self._as_batches(self.validation_windows())
        seed, count = (
            self._recipe.seed + VALIDATION_SEED_SHIFT,
            self._recipe.data.validation_windows,
        )
        return self._as_batches(self._moving_mnist(self._validation_digits, seed, 0, count))

    def scored_windows(self) -> tf.data.Dataset[Any]:
        """Return the fixed windows `(batch, time, features)` of percepts that a model is scored on.

        They are of the test part or, where the recipe names none, of the validation part.
        """
        return self._windows(self._test or self._validation)

    def validation_windows(self) -> tf.data.Dataset[Any]:
        """Return the fixed windows `(batch, time, features)` of percepts that validate."""
        return self._windows(self._validation)

    def _windows(self, part: list[StoreSelection]) -> tf.data.Dataset[Any]:
        return percept_windows(
            part,
            self._length,
            seed=self._recipe.seed + VALIDATION_SEED_SHIFT,
            batch_size=self._recipe.training.batch_size,
            count=self._recipe.data.validation_windows,
        )

    def _moving_mnist(
        self, digits: NDArray[Any], seed: int, first: int, count: int | None
    ) -> tf.data.Dataset[Any]:
        return moving_mnist(
            digits,
            seed=seed,
            batch_size=self._recipe.training.batch_size,
            steps=self._length,
            digits_per_frame=self._recipe.data.digits_per_frame,
            speed=self._recipe.data.speed,
            first=first,
            count=count,
        )

    def _as_batches(self, clips: tf.data.Dataset[Any]) -> tf.data.Dataset[Any]:
        return clips.map(self._parts).prefetch(tf.data.AUTOTUNE)

    def _parts(self, clip: tf.Tensor) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        model = self._recipe.model
        return clip_parts(tf.reshape(clip, (-1, clip.shape[1], *model.frame_shape)), model)


def is_of_digits(metadata: Mapping[str, Any]) -> bool:
    """Whether a checkpoint has learned from moving digits alone, as its metadata has it.

    Example:
        >>> is_of_digits({"data": "moving digits: MNIST"})
        True
    """
    return str(metadata.get("data")).startswith(_OF_DIGITS)


def _sources(selection: StoreSelection) -> set[tuple[str, str, int]]:
    """Return the sources, and the clips, which another store may hold too, as of other crops."""
    store, videos = selection.store, selection.videos
    path = str(store.path.resolve())
    clips = zip(
        store.groups[videos], store.names[videos], store.frame_counts[videos].tolist(), strict=True
    )
    return {(group, path, 0) for group in store.groups[videos]} | set(clips)


def _fingerprint(selections: Sequence[StoreSelection]) -> str:
    """Return a hash of which videos they are, and of the percepts of the first."""
    found = hashlib.sha256()
    for selection in selections:
        store, videos = selection.store, selection.videos
        for each in (store.groups[videos], store.names[videos], store.frame_counts[videos]):
            found.update(json.dumps(each.tolist()).encode())
        found.update(store.read(int(videos[0])).tobytes())
    return found.hexdigest()


def _selection(recipe: StoreRecipe, data_root: Path) -> StoreSelection:
    path = data_root / recipe.store
    if not path.exists():
        raise InputError(
            f"Expected the recipe's percept store {recipe.store} in the folder {data_root} "
            f"(--root names another). Received: {path}, which does not exist"
        )
    store = PerceptStore(path)
    return StoreSelection(store, expand_groups(recipe.groups, store.groups.tolist()) or None)
