"""Tests of the patch percepts and of the table of extractors."""

import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.percepts import PatchPercepts, get_extractor, list_extractors


def test_percepts_are_the_pixels_in_zero_to_one_row_by_row():
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype("uint8")
    percepts = PatchPercepts()(frames)
    assert percepts.dtype == np.float32
    assert percepts.shape == (3, 3072)
    np.testing.assert_allclose(percepts.reshape(frames.shape) * 255, frames, atol=1e-4)
    assert percepts.min() >= 0
    assert percepts.max() <= 1


def test_a_crop_is_cut_from_a_frame_of_240_pixels_and_a_pad_keeps_the_whole():
    crop, pad = (PatchPercepts().frame_format(15, fit) for fit in ("crop", "pad"))
    assert (crop.size, crop.short_side, crop.fps, crop.fit) == (32, 240, 15, "crop")
    assert (pad.size, pad.short_side, pad.fit) == (32, None, "pad")


def test_extractors_have_names_and_an_unknown_one_lists_them():
    assert {"efficientnet_lite0", "patches", "vgg16_fc6"} <= set(list_extractors())
    assert isinstance(get_extractor("patches"), PatchPercepts)
    with pytest.raises(InputError, match=r"efficientnet_lite0, .*patches.*Received: 'patch'"):
        get_extractor("patch")
