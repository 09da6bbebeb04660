import keras
import numpy as np
import pytest

from keras_videolstm.layers import ConditionalDecoder, Convolution, VideoEncoder
from keras_videolstm.layers.frame_inputs import frames_before

MOVING = Convolution(4, max_displacement=2)
TRACKING = Convolution(4, max_displacement=2, motion_tracks=True)
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


@pytest.mark.parametrize("convolution", [MOVING, TRACKING])
def test_an_encoder_that_sees_motion_skips_masked_steps(convolution: Convolution) -> None:
    encoder = VideoEncoder([3], convolution=convolution)
    mask = np.array([[1, 0, 1, 1, 0, 0]] * 2, bool)
    _, padded = encoder(FRAMES, mask=mask)
    _, short = encoder(FRAMES[:, [0, 2, 3]])
    for one, other in zip(padded, short, strict=True):
        for part, of_short in zip(one, other, strict=True):
            np.testing.assert_allclose(part, of_short, atol=1e-6)


@pytest.mark.parametrize("convolution", [MOVING, TRACKING])
def test_a_stateful_encoder_remembers_the_last_frame(convolution: Convolution) -> None:
    whole, in_chunks = (VideoEncoder([3], convolution=convolution, stateful=s) for s in (0, 1))
    sequence, _ = whole(FRAMES)
    in_chunks.build((2, None, 8, 12, 1))
    in_chunks.set_weights(whole.get_weights())
    chunks = [in_chunks(FRAMES[:, :1])[0], in_chunks(FRAMES[:, 1:])[0]]
    np.testing.assert_allclose(np.concatenate(chunks, axis=1), sequence, atol=1e-6)


@pytest.mark.parametrize("convolution", [MOVING, TRACKING])
@pytest.mark.parametrize("steps", [6, None])
def test_masks_work_in_a_model(steps: int | None, convolution: Convolution) -> None:
    frames, mask = keras.Input((steps, 8, 12, 1)), keras.Input((steps,), dtype="bool")
    encoder = VideoEncoder([3], convolution=convolution)
    model = keras.Model([frames, mask], encoder(frames, mask=mask)[1])
    kept = np.array([[1, 0, 1, 1, 0, 0]] * 2, bool)
    found = keras.tree.flatten(model.predict([FRAMES, kept], verbose=0))
    expected = keras.tree.flatten(encoder(FRAMES[:, [0, 2, 3]])[1])
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_state_of_other_layers_is_refused() -> None:
    encoder = VideoEncoder([3], convolution=MOVING)
    _, state = encoder(FRAMES)
    with pytest.raises(ValueError, match=r"2 entries: \(h, c\) of 1 layers and \(frame,\)"):
        encoder(FRAMES, initial_state=state[:1])
    decoder = ConditionalDecoder([3], (8, 12, 1), convolution=Convolution(4))
    with pytest.raises(ValueError, match="Expected a state of 1 entries"):
        decoder(state, steps=2)


@pytest.mark.parametrize("shape", [(2, 3, 12, 8, 1), (2, 3, 16, 24, 1)])
def test_frames_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    encoder = VideoEncoder([3], convolution=Convolution(4))
    encoder(FRAMES)
    with pytest.raises(ValueError, match=r"Expected frames \(8, 12, 1\)"):
        encoder(np.zeros(shape, "float32"))


@pytest.mark.parametrize("convolution", [MOVING, TRACKING])
def test_a_decoder_in_reverse_is_not_handed_its_first_answer(convolution: Convolution) -> None:
    _, state = VideoEncoder([3], convolution=convolution)(FRAMES)
    decoder = ConditionalDecoder(
        [3], (8, 12, 1), conditional=True, reverse_time=True, convolution=convolution
    )
    *pairs, carried = state
    same = decoder([*pairs, tuple(0 * part for part in carried)], steps=4)
    np.testing.assert_array_equal(decoder(state, steps=4), same)
