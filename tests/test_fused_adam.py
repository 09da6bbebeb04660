"""The fused update against Keras' own Adam, which we did not write."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_videolstm.fused_adam import FusedAdam

SETTINGS = [
    {},
    {"global_clipnorm": 0.5},
    {"global_clipnorm": 1e6},
    {"clipvalue": 0.01},
    {"weight_decay": 0.1},
    {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    {"amsgrad": True},
    {"gradient_accumulation_steps": 2},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
]


def made_model(optimizer: keras.optimizers.Optimizer) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(5, "tanh"), keras.layers.Dense(2)])
    model.build((None, 3))
    model.compile(optimizer, "mse")
    return model


def trained(optimizer: keras.optimizers.Optimizer, epochs: int = 5) -> keras.Model:
    model = made_model(optimizer)
    fit(model, epochs)
    return model


def fit(model: keras.Model, epochs: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 3)).astype("float32")
    y = rng.normal(size=(32, 2)).astype("float32")
    model.fit(x, y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)


def schedule() -> Any:
    return keras.optimizers.schedules.CosineDecay(0.05, 20)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_updates_as_adam_does(settings: dict[str, Any]) -> None:
    ours = trained(FusedAdam(schedule(), **settings))
    theirs = trained(keras.optimizers.Adam(schedule(), **settings))
    untouched = made_model(keras.optimizers.Adam())
    pairs = zip(ours.get_weights(), theirs.get_weights(), untouched.get_weights(), strict=True)
    for mine, other, start in pairs:
        assert np.abs(other - start).max() > 1e-3
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    kinds, expected = (
        [variable.name.split("_")[-1] for variable in model.optimizer.variables]
        for model in (ours, theirs)
    )
    assert kinds == expected


def test_it_survives_saving_with_its_moments(tmp_path: Path) -> None:
    whole = trained(FusedAdam(schedule(), global_clipnorm=1.0), epochs=4)
    half = trained(FusedAdam(schedule(), global_clipnorm=1.0), epochs=2)
    half.save(tmp_path / "half.keras")
    resumed = keras.saving.load_model(tmp_path / "half.keras")
    fit(resumed, epochs=2)
    for mine, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_infinite_gradients_are_not_hidden_by_clipping() -> None:
    model = made_model(FusedAdam(global_clipnorm=1.0))
    x, y = np.full((4, 3), np.inf, "float32"), np.zeros((4, 2), "float32")
    model.fit(x, y, verbose=0)
    assert not np.isfinite(model.get_weights()[0]).all()
