"""A live view of a model: frames in, features and forecasts out."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.models.frames import checked_clips, checked_steps, restored_frames

if TYPE_CHECKING:
    from keras_videolstm.models.video_lstm import VideoLSTM


class VideoStream:
    """Carries the encoder's state from frame to frame; made by `VideoLSTM.stream()`.

    Features are the same whether a video comes frame by frame, in chunks, or at once.

    Args:
        model: the model; its weights are read, never changed.

    Example:
        >>> stream = VideoLSTM("composite", (3,), units=[8]).stream()
        >>> for frame in np.zeros((5, 3)):
        ...     features = stream.push(frame)  # (8,)
        >>> future = stream.forecast(steps=10)  # (10, 3)
    """

    def __init__(self, model: "VideoLSTM") -> None:
        self._model = model
        self._encoder = self._encoding_model()
        self._forecasters: dict[int, keras.Model] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._state = [
            tuple(np.zeros((1, *shape), "float32") for shape in shapes)
            for shapes in self._model.state_shapes
        ]
        self._empty = True
        self._last: NDArray[Any] | None = None

    def push(self, frames: Any) -> NDArray[Any]:
        """Read one frame or several.

        Args:
            frames: `frame_shape`, or `(time, *frame_shape)`.

        Returns:
            The top layer's output after each frame: `(units[-1],)`, or `(time, units[-1])`;
                with a convolution maps `(..., height, width, units[-1])`.

        Raises:
            InputError: on a wrong shape, NaN, or pixels outside [0, 1].
        """
        frames = np.asarray(frames)
        frame_shape = self._model.frame_shape
        one = frames.shape in (frame_shape, frame_shape[:-1] if frame_shape[-1] == 1 else None)
        clip, single = checked_clips(
            frames[None] if one else frames, frame_shape, self._model.activation
        )
        if not single:
            raise InputError(
                f"Expected one frame or the frames (time, ...) of one video. "
                f"Received: shape={frames.shape}"
            )
        inputs = [clip, self._state]
        if self._model.slow is not None:
            inputs.append(clip[:, :1] if self._last is None else self._last)
            self._last = clip[:, -1:]
        sequence, self._state = self._encoder.predict_on_batch(inputs)
        self._empty = False
        return sequence[0, 0] if one else sequence[0]

    def forecast(self, steps: int | None = None) -> NDArray[Any]:
        """Return the frames `(steps, *frame_shape)` that follow; the stream stays where it is.

        Raises:
            InputError: if no frame was pushed yet, if `steps` is not positive, or if the variant
                predicts nothing.
        """
        if "prediction" not in self._model.decoders:
            raise InputError(
                f"Expected a variant with a prediction. Received: {self._model.variant!r}"
            )
        if self._empty:
            raise InputError("Expected at least one frame before a forecast. Received: none")
        steps = checked_steps(self._model.prediction_steps if steps is None else steps)
        frames = self._forecaster(steps).predict_on_batch(self._state)
        return restored_frames(np.asarray(frames), self._model.standardizer, single=True)

    def _state_inputs(self) -> list[tuple[Any, ...]]:
        state_shapes = self._model.state_shapes
        return [tuple(keras.Input(shape) for shape in shapes) for shapes in state_shapes]

    def _encoding_model(self) -> keras.Model:
        frames = keras.Input((None, *self._model.frame_shape))
        inputs = [frames, self._state_inputs()]
        if self._model.slow is not None:
            inputs.append(keras.Input((1, *self._model.frame_shape)))
        standardizer = self._model.standardizer
        seen = [standardizer(x) if standardizer is not None else x for x in (frames, *inputs[2:])]
        return keras.Model(inputs, self._model.run_encoder(*seen, initial_state=inputs[1]))

    def _forecaster(self, steps: int) -> keras.Model:
        if steps not in self._forecasters:
            state = self._state_inputs()
            frames = self._model.decoders["prediction"](state, steps=steps, feedback=True)
            self._forecasters[steps] = keras.Model(state, frames)
        return self._forecasters[steps]
