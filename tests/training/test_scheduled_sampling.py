from pathlib import Path

import keras
import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training import Recipe, train
from keras_videolstm.training.scheduled_sampling import ScheduledSampling
from tests.tiny_runs import write_recipe

TABLE = "[sampling]\nrate = 0.8\nfirst_step = 2\nlast_step = 10\n\n[optimizer]"


def sampling_recipe(folder: Path) -> Recipe:
    changes = {"[optimizer]": TABLE}
    path = write_recipe(folder, variant="conditional_future_predictor", **changes)
    return Recipe.load(path)


def test_the_rate_rises_in_a_line_between_two_steps() -> None:
    model = VideoLSTM("conditional_composite", (3,), units=[4])
    schedule = ScheduledSampling(model, rate=0.8, first_step=10, last_step=30)
    rates = [schedule.rate_at(step) for step in (0, 10, 15, 20, 30, 1000)]
    np.testing.assert_allclose(rates, [0, 0, 0.2, 0.4, 0.8, 0.8])


@pytest.mark.slow
def test_a_run_follows_its_schedule_and_resumes_to_the_same_bits(tmp_path: Path) -> None:
    recipe = sampling_recipe(tmp_path)
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            rate = self.model.decoders["prediction"]._sampling.rate
            seen.append(float(keras.ops.convert_to_numpy(rate)))

    class Killed(BaseException):
        pass

    class Kill(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
            if len(seen) == 12 + 6:
                raise Killed

    whole = train(recipe, tmp_path / "whole", data_root=tmp_path, verbose=0, callbacks=[Watch()])
    np.testing.assert_allclose(seen, [0.1 * min(max(i - 2, 0), 8) for i in range(12)], atol=1e-6)
    with pytest.raises(Killed):
        train(recipe, tmp_path / "cut", data_root=tmp_path, verbose=0, callbacks=[Watch(), Kill()])
    again = train(recipe, tmp_path / "cut", data_root=tmp_path, verbose=0)
    assert again.resumed_at == 1
    assert again.history == whole.history


def test_sampling_changes_what_is_learned(tmp_path: Path) -> None:
    sampled = sampling_recipe(tmp_path)
    forced = Recipe.load(write_recipe(tmp_path, variant="conditional_future_predictor"))
    losses = [
        train(recipe, tmp_path / name, data_root=tmp_path, verbose=0).history[-1]["loss"]
        for name, recipe in (("sampled", sampled), ("forced", forced))
    ]
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("variant", "table", "words"),
    [
        ("composite", "rate = 0.5\nlast_step = 5", "conditional, to sample"),
        ("conditional_composite", "rate = 1.5\nlast_step = 5", "sampling.rate"),
        ("conditional_composite", "rate = 0.5\nfirst_step = -1\nlast_step = 5", "first_step"),
        ("conditional_composite", "rate = 0.5\nfirst_step = 5\nlast_step = 5", "later step"),
    ],
)
def test_impossible_schedules_are_refused(
    variant: str, table: str, words: str, tmp_path: Path
) -> None:
    changes = {"[optimizer]": f"[sampling]\n{table}\n\n[optimizer]"}
    with pytest.raises(InputError, match=words):
        Recipe.load(write_recipe(tmp_path, variant=variant, **changes))
