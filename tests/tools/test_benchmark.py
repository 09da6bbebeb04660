"""The benchmark's own arithmetic, and one small run of it; it times nothing here."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm_benchmarks.problem import Problem
from keras_videolstm_benchmarks.report import slope
from keras_videolstm_benchmarks.runner import _check
from tests.command_line import done, refused


@pytest.mark.parametrize("variant", ["composite", "conditional_composite"])
def test_the_number_of_weights_is_that_of_the_model(variant: str) -> None:
    for units in (8, 300):
        model = VideoLSTM(variant, (64, 64, 1), units=[units] * 2, peepholes=False)
        assert Problem(variant, units, 1).parameters() == model.count_params()


def test_operations_are_those_of_the_products() -> None:
    problem = Problem("composite", units=2, batch=3, steps=5)
    frame, gates, head = 4096 * 8, 2 * 8, 2 * 4096
    read, decoded = frame + 3 * gates, 3 * gates + head
    assert problem.inference_flops(7) == 2 * 3 * (5 * read + 5 * decoded + 7 * decoded)
    forward = 2 * 3 * 5 * (read + 2 * decoded)
    assert problem.training_flops() == 3 * forward - 2 * 3 * 5 * frame


def test_weights_and_frames_are_the_same_on_every_call() -> None:
    problem = Problem("conditional_composite", units=4, batch=2, steps=3)
    np.testing.assert_array_equal(problem.frames(), problem.frames())
    assert problem.frames().shape == (2, 6, 64, 64, 1)
    assert problem.frames().max() > 200
    first, second = (problem.weights().encoder[1].recurrent for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_another_function_is_found_out() -> None:
    same = np.zeros((1, 2, 4))
    train = {"ours auto": [{"loss": 10.0}], "torch float32": [{"loss": 10.0}]}
    precisions = dict.fromkeys(train, "float32")
    frames = {"ours auto": same, "torch float32": same}
    _check(frames, train, precisions, list(train))
    with pytest.raises(InputError, match=r"pixels that are 0\.01 apart"):
        _check({**frames, "torch float32": same + 0.01}, train, precisions, list(train))
    with pytest.raises(InputError, match="pixels that are nan apart"):
        _check({**frames, "torch float32": same * np.nan}, train, precisions, list(train))
    with pytest.raises(InputError, match="Expected torch float32 to start at a loss of 10"):
        _check(frames, {**train, "torch float32": [{"loss": 10.1}]}, precisions, list(train))


def test_the_slope_is_the_exponent_of_the_largest_two() -> None:
    assert slope([(1, 5.0), (10, 1.0), (20, 4.0)]) == pytest.approx(2)


@pytest.mark.slow
def test_a_small_run_measures_reports_and_is_not_measured_again(tmp_path: Path) -> None:
    arguments = (
        *("benchmark", "--out", tmp_path, "--units", 8, "--batch-size", 2, "--rounds", 1),
        *("--steps", 3, "--contestant", "keras float32", "--no-scaling"),
    )
    text = done(*arguments)
    records = json.loads((tmp_path / "results.json").read_text())
    (record,) = records
    assert set(record["contestants"]) == {"ours auto", "keras float32"}
    for entry in record["contestants"].values():
        assert entry["train"]["seconds"] > 0
        assert entry["inference"]["3"]["seconds"] > 0
        assert 0 < entry["train"]["part_of_float32_product"] < 1.5
        assert entry["peak_mib"] > 100
    assert record["contestants"]["ours auto"]["ratio"] == 1
    assert "| keras float32 |" in text
    assert (tmp_path / "results.md").read_text() in text + "\n"
    assert (tmp_path / "speed_conditional_composite_8_2.png").stat().st_size > 10_000
    done(*arguments)
    assert json.loads((tmp_path / "results.json").read_text()) == records
    assert keras.config.dtype_policy().name == "float32"


def test_broken_results_are_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("[")
    assert "results in JSON" in refused("benchmark", "--out", tmp_path)
