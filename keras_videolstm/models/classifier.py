"""An action classifier over an encoder."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.blocks import BLOCK_STEPS, BLOCK_STRIDE, PADDING, refuse_padding, video_blocks
from keras_videolstm.errors import InputError
from keras_videolstm.layers import (
    Convolution,
    DriftFeatures,
    FrameStandardizer,
    SlowFeatures,
    VideoEncoder,
)
from keras_videolstm.layers.frozen_parts import freeze_among, frozen_among, present
from keras_videolstm.models.features_read import features_read, joined
from keras_videolstm.models.frames import checked_clips, checked_steps
from keras_videolstm.models.keywords import check_keywords
from keras_videolstm.models.video_lstm import VideoLSTM


def standardization_of(model: VideoLSTM) -> str:
    """Return the kind of `FrameStandardizer` by which a classifier reads frames as a model does.

    Example:
        >>> standardization_of(VideoLSTM("composite", (3,), units=[8], standardize="root"))
        'root'
    """
    # Channels are told apart by their places, and a classifier's percepts are vectors.
    roots = model.standardizer is not None and model.standardizer.kind == "root"
    return "root" if roots else "feature"


@keras.saving.register_keras_serializable(package="keras_videolstm")
class ActionClassifier(keras.Model):
    """A `VideoEncoder` and a softmax at every step (paper, section 3.1), as a functional model.

    Args:
        feature_dim: length of one percept.
        class_names: names of the classes, in the order of the outputs.
        units: number of units of each encoder layer, lowest first; none at all makes a classifier
            of single frames, the paper's logistic regression.
        dropout: rate between encoder layers and before the softmax, never through time; default 0.
        peepholes: as in `PeepholeLSTMCell`; default `True`.
        standardize: kind of `FrameStandardizer`; default `"feature"`.
        normalize: whether the softmax reads features of one size, each step and each kind of
            features by itself, so that no clip counts for more than another by the size of its
            features, and no kind by their number; default `False`.
        skip: whether the softmax reads, beside the encoder's output, what the encoder reads, and
            the standardised percepts; default `False`, as in the paper.
        skip_slow: whether that takes in slow features; default `True`. They are a linear map of the
            percepts, which a softmax can find by itself; with `False` it reads but the changes.
        slow_features: the encoder reads so many `SlowFeatures` of percepts, and as many of how much
            they change, in place of percepts; default 0.
        drift_features: the encoder reads so many `DriftFeatures` beside them; default 0.
        drift_rate: the rate of their running mean; default 0.02.
        standardize_state: whether the softmax reads the encoder's output standardised unit by unit,
            by statistics that are set with `state_standardizer.set_statistics`; default `False`.
        frame_shape: `(height, width, channels)` of the frames whose values, row by row, percepts
            are; a convolution needs it. Default `None`: `(feature_dim,)`.
        convolution: as in `VideoEncoder`, whose maps of a step the softmax reads as one vector;
            default `None`.

    Call arguments:
        inputs: percepts `(batch, time, feature_dim)`; a frame whose every value is -1 is padding
            and leaves no trace.

    Output shape:
        A dict, float32: `"steps"` `(batch, time, classes)`, the probabilities at each step, and
        `"action"` `(batch, classes)`, their mean over time.

    Raises:
        ValueError: if there are fewer than two classes or two of one name, `frame_shape` does not
            go with `feature_dim` or the convolution, or a convolution has no units or is to read
            slow or drift features.

    Example:
        >>> classifier = ActionClassifier(1280, ["run", "walk"], units=(256, 256))
        >>> classifier.classify(np.random.rand(90, 1280)).shape
        (2,)
    """

    def __init__(
        self,
        feature_dim: int,
        class_names: Sequence[str],
        units: Sequence[int] = (256, 256),
        dropout: float = 0.0,
        peepholes: bool = True,
        standardize: str = "feature",
        normalize: bool = False,
        skip: bool = False,
        skip_slow: bool = True,
        slow_features: int = 0,
        drift_features: int = 0,
        drift_rate: float = 0.02,
        standardize_state: bool = False,
        frame_shape: Sequence[int] | None = None,
        convolution: Convolution | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        class_names = list(class_names)
        frame_shape = (feature_dim,) if frame_shape is None else tuple(frame_shape)
        convolution = Convolution.of(convolution)
        if len(class_names) < 2 or len(set(class_names)) != len(class_names):
            raise ValueError(
                f"Expected at least two classes of different names. "
                f"Received: class_names={class_names}"
            )
        if math.prod(frame_shape) != feature_dim:
            raise ValueError(
                f"Expected a frame_shape whose sides multiply to feature_dim={feature_dim}. "
                f"Received: frame_shape={frame_shape}"
            )
        if convolution is not None and (slow_features or drift_features or not units):
            raise ValueError(
                f"Expected units with a convolution, and no slow or drift features, which have no "
                f"places. Received: units={list(units)}, slow_features={slow_features}, "
                f"drift_features={drift_features}"
            )
        dtype = kwargs.pop("dtype", None)
        check_keywords("ActionClassifier", kwargs)

        # --- Layers ---
        standardizer = FrameStandardizer((feature_dim,), standardize, name="standardizer")
        slow = SlowFeatures(feature_dim, slow_features, name="slow") if slow_features else None
        drift = None
        if drift_features:
            drift = DriftFeatures(feature_dim, drift_features, drift_rate, name="drift")
        encoder = state_standardizer = None
        if units:
            encoder = VideoEncoder(
                units,
                dropout=dropout,
                peepholes=peepholes,
                convolution=convolution,
                name="encoder",
                dtype=dtype,
            )
        # In float32 whatever the global policy is: percepts are rounded once standardised at most.
        masking = keras.layers.Masking(PADDING, name="masking", dtype="float32")
        head_dropout = keras.layers.Dropout(dropout, name="head_dropout", dtype="float32")
        # From zero, what few labels do not speak of stays at zero, and is not noise.
        head = keras.layers.Dense(
            len(class_names),
            activation="softmax",
            kernel_initializer="zeros",
            dtype="float32",
            name="steps",
        )

        # --- Functional model ---
        frames = keras.Input((None, feature_dim), name="frames")
        percepts = standardizer(masking(frames))
        read = features_read(percepts, slow, drift)
        # What the softmax reads, and of how many kinds of features each part is.
        parts = list(zip(read, [1 if slow is None else 2, 1], strict=False))
        if skip and slow is not None:
            if not skip_slow:
                parts[0] = (read[0][..., slow_features:], 1)
            parts.insert(0, (percepts, 1))
        if encoder is not None:
            state = _encoded(encoder, joined(read), frame_shape)
            if standardize_state:
                state_standardizer = FrameStandardizer(state.shape[2:], name="state_standardizer")
                state = state_standardizer(state)
            parts = [*parts * skip, (state, 1)]
        features = [part for part, _ in parts]
        if normalize:
            size = math.sqrt(feature_dim / sum(kinds for _, kinds in parts))
            features = [_OneSize(kinds, size, dtype="float32")(part) for part, kinds in parts]
        seen = features[0]
        if len(features) > 1:
            seen = keras.layers.Concatenate(name="skip", dtype="float32")(features)
        steps = head(head_dropout(seen))
        action = keras.layers.GlobalAveragePooling1D(name="action", dtype="float32")(steps)
        super().__init__(inputs=frames, outputs={"steps": steps, "action": action}, **kwargs)

        # --- Config ---
        self.feature_dim = feature_dim
        self.class_names = class_names
        self.units = list(units)
        self.dropout = dropout
        self.peepholes = peepholes
        self.normalize = normalize
        self.skip = skip
        self.skip_slow = skip_slow
        self.slow_features = slow_features
        self.drift_features = drift_features
        self.drift_rate = drift_rate
        self.standardize_state = standardize_state
        self.frame_shape = frame_shape
        self.convolution = convolution
        self.standardizer = standardizer
        self.slow = slow
        self.drift = drift
        self.encoder = encoder
        self.state_standardizer = state_standardizer
        self.head = head

    @classmethod
    def from_video_lstm(
        cls, model: VideoLSTM, class_names: Sequence[str], dropout: float = 0.0, **kwargs: Any
    ) -> "ActionClassifier":
        """Make a classifier that starts from a model's encoder and standardisation.

        Args:
            model: of frames of any shape, which the classifier reads as vectors, in [0, 1] where
                they are pixels; its decoders are not used.
            class_names: names of the classes.
            dropout: as in the class.

        Example:
            >>> model = VideoLSTM("composite", (3,), units=[8], activation="linear")
            >>> ActionClassifier.from_video_lstm(model, ["run", "walk"]).units
            [8]
        """
        new = cls(
            math.prod(model.frame_shape),
            class_names,
            units=model.units,
            dropout=dropout,
            peepholes=model.peepholes,
            standardize=standardization_of(model),
            slow_features=model.slow_features,
            drift_features=model.drift_features,
            frame_shape=model.frame_shape,
            convolution=model.convolution,
            **({} if model.drift is None else {"drift_rate": model.drift.rate}),
            **kwargs,
        )
        for name in ("slow", "drift", "encoder"):
            if (layer := getattr(model, name)) is not None:
                getattr(new, name).set_weights(layer.get_weights())
        if model.standardizer is not None:
            statistics = [np.reshape(w, -1) for w in model.standardizer.get_weights()]
            new.standardizer.set_weights(statistics)
        return new

    def with_classes(self, class_names: Sequence[str]) -> "ActionClassifier":
        """Return a classifier of other classes: encoder kept, also what is frozen; head replaced.

        Example:
            >>> classifier = ActionClassifier(3, ["run", "walk"], units=[8])
            >>> classifier.with_classes(["jump", "kick", "wave"]).class_names
            ['jump', 'kick', 'wave']
        """
        config = {**self.get_config(), "class_names": list(class_names)}
        # The new head has yet to learn.
        config["frozen"] = [name for name in config.get("frozen", ()) if name != "head"]
        new = type(self).from_config(config)
        for name in ("standardizer", "slow", "drift", "encoder", "state_standardizer"):
            if (layer := getattr(self, name)) is not None:
                getattr(new, name).set_weights(layer.get_weights())
        return new

    def classify(
        self, percepts: Any, block_steps: int = BLOCK_STEPS, stride: int = BLOCK_STRIDE
    ) -> NDArray[Any]:
        """Return the probabilities `(classes,)` of one video of any length.

        They are averaged over the steps of a block and over all blocks (paper, section 3.1).

        Args:
            percepts: `(time, feature_dim)`.
            block_steps: frames a block; default 16.
            stride: frames from block to block; default 8.

        Raises:
            InputError: on a wrong shape, more than one video, NaN, a frame of -1 in every feature,
                as padding is, or a number of frames that is not positive.

        Example:
            >>> ActionClassifier(3, ["run", "walk"], units=[8]).classify(np.zeros((5, 3))).sum()
            1.0
        """
        return self.classify_blocks(percepts, block_steps, stride).mean(axis=0)

    def classify_blocks(
        self, percepts: Any, block_steps: int = BLOCK_STEPS, stride: int = BLOCK_STRIDE
    ) -> NDArray[Any]:
        """Return the probabilities `(blocks, classes)` of each block; arguments as `classify`."""
        clip, single = checked_clips(percepts, (self.feature_dim,), "linear")
        if not single and len(clip) > 1:
            raise InputError(
                f"Expected one video (time, {self.feature_dim}). Received: shape={clip.shape}"
            )
        refuse_padding(clip)
        blocks = video_blocks(
            clip[0], checked_steps(block_steps, "block_steps"), checked_steps(stride, "stride")
        )
        return self.predict(blocks, verbose=0)["action"]

    def label(self, probabilities: Iterable[float]) -> str:
        """Return the name of the likeliest class.

        Example:
            >>> ActionClassifier(3, ["run", "walk"], units=[8]).label([0.1, 0.9])
            'walk'
        """
        return self.class_names[int(np.argmax(list(probabilities)))]

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """The layers that have weights, by name."""
        return present(
            standardizer=self.standardizer,
            slow=self.slow,
            drift=self.drift,
            encoder=self.encoder,
            state_standardizer=self.state_standardizer,
            head=self.head,
        )

    def get_config(self) -> dict[str, Any]:
        """Return all arguments, and which parts of a classifier that learns are frozen."""
        frozen = frozen_among(self.parts) if self.trainable else []
        dtype = self.encoder.dtype_policy.name if self.encoder is not None else "float32"
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype,
            "feature_dim": self.feature_dim,
            "class_names": self.class_names,
            "units": self.units,
            "dropout": self.dropout,
            "peepholes": self.peepholes,
            "standardize": self.standardizer.kind,
            "normalize": self.normalize,
            "skip": self.skip,
            "skip_slow": self.skip_slow,
            "slow_features": self.slow_features,
            "drift_features": self.drift_features,
            "drift_rate": self.drift_rate,
            "standardize_state": self.standardize_state,
            "frame_shape": list(self.frame_shape),
            "convolution": self.convolution and self.convolution.to_config(),
            **({"frozen": frozen} if frozen else {}),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "ActionClassifier":
        """Make the classifier from `get_config`'s result."""
        config = dict(config)
        frozen = config.pop("frozen", ())
        model = cls(**config)
        freeze_among(model.parts, frozen)
        return model


def _encoded(encoder: VideoEncoder, read: Any, frame_shape: Sequence[int]) -> Any:
    """Return an encoder's output at each step as a vector, of maps too."""
    if encoder.convolution is None:
        return encoder(read)[0]
    maps, _ = encoder(_EachStep(frame_shape, dtype="float32")(read))
    return _EachStep((math.prod(maps.shape[2:]),), dtype="float32")(maps)


class _EachStep(keras.layers.Layer):
    """Gives what there is at each step another shape."""

    def __init__(self, shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._shape = tuple(shape)

    def call(self, steps: Any) -> Any:
        batch, time = keras.ops.shape(steps)[:2]
        return keras.ops.reshape(steps, (batch, time, *self._shape))


class _OneSize(keras.layers.Layer):
    """Gives each kind of features of a step, one behind the other, the same Euclidean norm."""

    def __init__(self, kinds: int, size: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._kinds, self._size = kinds, size

    def call(self, features: Any) -> Any:
        parts = keras.ops.split(features, self._kinds, axis=-1)
        return self._size * keras.ops.concatenate(
            [keras.ops.normalize(part, axis=-1) for part in parts], axis=-1
        )
