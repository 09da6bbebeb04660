"""Tests of what a checkpoint reads of a video file."""

from pathlib import Path

import keras
import numpy as np
import pytest

import keras_videolstm as kvl
from keras_videolstm.checkpoints import save
from keras_videolstm.clip_reader import ClipReader
from keras_videolstm.errors import InputError
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.percepts import PatchPercepts, clip_percepts
from tests.video_files import noise_frames, write_video

PATCHES = {"extractor": "patches", "fps": 15, "fit": "crop"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of noise at 30 frames a second."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_video(path, noise_frames(16, (320, 240)), fps=30)
    return path


@pytest.mark.parametrize("frame_shape", [(3072,), (32, 32, 3)])
def test_a_model_of_percepts_reads_percepts_at_its_own_rate(frame_shape, clip, tmp_path):
    model = VideoLSTM("future_predictor", frame_shape, [4], 5, activation="linear")
    save(model, tmp_path / "model", {"percepts": PATCHES})
    read = kvl.read_clip(clip, tmp_path / "model")
    assert read.shape == (8, *frame_shape)
    expected = clip_percepts(clip, PatchPercepts(), PatchPercepts.frame_format(15))
    np.testing.assert_array_equal(read.reshape(8, -1), expected)
    assert kvl.read_clip(clip, tmp_path / "model", fps=30).shape[0] == 16
    assert model.forecast(read, steps=3).shape == (3, *frame_shape)


def test_a_model_of_pixels_reads_the_whole_square_in_its_colours(clip, tmp_path):
    colour, grey = (
        VideoLSTM("future_predictor", (16, 16, channels), [4], 5) for channels in (3, 1)
    )
    save(colour, tmp_path / "colour", {"fps": 10})
    grey.save(tmp_path / "grey.keras")
    frames = kvl.read_clip(clip, tmp_path / "colour", fps=15)
    assert frames.shape == (8, 16, 16, 3)
    assert 0 <= frames.min() < frames.max() <= 1
    assert kvl.read_clip(clip, tmp_path / "colour").shape[0] == 6
    # Nobody says how many frames a second: 15.
    luma = keras.ops.image.rgb_to_grayscale(frames)
    np.testing.assert_allclose(kvl.read_clip(clip, tmp_path / "grey.keras"), luma, atol=1e-3)


def test_the_pictures_are_those_that_percepts_are_made_of(clip):
    reader = ClipReader({"percepts": PATCHES}, (3072,))
    pictures = reader.pictures(clip)
    assert (pictures.shape, pictures.dtype) == ((8, 32, 32, 3), np.uint8)
    np.testing.assert_array_equal(PatchPercepts()(pictures), reader.read(clip))
    assert reader.fps == 15


def test_what_is_seen_of_a_frame_is_said():
    views = {
        "the middle 32x32 pixels of frames whose short side is 240": ({"percepts": PATCHES}, 3072),
        "all of a frame, padded to 32x32 pixels": ({"percepts": {**PATCHES, "fit": "pad"}}, 3072),
    }
    for view, (metadata, features) in views.items():
        assert ClipReader(metadata, (features,)).view == view
    assert ClipReader({}, (16, 16, 1)).view == "the middle square, as 16x16 pixels"


def test_a_classifier_names_what_it_reads_of_a_clip(clip, tmp_path):
    classifier = ActionClassifier(3072, ["run", "walk"], [3])
    save(classifier, tmp_path / "classifier", {"percepts": PATCHES})
    percepts = kvl.read_clip(clip, tmp_path / "classifier")
    save(VideoLSTM("autoencoder", (3072,), [4], 5), tmp_path / "model", {"percepts": PATCHES})
    np.testing.assert_array_equal(percepts, kvl.read_clip(clip, tmp_path / "model"))
    named = kvl.load(tmp_path / "classifier").classify(percepts)
    np.testing.assert_allclose(named, classifier.classify(percepts), atol=1e-6)


def test_what_cannot_be_read_is_said(clip, tmp_path):
    with pytest.raises(InputError, match="names its percepts"):
        ClipReader({}, (7,))
    with pytest.raises(InputError, match=r"percepts of 6144 features.*'patches' with 3072"):
        ClipReader({"percepts": PATCHES}, (2 * 3072,))
    with pytest.raises(InputError, match=r"'patches' of version 7, .*Received: version \(none\)"):
        ClipReader({"percepts": {**PATCHES, "version": "7"}}, (3072,))
    with pytest.raises(InputError, match="square"):
        ClipReader({}, (16, 8, 3))
    with pytest.raises(InputError, match="Expected a classifier or a video model"):
        kvl.read_clip(clip, "efficientnet_lite0")
    save(VideoLSTM("autoencoder", (16, 16, 3), [4], 5), tmp_path / "colour", {})
    with pytest.raises(InputError, match=r"missing\.mp4"):
        kvl.read_clip(tmp_path / "missing.mp4", tmp_path / "colour")
