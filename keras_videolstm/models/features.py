"""What units look for and what they draw: weights as images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_videolstm.errors import InputError
from keras_videolstm.models.video_lstm import VideoLSTM

_GATES = ("input gate", "forget gate", "cell input", "output gate")


def input_features(model: VideoLSTM) -> dict[str, NDArray[Any]]:
    """Return the weights from pixels to the encoder's lowest layer.

    Args:
        model: reads frames `(height, width, 1)`.

    Returns:
        For each gate `(units, height, width)`; with a convolution the pixels under a kernel,
        `(units, kernel_size · patch_size, kernel_size · patch_size)`.

    Raises:
        InputError: if frames are no grey images.

    Example:
        >>> model = VideoLSTM("composite", (64, 64, 1), units=[8])
        >>> input_features(model)["input gate"].shape
        (8, 64, 64)
    """
    height, width = _sides(model)
    kernel = np.asarray(model.encoder.cells[0].kernel)
    gates = np.split(kernel, 4, axis=-1)
    if model.convolution is None:
        images = [gate.T.reshape(-1, height, width) for gate in gates]
    else:
        images = [_under_kernel(gate, model.convolution.patch_size) for gate in gates]
    return dict(zip(_GATES, images, strict=True))


def output_features(model: VideoLSTM) -> dict[str, NDArray[Any]]:
    """Return the weights from each decoder's top layer to pixels.

    Args:
        model: writes frames `(height, width, 1)`.

    Returns:
        For each decoder `(units, height, width)`; with a convolution the pixels that one place of
        the top layer's maps writes.

    Raises:
        InputError: if frames are no grey images.

    Example:
        >>> model = VideoLSTM("composite", (64, 64, 1), units=[8])
        >>> output_features(model)["prediction"].shape
        (8, 64, 64)
    """
    height, width = _sides(model)
    features = {}
    for key, decoder in model.decoders.items():
        kernel = np.asarray(decoder.head.kernel)
        if model.convolution is None:
            features[key] = kernel.reshape(-1, height, width)
        else:
            patch, scale = (
                model.convolution.patch_size,
                model.convolution.scale(len(model.units) - 1),
            )
            cut = kernel.reshape(-1, scale, scale, patch, patch).transpose(0, 1, 3, 2, 4)
            features[key] = cut.reshape(-1, scale * patch, scale * patch)
    return features


def _sides(model: VideoLSTM) -> tuple[int, int]:
    if len(model.frame_shape) != 3 or model.frame_shape[-1] != 1:
        raise InputError(
            f"Expected a model of frames (height, width, 1). Received: {model.frame_shape}"
        )
    return model.frame_shape[:2]


def _under_kernel(gate: NDArray[Any], patch: int) -> NDArray[Any]:
    """Return weights `(side, side, patch² and more, units)` as images of the pixels beneath."""
    side, units = gate.shape[0], gate.shape[-1]
    cut = gate[:, :, : patch**2].reshape(side, side, patch, patch, units).transpose(4, 0, 2, 1, 3)
    return cut.reshape(units, side * patch, side * patch)
