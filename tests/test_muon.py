"""Muon against Keras' own, which we did not write, gate by gate."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_videolstm.fused_adam import FusedAdam
from keras_videolstm.models import VideoLSTM
from keras_videolstm.muon import Muon

RATE = 0.01
CLIPS = np.random.default_rng(0).random((8, 4, 8, 8, 1)).astype("float32")
CONVOLUTIONS = [None, {"patch_size": 4}]


def made_model(optimizer: keras.optimizers.Optimizer, convolution: dict | None = None) -> VideoLSTM:
    keras.utils.set_random_seed(0)
    model = VideoLSTM(
        "composite", (8, 8, 1), [6, 5], 2, activation="linear", convolution=convolution
    )
    model.compile(optimizer, "mse")
    return model


def fit(model: VideoLSTM, epochs: int = 1) -> None:
    frames, future = CLIPS[:, :2], CLIPS[:, 2:]
    targets = {"prediction": future, "reconstruction": frames}
    model.fit({"frames": frames}, targets, batch_size=8, epochs=epochs, verbose=0)


def moves(optimizer: keras.optimizers.Optimizer, convolution: dict | None) -> dict:
    """Return by how much each weight moves in the first step."""
    model = made_model(optimizer, convolution)
    before = model.get_weights()
    fit(model)
    pairs = zip(model.weights, before, strict=True)
    return {variable.path: variable.numpy() - start for variable, start in pairs}


@pytest.fixture(scope="module", params=CONVOLUTIONS, ids=["connected", "convolutional"])
def convolution(request: pytest.FixtureRequest) -> dict | None:
    return request.param


@pytest.fixture(scope="module")
def updates(convolution: dict | None) -> dict:
    """By how much Muon moves each weight in the first step."""
    keras.backend.clear_session()
    return moves(Muon(RATE), convolution)


def is_orthogonalised(path: str) -> bool:
    lowest = {"peephole_lstm_cell", "peephole_lstm_cell_2", "peephole_lstm_cell_4"}
    *_, cell, name = path.split("/")
    reads_frames = name == "kernel" and cell.removeprefix("conv_") in lowest
    return "cell" in cell and name in ("kernel", "recurrent_kernel") and not reads_frames


def test_each_gate_moves_as_a_matrix_of_its_own_does_by_keras(
    convolution: dict | None, updates: dict
) -> None:
    keras.backend.clear_session()
    # A plain step moves against the gradient, so far that rounding is lost in it.
    gradients = moves(keras.optimizers.SGD(1e4), convolution)
    theirs = keras.optimizers.Muon()
    compared = [path for path in updates if is_orthogonalised(path)]
    assert len(compared) == 3 * 3  # of each stack all kernels but the lowest layer's for inputs
    for path in compared:
        gradient = gradients[path].reshape(-1, gradients[path].shape[-1])
        gates = np.split(gradient, 4, axis=1)
        expected = [
            RATE * theirs.lr_adjust(theirs.zeropower_via_newtonschulz5(gate, 5)) for gate in gates
        ]
        update = updates[path].reshape(gradient.shape)
        np.testing.assert_allclose(update, np.concatenate(expected, axis=1), atol=2e-5)


def test_all_else_moves_by_adam(convolution: dict | None, updates: dict) -> None:
    keras.backend.clear_session()
    by_adam = moves(FusedAdam(RATE), convolution)
    rest = [path for path in updates if not is_orthogonalised(path)]
    assert any(path.endswith("bias") for path in rest)
    assert any("dense" in path for path in rest)
    for path in rest:
        np.testing.assert_allclose(updates[path], by_adam[path], atol=1e-6)


def test_an_update_has_singular_values_near_one_in_low_precision_too() -> None:
    keras.backend.clear_session()
    updates = moves(Muon(RATE, product_dtype="bfloat16"), None)
    path = next(path for path in updates if path.endswith("peephole_lstm_cell/recurrent_kernel"))
    for gate in np.split(updates[path], 4, axis=1):
        values = np.linalg.svd(gate / (RATE * 0.2 * 6**0.5), compute_uv=False)
        assert values[0] < 1.4
        assert np.median(values) > 0.5


@pytest.mark.slow
def test_it_survives_saving_with_its_moments(tmp_path: Path) -> None:
    whole = made_model(Muon(RATE, momentum=0.9, global_clipnorm=1.0))
    fit(whole, epochs=2)
    whole.save(tmp_path / "half.keras")
    fit(whole, epochs=2)
    resumed = keras.saving.load_model(tmp_path / "half.keras")
    fit(resumed, epochs=2)
    for mine, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
