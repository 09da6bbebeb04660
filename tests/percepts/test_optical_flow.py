"""Tests of optical flow and of the convnet that reads it."""

import builtins
import hashlib

import keras
import numpy as np
import pytest

from keras_videolstm.checkpoints import load, save, verify
from keras_videolstm.data.action_clips import find_clips
from keras_videolstm.data.figures import write_clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import (
    OpticalFlowPercepts,
    TemporalStream,
    clip_percepts,
    extract,
    get_extractor,
    known_extractor,
    list_extractors,
    optical_flow,
    temporal_stream_percepts,
)
from keras_videolstm.zoo_folder import METADATA


def moving_noise(frames: int, right: int, down: int, side: int = 128, seed: int = 0) -> np.ndarray:
    """Return a window that moves over smooth noise, so that what it shows moves the other way."""
    rng = np.random.default_rng(seed)
    reach = side + frames * max(abs(right), abs(down))
    coarse = rng.integers(0, 256, (2 * reach // 8 + 1,) * 2).astype("float32")
    picture = keras.ops.image.resize(coarse[..., None], (2 * reach, 2 * reach), "bicubic")
    picture = np.clip(np.asarray(picture), 0, 255).astype("uint8").repeat(3, axis=-1)
    corner = reach // 2
    return np.stack(
        [picture[corner - t * down :, corner - t * right :][:side, :side] for t in range(frames)]
    )


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 2), (-2, 1)])
def test_flow_says_how_far_a_picture_was_moved(right, down):
    flow = optical_flow(moving_noise(4, right, down))
    assert flow.shape == (3, 128, 128, 2)
    inner = flow[:, 16:-16, 16:-16]
    np.testing.assert_allclose(np.median(inner, axis=(0, 1, 2)), (right, down), atol=0.15)
    percepts = OpticalFlowPercepts()(moving_noise(4, right, down)).reshape(3, 64, 64, 2)
    np.testing.assert_allclose(percepts[1, 20, 30], flow[1, 40:42, 60:62].mean((0, 1)), rtol=1e-5)


def test_flow_of_one_frame_is_none_and_of_other_shapes_an_error():
    assert optical_flow(np.zeros((1, 32, 32, 3), "uint8")).shape == (0, 32, 32, 2)
    for frames in (np.zeros((3, 32, 32), "uint8"), np.zeros((3, 32, 32, 3)), None):
        if frames is None:
            frames = np.zeros((3, 8, 32, 3), "uint8")
        with pytest.raises(InputError, match="Expected frames"):
            optical_flow(frames)


def test_without_opencv_the_extra_is_named(monkeypatch):
    imported = builtins.__import__

    def without(name, *arguments, **keywords):
        if name == "cv2":
            raise ImportError("No module named 'cv2'")
        return imported(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match="the extra `flow` brings"):
        optical_flow(np.zeros((2, 32, 32, 3), "uint8"))


def test_flow_of_a_clip_is_whole_over_chunks_and_a_clip_of_one_frame_is_left_out(tmp_path):
    frames = moving_noise(70, 1, 0)
    write_clip(tmp_path / "videos" / "right" / "long.mp4", frames, fps=15)
    write_clip(tmp_path / "videos" / "still" / "one.mp4", frames[:1], fps=15)
    report = extract(find_clips(tmp_path / "videos"), tmp_path / "s.h5", "optical_flow", fps=15)
    store = PerceptStore(tmp_path / "s.h5")
    assert report.frames == report.new_frames == store.frame_counts[0] == 69
    assert "at least 2 frames" in report.skipped[0][1]
    # The 64th flow is of the last frame of one chunk and the first of the next.
    np.testing.assert_allclose(
        np.median(store.read(0).reshape(69, -1, 2), axis=1)[:, 0], 1, atol=0.3
    )
    extractor = get_extractor("optical_flow")
    alone = clip_percepts(
        tmp_path / "videos" / "right" / "long.mp4", extractor, extractor.frame_format(15)
    )
    np.testing.assert_array_equal(alone, store.read(0))


@pytest.fixture(scope="module")
def stream() -> TemporalStream:
    keras.utils.set_random_seed(0)
    return TemporalStream(["down", "left", "up"], stack=3, features=8)


def test_a_stream_reads_each_stack_and_not_the_motion_of_the_camera(stream):
    rng = np.random.default_rng(0)
    flows = rng.standard_normal((6, 8192)).astype("float32")
    percepts = stream.percepts(flows)
    assert percepts.shape == (4, 8)
    np.testing.assert_allclose(stream.percepts(flows[2:5])[0], percepts[2], atol=1e-5)
    moved = (flows.reshape(6, -1, 2) + np.float32([4, -3])).reshape(6, -1)
    np.testing.assert_allclose(stream.percepts(moved), percepts, atol=1e-4)
    said = stream.predict_on_batch(flows[None, :3])["action"]
    assert said.shape == (1, 3)
    np.testing.assert_allclose(said.sum(), 1, rtol=1e-5)
    with pytest.raises(InputError, match=r"at least 3 of them. Received: \(2, 8192\)"):
        stream.percepts(flows[:2])
    with pytest.raises(ValueError, match="at least 1"):
        TemporalStream(["a", "b"], stack=0)


def test_a_stream_in_the_zoo_is_an_extractor_of_its_name(stream, tmp_path, monkeypatch):
    save(stream, tmp_path / "zoo" / "my_stream", {"description": "a test"})
    assert verify(tmp_path / "zoo" / "my_stream")["percepts"] < 1e-3
    assert isinstance(load(tmp_path / "zoo" / "my_stream"), TemporalStream)
    assert (tmp_path / "zoo" / "my_stream" / METADATA).is_file()
    assert "my_stream" not in list_extractors()
    monkeypatch.setattr(temporal_stream_percepts, "zoo_folder", lambda: tmp_path / "zoo")
    # What is damaged beside it is told where it is asked for, and stops nothing else.
    (tmp_path / "zoo" / "broken").mkdir()
    for text in ("{", "[]", '{"model": "TemporalStream", "config": {}}'):
        (tmp_path / "zoo" / "broken" / "config.json").write_text(text)
        assert {"my_stream", "patches"} <= set(list_extractors())
        with pytest.raises(InputError, match=r"percept extractor: .*'broken'"):
            known_extractor("broken")
    known = known_extractor("my_stream")
    assert (known.feature_dim, known.span) == (8, 4)
    weights = (tmp_path / "zoo" / "my_stream" / "model.weights.h5").read_bytes()
    assert known.version == hashlib.sha256(weights).hexdigest()
    frames = moving_noise(9, 2, 1)
    expected = stream.percepts(OpticalFlowPercepts()(frames))
    found = get_extractor("my_stream")(frames)
    assert found.shape == (6, 8)
    np.testing.assert_allclose(found, expected, atol=1e-2)
