"""From true frames to a decoder's own, while it trains."""

from typing import Any

import keras

from keras_videolstm.models import VideoLSTM


class ScheduledSampling(keras.callbacks.Callback):
    """Raises the probability that a conditional decoder sees its own frames (Bengio et al., 2015).

    It is 0 up to `first_step`, then rises linearly, and stays at `rate` from `last_step` on. The
    steps are those of the optimiser, so that a resumed run goes on where it was.

    Args:
        model: a conditional `VideoLSTM`.
        rate: highest probability, in [0, 1].
        first_step: last step of pure teacher forcing.
        last_step: first step at the full rate.

    Example:
        >>> model = VideoLSTM("conditional_future_predictor", (3,), units=[8])
        >>> ScheduledSampling(model, rate=0.5, first_step=100, last_step=300).rate_at(200)
        0.25
    """

    def __init__(self, model: VideoLSTM, rate: float, first_step: int, last_step: int) -> None:
        super().__init__()
        self._decoder = model.decoders[model.conditional_key]
        self.rate = rate
        self.first_step = first_step
        self.last_step = last_step
        self._step = 0
        # Here, since the graph of a step is made before the first step.
        self._decoder.set_sampling_rate(0.0)

    def rate_at(self, step: int) -> float:
        """Return the probability at a step of the optimiser."""
        risen = (step - self.first_step) / (self.last_step - self.first_step)
        return self.rate * min(max(risen, 0.0), 1.0)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start from the optimiser's step; called by `fit`."""
        self._step = int(self.model.optimizer.iterations.numpy())

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the rate of the step; called by `fit`."""
        self._decoder.set_sampling_rate(self.rate_at(self._step))
        self._step += 1
