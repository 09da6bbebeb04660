import numpy as np

from keras_videolstm.layers import Convolution, VideoEncoder
from keras_videolstm.layers.frame_inputs import frames_before

FRAMES = np.random.default_rng(0).random((2, 6, 8, 12, 1)).astype("float32")


def test_the_frame_before_each_and_the_last() -> None:
    first = np.full((2, 8, 12, 1), 7, "float32")
    before, last = frames_before(FRAMES, first)
    np.testing.assert_array_equal(np.asarray(before)[:, 0], first)
    np.testing.assert_array_equal(np.asarray(before)[:, 1:], FRAMES[:, :-1])
    np.testing.assert_array_equal(last, FRAMES[:, -1])


def test_a_masked_frame_is_before_none() -> None:
    mask = np.array([[1, 0, 0, 1, 1, 0], [0, 1, 1, 1, 1, 1]], bool)
    before, last = frames_before(FRAMES, np.zeros((2, 8, 12, 1), "float32"), mask)
    before = np.asarray(before)
    np.testing.assert_array_equal(before[0, 3], FRAMES[0, 0])
    np.testing.assert_array_equal(before[0, 4], FRAMES[0, 3])
    np.testing.assert_array_equal(before[1, 1], 0)
    np.testing.assert_array_equal(last[0], FRAMES[0, 4])
    np.testing.assert_array_equal(last[1], FRAMES[1, 5])


def test_an_encoder_that_sees_motion_skips_masked_steps() -> None:
    encoder = VideoEncoder([3], convolution=Convolution(4, max_displacement=2))
    mask = np.array([[1, 0, 1, 1, 0, 0]] * 2, bool)
    _, padded = encoder(FRAMES, mask=mask)
    _, short = encoder(FRAMES[:, [0, 2, 3]])
    for one, other in zip(padded, short, strict=True):
        for part, of_short in zip(one, other, strict=True):
            np.testing.assert_allclose(part, of_short, atol=1e-6)


def test_a_stateful_encoder_remembers_the_last_frame() -> None:
    convolution = Convolution(4, max_displacement=2)
    whole, in_chunks = (VideoEncoder([3], convolution=convolution, stateful=s) for s in (0, 1))
    sequence, _ = whole(FRAMES)
    in_chunks.build((2, None, 8, 12, 1))
    in_chunks.set_weights(whole.get_weights())
    chunks = [in_chunks(FRAMES[:, :1])[0], in_chunks(FRAMES[:, 1:])[0]]
    np.testing.assert_allclose(np.concatenate(chunks, axis=1), sequence, atol=1e-6)
