"""A learning rate that falls more than once, against Keras' own cosine."""

import keras
import pytest

from keras_videolstm.cosine_cycles import CosineCycles

COSINE = {
    "initial_learning_rate": 0.0,
    "decay_steps": 90,
    "warmup_target": 0.1,
    "warmup_steps": 10,
}


def test_each_cycle_is_keras_cosine_at_half_the_height_of_the_one_before():
    schedule = CosineCycles(100, **COSINE)
    theirs = keras.optimizers.schedules.CosineDecay(**COSINE)
    for step in (0, 5, 10, 55, 99):
        expected = float(theirs(step))
        for cycle, height in enumerate((1, 0.5, 0.25)):
            found = float(schedule(keras.ops.cast(step + 100 * cycle, "int64")))
            assert found == pytest.approx(height * expected, abs=1e-8)


def test_it_survives_saving():
    schedule = CosineCycles(100, **COSINE)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert again.get_config() == schedule.get_config()
    assert float(again(130)) == float(schedule(130)) > 0
