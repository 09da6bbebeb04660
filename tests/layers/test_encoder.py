from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from keras_videolstm.layers import VideoEncoder
from tests.references import encode, encoder_weights, randomize

BATCH, TIME, FEATURES = 3, 7, 4
UNITS = [6, 5]


def made_encoder(units: Any = UNITS, features: int = FEATURES, **options: Any) -> VideoEncoder:
    encoder = VideoEncoder(units, **{"dtype": "float64", **options})
    encoder.build((BATCH, None, features))
    randomize(encoder)
    return encoder


def made_frames(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape or (BATCH, TIME, FEATURES))


def made_state(seed: int = 2) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(BATCH, n)), rng.normal(size=(BATCH, n))) for n in UNITS]


def flat(state: Any) -> list[np.ndarray]:
    return [np.asarray(part) for pair in state for part in pair]


def assert_same(one: Any, other: Any, tolerance: float = 1e-10) -> None:
    """Compare two results `(sequence, state)`."""
    for left, right in zip([one[0], *flat(one[1])], [other[0], *flat(other[1])], strict=True):
        np.testing.assert_allclose(left, right, rtol=0, atol=tolerance)


@pytest.mark.parametrize("peepholes", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
def test_a_stack_equals_the_equations(dtype: str, tolerance: float, peepholes: bool) -> None:
    encoder = made_encoder(dtype=dtype, peepholes=peepholes)
    frames = made_frames()
    expected = encode(encoder_weights(encoder), frames)
    assert_same(encoder(ops.cast(frames, dtype)), expected, tolerance)


def test_it_starts_from_the_state_that_it_is_given() -> None:
    encoder = made_encoder()
    frames, state = made_frames(), made_state()
    expected = encode(encoder_weights(encoder), frames, state)
    assert_same(encoder(frames, initial_state=state), expected)


def test_the_representation_is_the_top_layers_last_output() -> None:
    sequence, state = made_encoder()(made_frames())
    np.testing.assert_array_equal(sequence[:, -1], state[-1][0])


def test_an_integer_means_one_layer() -> None:
    assert VideoEncoder(4).units == [4]


@pytest.mark.parametrize("units", [[], ()])
def test_no_layer_is_an_error(units: Any) -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        VideoEncoder(units)


def test_frames_of_any_shape_are_flattened_row_by_row() -> None:
    frames = made_frames(BATCH, TIME, 2, 3, 2)
    encoder = made_encoder(features=12)
    assert_same(encoder(frames), encoder(frames.reshape(BATCH, TIME, 12)))
    unbuilt = VideoEncoder(UNITS)
    unbuilt(frames)
    assert unbuilt.cells[0].kernel.shape == (12, 4 * UNITS[0])


@pytest.mark.parametrize("shape", [(BATCH, TIME, FEATURES), (BATCH, TIME, 2, 3, 1)])
def test_symbolic_shapes_and_dtypes_equal_the_real_ones(shape: tuple[int, ...]) -> None:
    encoder = VideoEncoder(UNITS, dtype="mixed_bfloat16")
    real = encoder(made_frames(*shape).astype("float32"))
    symbolic = encoder.compute_output_spec(keras.KerasTensor(shape))
    unknown = encoder.compute_output_spec(keras.KerasTensor((None, None, *shape[2:])))
    tensors = [real[0], *(part for pair in real[1] for part in pair)]
    specs = [symbolic[0], *(part for pair in symbolic[1] for part in pair)]
    for tensor, spec in zip(tensors, specs, strict=True):
        assert tuple(tensor.shape) == spec.shape
        assert keras.backend.standardize_dtype(tensor.dtype) == spec.dtype == "float32"
    assert unknown[0].shape == (None, None, UNITS[-1])
    assert unknown[1][0][0].shape == (None, UNITS[0])


def test_one_model_reads_clips_of_several_lengths() -> None:
    encoder = made_encoder(dtype="float32")
    frames = keras.Input((None, FEATURES))
    model = keras.Model(frames, encoder(frames))
    for time in (3, 5, 4, 70):
        clip = made_frames(2, time, FEATURES)
        result = model.predict(clip, verbose=0)
        assert_same(result, encode(encoder_weights(encoder), clip), 1e-5)


# --- Masks ---


def test_a_padded_clip_equals_the_shorter_clip() -> None:
    encoder = made_encoder()
    frames, lengths = made_frames(), [TIME, 4, 1]
    mask = np.arange(TIME) < np.array(lengths)[:, None]
    padded = np.where(mask[..., None], frames, 99.0)
    sequence, state = encoder(padded, mask=mask)
    for clip, length in enumerate(lengths):
        alone, final = encoder(frames[clip : clip + 1, :length])
        np.testing.assert_allclose(sequence[clip, :length], alone[0], atol=1e-12)
        for part, other in zip(flat(state), flat(final), strict=True):
            np.testing.assert_allclose(part[clip], other[0], atol=1e-12)


def test_frames_masked_anywhere_equal_the_equations() -> None:
    encoder = made_encoder()
    frames = made_frames()
    mask = np.random.default_rng(5).random((BATCH, TIME)) < 0.5
    expected = encode(encoder_weights(encoder), frames, made_state(), mask)
    assert_same(encoder(frames, initial_state=made_state(), mask=mask), expected)


def test_the_mask_of_a_masking_layer_counts_and_is_handed_on() -> None:
    encoder = made_encoder(dtype="float32")
    frames = made_frames().astype("float32")
    frames[1, 3:] = 0
    mask = np.any(frames != 0, axis=-1)
    masked = keras.layers.Masking(0.0)(frames)
    sequence, state = encoder(masked)
    assert_same((sequence, state), encoder(frames, mask=mask), 0)
    np.testing.assert_array_equal(keras.src.backend.get_keras_mask(sequence), mask)
    assert all(keras.src.backend.get_keras_mask(part) is None for pair in state for part in pair)


def test_the_mask_of_a_masking_layer_counts_beside_an_initial_state_too() -> None:
    encoder = made_encoder(dtype="float32")
    frames = made_frames().astype("float32")
    frames[1, 3:] = 0
    mask = np.any(frames != 0, axis=-1)
    masked = keras.layers.Masking(0.0)(frames)
    start = [tuple(ops.cast(part, "float32") for part in pair) for pair in made_state()]
    result = encoder(masked, initial_state=start)
    assert_same(result, encoder(frames, initial_state=start, mask=mask), 0)


# --- State carried from call to call ---


def test_chunks_of_a_stateful_encoder_equal_one_call() -> None:
    encoder = made_encoder(stateful=True)
    stateless = made_encoder()
    frames = made_frames()
    whole = stateless(frames)
    chunks = [encoder(frames[:, start:end])[0] for start, end in ((0, 1), (1, 4), (4, TIME))]
    assert_same((np.concatenate(chunks, axis=1), made_state()), (whole[0], made_state()))
    _, after = stateless(frames[:, :2], initial_state=whole[1])
    assert_same((0, encoder(frames[:, :2])[1]), (0, after))


def test_reset_state_forgets() -> None:
    encoder = made_encoder(stateful=True)
    frames = made_frames()
    first = encoder(frames)
    second = encoder(frames)
    assert np.abs(np.asarray(first[0]) - np.asarray(second[0])).max() > 1e-3
    encoder.reset_state()
    assert_same(encoder(frames), first, 0)


def test_a_stateful_encoder_carries_its_state_inside_a_compiled_model() -> None:
    encoder = made_encoder(stateful=True, dtype="float32")
    frames = made_frames()
    inputs = keras.Input((None, FEATURES), batch_size=BATCH)
    model = keras.Model(inputs, encoder(inputs)[0])
    whole, _ = encode(encoder_weights(encoder), frames)
    encoder.reset_state()
    parts = [model.predict_on_batch(frames[:, start : start + 2]) for start in (0, 2, 4)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole[:, :6], atol=1e-5)


def test_carried_state_is_no_weight() -> None:
    assert len(made_encoder(stateful=True).weights) == len(made_encoder().weights) == 8


def test_a_stateful_encoder_needs_a_fixed_batch_size() -> None:
    with pytest.raises(ValueError, match="fixed batch size"):
        VideoEncoder(4, stateful=True)(keras.Input((None, 3)))


# --- Dropout ---


def test_one_layer_has_nothing_between_layers_to_drop() -> None:
    encoder = made_encoder(4, dropout=0.9)
    frames = made_frames()
    assert_same(encoder(frames, training=True), encoder(frames, training=False), 0)


def test_dropout_acts_in_training_alone() -> None:
    encoder = made_encoder(dropout=0.5)
    frames = made_frames()
    exact = encode(encoder_weights(encoder), frames)
    assert_same(encoder(frames), exact)
    assert_same(encoder(frames, training=False), exact)
    dropped, _ = encoder(frames, training=True)
    assert np.abs(np.asarray(dropped) - exact[0]).max() > 1e-3


def test_dropout_touches_the_upper_layers_input_and_nothing_that_runs_through_time() -> None:
    encoder = made_encoder(dropout=0.9)
    frames = made_frames()
    _, exact = encoder(frames)
    _, dropped = encoder(frames, training=True)
    assert_same((0, dropped[:1]), (0, exact[:1]), 0)
    encoder.cells[1].kernel.assign(np.zeros((UNITS[0], 4 * UNITS[1])))
    assert_same(encoder(frames, training=True), encoder(frames), 0)


def test_dropout_draws_anew_at_each_step() -> None:
    """Two copies of one constant sequence differ from step to step only by what is dropped."""
    encoder = VideoEncoder([4, 4], dropout=0.5)
    encoder.build((1, None, 2))
    seen = encoder.dropouts[0](np.ones((1, 200, 4), "float32"), training=True)
    kept = np.asarray(seen)[0] > 0
    assert 0.4 < kept.mean() < 0.6
    assert 0 < kept[:, 0].sum() < 200


def test_mixed_bfloat16_keeps_state_in_float32_and_stays_near() -> None:
    low, exact = made_encoder(dtype="mixed_bfloat16"), made_encoder(dtype="float32")
    frames = made_frames().astype("float32")
    result, expected = low(frames), exact(frames)
    for tensor in (result[0], *(part for pair in result[1] for part in pair)):
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
    assert_same(result, expected, 0.1)
    assert np.abs(np.asarray(result[0]) - np.asarray(expected[0])).max() > 0
