"""The paper's models: autoencoder, future predictor, composite."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_videolstm.choices import BASES, CONDITIONAL, VARIANTS
from keras_videolstm.errors import InputError
from keras_videolstm.layers import (
    ConditionalDecoder,
    Convolution,
    DriftFeatures,
    FrameStandardizer,
    FrameTraces,
    SlowFeatures,
    VideoEncoder,
)
from keras_videolstm.layers.encoder import State
from keras_videolstm.layers.frozen_parts import freeze_among, frozen_among, present
from keras_videolstm.models.features_read import features_read, joined
from keras_videolstm.models.frames import (
    checked_clips,
    checked_steps,
    restored_frames,
    scaled_pixels,
)
from keras_videolstm.models.keywords import check_keywords
from keras_videolstm.models.video_stream import VideoStream


class _Companions:
    """Models that share this model's layers, kept where Keras does not count them as its own.

    And trackers of losses, kept where Keras does not write them into weight files.
    """

    def __init__(self) -> None:
        self.models: dict[Any, keras.Model] = {}
        self.trackers: dict[str, keras.metrics.Mean] = {}


@keras.saving.register_keras_serializable(package="keras_videolstm")
class VideoLSTM(keras.Model):
    """Encoder and decoder LSTMs over video (paper, sections 2.2 to 2.4), a functional model.

    The encoder reads the input frames; the `reconstruction` decoder writes them again, last frame
    first, and the `prediction` decoder writes the frames that follow. A conditional variant feeds
    frames to one decoder: the predicting one, or in the autoencoder the reconstructing one.

    Args:
        variant: `"autoencoder"`, `"future_predictor"` or `"composite"`, or one of them with
            `"conditional_"` before it.
        frame_shape: shape of a frame, such as `(1280,)` or `(64, 64, 1)`.
        units: number of units of each layer, lowest first; the paper's is `(2048, 2048)`.
        prediction_steps: frames that the prediction decoder writes in training; default 10.
        activation: `"sigmoid"` for pixels in [0, 1], `"linear"` for features.
        standardize: standardise features on the way in; losses are then in units of the standard
            deviation, and the verbs give features back as they came. `True` is each feature by
            itself; or a kind of `FrameStandardizer`: `"channel"` or `"root"`. Default `False`;
            the statistics are set with `set_statistics`.
        slow_features: the encoder reads so many `SlowFeatures` of frames, and as many of how much
            they change, in place of the (standardised) frames that the decoders write. Default 0:
            it reads the frames. The directions are set with `slow.set_directions`.
        drift_features: the encoder also reads so many `DriftFeatures`: how far a frame lies from
            the trace of the lowest rate of `trace_rates`, which must be there. Default 0. The
            directions are set with `drift.set_directions`.
        trace_rates: rates of `FrameTraces` of the (standardised) frames read, from which, beside
            its own state, each decoder writes: what stays as it was need not pass through the
            state. For vectors of linear features. Default none, as in the paper.
        dropout: rate between layers, never through time; default 0.
        peepholes: as in `PeepholeLSTMCell`; default `True`.
        cell_arguments: further arguments of `PeepholeLSTMCell` (initialisers); default none.
        convolution: a `Convolution`, or its fields as a dict: every layer runs over feature maps,
            with `units` filters. Default `None`: fully connected layers, as in the paper.

    Call arguments:
        inputs: `{"frames": (batch, time, *frame_shape)}`, and for a conditional prediction in
            training also `"future": (batch, prediction_steps, *frame_shape)`.
        training: teacher forcing if `True`, else each decoder runs on its own frames.

    Output shape:
        A dict with exactly the variant's own keys, float32, in forward order of time:
        `"reconstruction"` `(batch, time, *frame_shape)` and `"prediction"`
        `(batch, prediction_steps, *frame_shape)`.

    Pixels may come as uint8: they are scaled to [0, 1] in the graph, and so are targets.

    `fit` and `evaluate` take targets as a dict with the same keys. `evaluate` reports the loss of
    free-running outputs as `prediction_loss` and, in conditional variants, that of teacher-forced
    ones as `prediction_forced_loss` (likewise `reconstruction_...`).

    Raises:
        ValueError: if the variant is unknown or a number is not positive.

    Example:
        >>> model = VideoLSTM("composite", (64, 64, 1), units=(256, 256))
        >>> clip = np.random.rand(1, 10, 64, 64, 1)
        >>> model.encode(clip).shape, model.forecast(clip, steps=30).shape
        ((1, 256), (1, 30, 64, 64, 1))
    """

    def __init__(
        self,
        variant: str,
        frame_shape: Sequence[int],
        units: Sequence[int] = (2048, 2048),
        prediction_steps: int = 10,
        activation: str = "sigmoid",
        standardize: bool | str = False,
        dropout: float = 0.0,
        peepholes: bool = True,
        cell_arguments: dict[str, Any] | None = None,
        convolution: Convolution | dict[str, Any] | None = None,
        slow_features: int = 0,
        trace_rates: Sequence[float] = (),
        drift_features: int = 0,
        **kwargs: Any,
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"Expected variant to be one of {VARIANTS}. Received: {variant!r}")
        if not isinstance(prediction_steps, int) or prediction_steps < 1:
            raise ValueError(
                f"Expected at least one step. Received: prediction_steps={prediction_steps}"
            )
        frame_shape, units = tuple(frame_shape), list(units)
        conditional = variant.startswith(CONDITIONAL)
        keys = BASES[variant.removeprefix(CONDITIONAL)]
        fed = keys[0] if conditional else None
        dtype = kwargs.pop("dtype", None)
        check_keywords("VideoLSTM", kwargs)
        shared = {
            "dropout": dropout,
            "peepholes": peepholes,
            "cell_arguments": cell_arguments,
            "convolution": Convolution.of(convolution),
            "dtype": dtype,
        }

        # --- Layers ---
        encoder = VideoEncoder(units, name="encoder", **shared)
        decoders = {
            key: ConditionalDecoder(
                units,
                frame_shape,
                steps=prediction_steps,
                conditional=key == fed,
                reverse_time=key == "reconstruction",
                activation=activation,
                traces=len(trace_rates),
                name=key,
                **shared,
            )
            for key in keys
        }
        standardizer = None
        if standardize:
            kind = "feature" if standardize is True else standardize
            standardizer = FrameStandardizer(frame_shape, kind, name="standardizer")

        slow = None
        if slow_features:
            if len(frame_shape) != 1:
                raise ValueError(
                    f"Expected slow features of frames that are vectors. "
                    f"Received: frame_shape={frame_shape}, slow_features={slow_features}"
                )
            slow = SlowFeatures(frame_shape[0], slow_features, name="slow")

        traces = FrameTraces(trace_rates, name="traces") if trace_rates else None
        drift = None
        if drift_features:
            if traces is None:
                raise ValueError(
                    f"Expected trace_rates, from whose lowest trace frames drift. "
                    f"Received: drift_features={drift_features}, trace_rates={list(trace_rates)}"
                )
            drift = DriftFeatures(frame_shape[0], drift_features, min(trace_rates), name="drift")

        # --- Functional model ---
        inputs = {"frames": keras.Input((None, *frame_shape), name="frames")}
        if fed == "prediction":
            inputs["future"] = keras.Input((None, *frame_shape), name="future")
        seen = {k: standardizer(v) if standardizer else v for k, v in inputs.items()}
        truths = {"reconstruction": seen["frames"], "prediction": seen.get("future")}
        sequence, state = encoder(joined(features_read(seen["frames"], slow, drift)))
        if traces is not None:
            state = [*state, traces(seen["frames"])]
        outputs = {key: decoder(state, truth=truths[key]) for key, decoder in decoders.items()}
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)

        # --- Config ---
        self.variant = variant
        self.frame_shape = frame_shape
        self.units = units
        self.prediction_steps = prediction_steps
        self.activation = activation
        self.standardize = standardize
        self.dropout = dropout
        self.peepholes = peepholes
        self.cell_arguments = dict(cell_arguments or {})
        self.convolution = encoder.convolution
        self.slow_features = slow_features
        self.trace_rates = list(trace_rates)
        self.drift_features = drift_features
        self.encoder = encoder
        self.decoders = decoders
        self.standardizer = standardizer
        self.slow = slow
        self.drift = drift
        self.traces = traces
        self.conditional_key = fed
        # A caller who has only the input frames leaves `future` out: `call` fills it in.
        self.input_spec = None
        self._companions = _Companions()
        names = [*keys, f"{fed}_forced"] if fed else keys
        self._companions.trackers = {
            name: keras.metrics.Mean(name=f"{name}_loss") for name in names
        }
        self._companions.models["encode"] = keras.Model(inputs["frames"], (sequence, state))
        if fed:
            self._companions.models["forced"] = keras.Model(
                inputs, decoders[fed](state, truth=truths[fed], feedback=False)
            )

    # --- Keras ---

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> dict[str, Any]:
        """Run the functional model; `future` may be left out except in training."""
        inputs = dict(inputs) if isinstance(inputs, dict) else {"frames": inputs}
        inputs = {key: scaled_pixels(frames) for key, frames in inputs.items()}
        if self.conditional_key == "prediction" and "future" not in inputs:
            if training:
                raise ValueError(
                    f"Expected inputs 'frames' and 'future' to train {self.variant!r} by teacher "
                    f"forcing. Received: {sorted(inputs)}"
                )
            batch = ops.shape(inputs["frames"])[0]
            inputs["future"] = ops.zeros((batch, self.prediction_steps, *self.frame_shape))
        return super().call(inputs, training=training, mask=mask)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the sum of the keys' losses, on standardised features if the model has them."""
        y = self._standardized(y)
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        self._track(x, y, y_pred, sample_weight, training)
        return loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Compute metrics on the same, standardised targets as the loss."""
        return super().compute_metrics(x, self._standardized(y), y_pred, sample_weight)

    def _standardized(self, y: dict[str, Any]) -> dict[str, Any]:
        y = {key: scaled_pixels(target) for key, target in y.items()}
        if self.standardizer is None:
            return y
        return {key: self.standardizer(target) for key, target in y.items()}

    def _loss_of(self, name: str) -> Any:
        """The compiled loss of `prediction`, `prediction_forced`, ...; `None` if there is none."""
        loss = getattr(self, "loss", None)
        return loss.get(name.removesuffix("_forced")) if isinstance(loss, dict) else loss

    def _track(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> None:
        outputs = dict(y_pred)
        if fed := self.conditional_key:
            outputs[f"{fed}_forced"] = y_pred[fed] if training else self.forced(x)
        for name, output in outputs.items():
            if (loss := self._loss_of(name)) is None:
                continue
            key = name.removesuffix("_forced")
            weight = sample_weight.get(key) if isinstance(sample_weight, dict) else sample_weight
            loss = keras.losses.get(loss)
            of_each_frame = loss.call if isinstance(loss, keras.losses.Loss) else loss
            tracker = self._companions.trackers[name]
            tracker.update_state(of_each_frame(y[key], output), sample_weight=weight)

    def forced(self, x: Any) -> Any:
        """Return what the conditional decoder writes under teacher forcing, as a tensor.

        Args:
            x: the model's inputs, the future among them where that is what is forced.

        Example:
            >>> model = VideoLSTM("conditional_future_predictor", (3,), units=[8])
            >>> clip = np.zeros((2, 5, 3), "float32")
            >>> model.forced({"frames": clip, "future": clip}).shape
            TensorShape([2, 5, 3])
        """
        x = x if isinstance(x, dict) else {"frames": x}
        frames = {key: scaled_pixels(value) for key, value in x.items()}
        return self._companions.models["forced"](frames, training=False)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """All metrics; each key's loss is a mean over clips, however many the last batch has.

        Keras' own means weigh a short last batch like a full one, and drop the key from the name
        where there is only one output.
        """
        trackers = {
            tracker.name: tracker
            for name, tracker in self._companions.trackers.items()
            if self._loss_of(name) is not None
        }
        others = [metric for metric in super().metrics if metric.name not in trackers]
        return others + list(trackers.values())

    def get_config(self) -> dict[str, Any]:
        """Return all arguments, and which parts of a model that learns are frozen."""
        frozen = frozen_among(self.parts) if self.trainable else []
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.encoder.dtype_policy.name,
            "variant": self.variant,
            "frame_shape": list(self.frame_shape),
            "units": self.units,
            "prediction_steps": self.prediction_steps,
            "activation": self.activation,
            "standardize": self.standardize,
            "dropout": self.dropout,
            "peepholes": self.peepholes,
            "cell_arguments": self.cell_arguments,
            "convolution": self.convolution and self.convolution.to_config(),
            "slow_features": self.slow_features,
            "trace_rates": self.trace_rates,
            "drift_features": self.drift_features,
            **({"frozen": frozen} if frozen else {}),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "VideoLSTM":
        """Make the model from `get_config`'s result."""
        config = dict(config)
        frozen = config.pop("frozen", ())
        model = cls(**config)
        freeze_among(model.parts, frozen)
        return model

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """The layers that have weights, by name."""
        encoding = present(
            standardizer=self.standardizer, slow=self.slow, drift=self.drift, encoder=self.encoder
        )
        return {**encoding, **self.decoders}

    # --- Verbs ---

    def set_statistics(self, mean: NDArray[Any], deviation: NDArray[Any]) -> None:
        """Set mean and standard deviation of each feature as `FrameStandardizer` prepares it.

        Args:
            mean, deviation: each of `frame_shape`.

        Raises:
            InputError: if the model does not standardise, or a value is unusable.
        """
        if self.standardizer is None:
            raise InputError("Expected a model with standardize=True. Received: standardize=False")
        self.standardizer.set_statistics(mean, deviation)

    @property
    def state_shapes(self) -> list[tuple[tuple[int, ...], ...]]:
        """Shapes of the state for one clip: the encoder's, and behind it that of the traces."""
        shapes = self.encoder.state_shapes
        if self.traces is None:
            return shapes
        return [*shapes, self.traces.state_shapes(*self.frame_shape)]

    def run_encoder(
        self,
        seen: Any,
        previous: Any = None,
        initial_state: State | None = None,
        training: bool | None = None,
    ) -> Any:
        """Run the encoder over standardised frames, as tensors; the verb for people is `encode`.

        Args:
            seen: `(batch, time, *frame_shape)`, standardised if the model does that.
            previous: the frame before them, for a model with `slow_features`; as in `SlowFeatures`.
            initial_state: what another call has returned; default: nothing was read before.
            training: whether dropout acts.

        Returns:
            The top layer's output at each step `(batch, time, units[-1])`, and the state: the
                encoder's, and behind it the traces if the model has them; of `state_shapes`.

        Example:
            >>> model = VideoLSTM("composite", (3,), units=[8])
            >>> model.run_encoder(np.zeros((2, 5, 3), "float32"))[0].shape
            TensorShape([2, 5, 8])
        """
        layers, trace = initial_state, None
        if self.traces is not None and initial_state is not None:
            *layers, trace = initial_state
        before = None
        if trace is not None and self.drift is not None:
            before = self.traces.of_lowest_rate(trace)
        read = joined(features_read(seen, self.slow, self.drift, previous, before))
        sequence, state = self.encoder(read, initial_state=layers, training=training)
        if self.traces is None:
            return sequence, state
        return sequence, [*state, self.traces(seen, initial=trace)]

    def encode(self, frames: Any, every_step: bool = False) -> NDArray[Any]:
        """Return the representation of clips: the top layer's output.

        Args:
            frames: `(batch, time, *frame_shape)` or one clip without the batch axis; uint8 pixels
                are scaled to [0, 1].
            every_step: give the output at each step instead of the last one.

        Returns:
            `(batch, units[-1])`, or `(batch, time, units[-1])` with `every_step`; with a
            convolution maps `(batch, ..., height, width, units[-1])`; without the batch axis if it
            was left out.

        Raises:
            InputError: on a wrong shape, NaN, or pixels outside [0, 1].

        Example:
            >>> VideoLSTM("autoencoder", (3,), units=[8]).encode(np.zeros((2, 5, 3))).shape
            (2, 8)
        """
        clips, single = checked_clips(frames, self.frame_shape, self.activation)
        sequence, _ = self._companions.models["encode"].predict(clips, verbose=0)
        features = sequence if every_step else sequence[:, -1]
        return features[0] if single else features

    def reconstruct(self, frames: Any) -> NDArray[Any]:
        """Return the clips as the representation remembers them, in forward order.

        Args:
            frames: as in `encode`.

        Returns:
            Frames of the same shape; pixels in [0, 1].

        Raises:
            InputError: as `encode`, or if the variant has no reconstruction.

        Example:
            >>> VideoLSTM("autoencoder", (3,), units=[8]).reconstruct(np.zeros((2, 5, 3))).shape
            (2, 5, 3)
        """
        return self._decode("reconstruction", frames, None)

    def forecast(self, frames: Any, steps: int | None = None) -> NDArray[Any]:
        """Return the frames that follow the clips, for any horizon.

        All of a clip is read. In training it was 16 frames, of moving digits 10, after which
        `videolstm-tools predict` begins to forecast, too: `forecast(clip[:16])` does so here.

        Args:
            frames: as in `encode`.
            steps: number of frames; default: `prediction_steps`, as in training.

        Returns:
            Frames `(batch, steps, *frame_shape)`; pixels in [0, 1]. Without the batch axis if
                it was left out.

        Raises:
            InputError: as `encode`, if `steps` is not positive, or if the variant predicts nothing.

        Example:
            >>> VideoLSTM("composite", (3,), units=[8]).forecast(np.zeros((2, 5, 3)), 100).shape
            (2, 100, 3)
        """
        steps = checked_steps(self.prediction_steps if steps is None else steps)
        return self._decode("prediction", frames, steps)

    def activity(self, frames: Any, steps: int | None = None) -> list[NDArray[Any]]:
        """Return what the units of the predicting decoder do, step by step.

        Args:
            frames: as in `encode`.
            steps: as in `forecast`.

        Returns:
            Each layer's output `(batch, steps, units)`, lowest first, with a convolution
            `(batch, steps, height, width, units)`; without the batch axis if it was left out.

        Raises:
            InputError: as `forecast`.

        Example:
            >>> model = VideoLSTM("composite", (3,), units=[8])
            >>> [layer.shape for layer in model.activity(np.zeros((5, 3)), steps=100)]
            [(100, 8)]
        """
        steps = checked_steps(self.prediction_steps if steps is None else steps)
        decoder = self._decoder("prediction")
        clips, single = checked_clips(frames, self.frame_shape, self.activation)
        _, state = self._companions.models["encode"].predict(clips, verbose=0)
        layers = [np.asarray(layer) for layer in decoder.activity(state, steps)]
        return [layer[0] for layer in layers] if single else layers

    def as_layer(self, every_step: bool = False, name: str | None = None) -> keras.Model:
        """Return the encoder as a layer for other models, standardisation included.

        The layer has weights of its own, which start as this model's: to train it leaves this model
        as it is. `trainable = False` freezes it. It is saved with the model around it.

        Args:
            every_step: give the output at each step instead of the last one.
            name: of the layer; default: this model's, with `_encoder` behind it.

        Call arguments:
            frames: `(batch, time, *frame_shape)`, pixels in [0, 1]; may have a mask, with slow or
                drift features one of padding at the end alone.

        Output shape:
            As `encode`: `(batch, units[-1])`, or `(batch, time, units[-1])` with `every_step`;
            with a convolution maps `(batch, ..., height, width, units[-1])`.

        Example:
            >>> layer = VideoLSTM("composite", (3,), units=[8], activation="linear").as_layer()
            >>> layer.trainable = False
            >>> frames = keras.Input((None, 3))
            >>> model = keras.Model(frames, keras.layers.Dense(2)(layer(frames)))
        """
        frames = keras.Input((None, *self.frame_shape), name="frames")
        copies = (self._copy_of(layer) for layer in (self.standardizer, self.slow, self.drift))
        standardizer, slow, drift = copies
        seen = frames if standardizer is None else standardizer(frames)
        read = joined(features_read(seen, slow, drift))
        sequence, _ = self._copy_of(self.encoder, read.shape)(read)
        features = sequence if every_step else sequence[:, -1]
        return keras.Model(frames, features, name=name or f"{self.name}_encoder")

    def _copy_of(self, layer: keras.layers.Layer | None, shape: Any = None) -> Any:
        """Return a layer once more, with weights of its own."""
        if layer is None:
            return None
        # Keras hands `trainable` down to the layers inside only where it is set.
        copy = type(layer).from_config({**layer.get_config(), "trainable": True})
        if not copy.built:
            copy.build(shape)
        copy.set_weights(layer.get_weights())
        if not layer.trainable:
            copy.trainable = False
        return copy

    def stream(self) -> VideoStream:
        """Return a live view: push frames one by one, read features, forecast at any time.

        Example:
            >>> stream = VideoLSTM("composite", (3,), units=[8]).stream()
            >>> stream.push(np.zeros(3)).shape, stream.forecast(4).shape
            ((8,), (4, 3))
        """
        return VideoStream(self)

    def _decoder(self, key: str) -> ConditionalDecoder:
        if key not in self.decoders:
            raise InputError(
                f"Expected a variant with a {key}. Received: {self.variant!r}, "
                f"which has {' and '.join(self.decoders)} alone"
            )
        return self.decoders[key]

    def _decode(self, key: str, frames: Any, steps: int | None) -> NDArray[Any]:
        decoder = self._decoder(key)
        clips, single = checked_clips(frames, self.frame_shape, self.activation)
        model = self._decoding_model(decoder, steps or clips.shape[1])
        return restored_frames(model.predict(clips, verbose=0), self.standardizer, single)

    def _decoding_model(self, decoder: ConditionalDecoder, steps: int) -> keras.Model:
        """One compiled graph for each horizon that is asked for."""
        models, key = self._companions.models, (decoder.name, steps)
        if key not in models:
            _, state = models["encode"].output
            frames = decoder(state, steps=steps, feedback=True)
            models[key] = keras.Model(models["encode"].input, frames)
        return models[key]
