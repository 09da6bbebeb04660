"""Tests of label curves: kept results, draws shared by methods, paired differences."""

import gc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.comparison import FINETUNED, starts_from
from keras_videolstm.training.finetune import FinetuneSettings, Start, single_frame_classifier
from keras_videolstm.training.label_curve import LabelCurve, Trial
from keras_videolstm.training.paired_difference import PairedDifference
from keras_videolstm.training.percept_trials import percept_trials
from keras_videolstm.training.splits import split_by_group
from tests.percept_files import toy_actions

PLAN = {"store": "toy"}


def noting(seen: list, name: str, gain: float) -> Trial:
    """A method that notes what it was asked for, and whose accuracy follows from it."""

    def trial(fold, shots, draw):
        seen.append((name, fold, shots, draw))
        accuracy = 0.5 + 0.1 * fold + 0.01 * draw + gain
        return {"accuracy": accuracy, "nats": 1 - accuracy}

    return trial


def measure(folder: Path, seen: list, **arguments) -> LabelCurve:
    curve = LabelCurve(folder, PLAN)
    trials = {"ours": noting(seen, "ours", 0.05), "theirs": noting(seen, "theirs", 0.0)}
    curve.measure(trials, **{"folds": 2, "shots": [1, None], "draws": 3, **arguments})
    return curve


def test_results_are_means_over_folds_paired_by_draw(tmp_path):
    curve = measure(tmp_path, [])
    assert curve.methods == ["ours", "theirs"]
    assert curve.shots == [1, None]
    np.testing.assert_allclose(curve.by_draw("theirs", 1), [0.55, 0.56, 0.57])
    np.testing.assert_allclose(curve.by_draw("theirs", None, "nats"), [0.45, 0.44, 0.43])
    assert curve.mean_and_std("ours", 1) == (pytest.approx(0.61), pytest.approx(0.01))
    assert curve.difference("ours", "theirs", 1).mean == pytest.approx(0.05)


def test_a_second_call_trains_what_is_missing_only(tmp_path):
    measure(tmp_path, [])
    seen = []
    again = measure(tmp_path, seen, draws=4, shots=[1])
    assert {(shots, draw) for *_, shots, draw in seen} == {(1, 3)}
    np.testing.assert_allclose(again.by_draw("theirs", 1), [0.55, 0.56, 0.57, 0.58])
    assert again.shots == [1, None]


def test_two_processes_on_one_folder_keep_each_other_s_results(tmp_path):
    first = LabelCurve(tmp_path, PLAN)
    measure(tmp_path, [], draws=2, shots=[1])
    first.measure({"ours": noting([], "ours", 0.05)}, folds=2, shots=[2])
    assert first.shots == [1]  # of two clips only one method is there
    found = LabelCurve(tmp_path, PLAN)
    assert found.draws(1) == [0, 1]
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 2 * 2 * 2 + 2


def test_a_kill_loses_one_classifier_at_most(tmp_path):
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path, [], progress=stop)
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 5
    seen = []
    measure(tmp_path, seen)
    assert len(seen) == 2 * 2 * 2 * 3 - 5


def test_a_draw_that_is_not_whole_counts_for_nothing_yet(tmp_path):
    def stop(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path, [], progress=stop)
    # Of the second draw one method has both folds, the other one.
    curve = LabelCurve(tmp_path, PLAN)
    assert curve.draws(1) == [0]
    for method in curve.methods:
        assert curve.by_draw(method, 1).shape == (1,)
    whole = measure(tmp_path, [])
    assert whole.draws(1) == whole.draws(None) == [0, 1, 2]


def test_results_of_another_plan_or_damaged_ones_are_refused(tmp_path):
    measure(tmp_path, [])
    with pytest.raises(InputError, match=r"store='toy', with which .* Received: 'other'"):
        LabelCurve(tmp_path, {"store": "other"})
    with pytest.raises(InputError, match=r"steps=None, with which .* Received: 3"):
        LabelCurve(tmp_path, {**PLAN, "steps": 3})
    with pytest.raises(InputError, match=r"shots of \[1, None\]. Received: 'ours', shots=2"):
        LabelCurve(tmp_path, PLAN).by_draw("ours", 2)
    for damaged in ('{"method": "a"}', "[]", "{", '{"method": "a", "accuracy": "x"}'):
        (tmp_path / "results.jsonl").write_text(damaged + "\n")
        with pytest.raises(InputError, match="results of a label curve"):
            LabelCurve(tmp_path, PLAN)
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(InputError, match="plan in JSON"):
        LabelCurve(tmp_path, PLAN)


@pytest.mark.slow
def test_all_methods_get_the_same_videos_and_other_draws_other_ones(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=8)
    split = split_by_group(store, seed=0)
    seen: dict[str, list] = {"a": [], "b": []}

    def start_of(name: str) -> Start:
        def start(store, split, settings):
            seen[name].append((tuple(split.train), tuple(split.validation), settings.seed))
            return single_frame_classifier(store, split, settings)

        return start

    settings = FinetuneSettings(steps=2, head_steps=2, check_every=2, learning_rate=1e-2, seed=5)
    starts = {name: start_of(name) for name in seen}
    trials = percept_trials(starts, store, [split], settings)
    scores = [trials[name](0, 1, draw) for draw in (0, 3) for name in seen]
    assert all(0 <= one["accuracy"] <= 1 and one["nats"] > 0 for one in scores)
    assert seen["a"] == seen["b"]
    (first, _, seed), (second, _, other) = seen["a"]
    assert (len(first), len(second)) == (2, 2)
    assert first != second
    assert (seed, other) == (5, 8)


@pytest.mark.parametrize(("pairs", "quantile"), [(2, 12.706), (5, 2.776), (10, 2.262), (30, 2.045)])
def test_intervals_use_the_quantiles_of_published_tables(pairs, quantile):
    differences = np.random.default_rng(pairs).normal(0.05, 0.02, pairs)
    found = PairedDifference.between(0.6 + differences, np.full(pairs, 0.6))
    assert found.mean == pytest.approx(differences.mean())
    error = differences.std(ddof=1) / np.sqrt(pairs)
    assert (found.high - found.low) / 2 / error == pytest.approx(quantile, abs=6e-4)


def test_a_difference_is_significant_if_its_interval_leaves_zero_out():
    assert PairedDifference.between([0.7, 0.71, 0.69], [0.6, 0.61, 0.6]).significant
    assert not PairedDifference.between([0.7, 0.5], [0.6, 0.61]).significant
    # One pair, and two that happen to be alike, say nothing of the spread.
    for alone in ([0.7], [0.7, 0.6]):
        found = PairedDifference.between(alone, [one - 0.5 for one in alone])
        assert not found.significant
        assert not found.is_known
    with pytest.raises(InputError, match=r"of both methods\. Received: 2 and 1"):
        PairedDifference.between([0.7, 0.5], [0.6])


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    between = partial(PairedDifference.between, theirs=np.zeros(6))
    found = [between(rng.normal(0.03, 0.05, 6)) for _ in range(400)]
    inside = np.mean([one.low < 0.03 < one.high for one in found])
    assert 0.92 < inside < 0.98


@pytest.mark.slow
def test_what_trials_trained_is_let_go(tmp_path):
    store = toy_actions(tmp_path / "s.h5", groups=8)
    model = VideoLSTM("composite", (4,), units=[4], activation="linear")
    settings = FinetuneSettings(steps=2, head_steps=2, check_every=2)
    trial = percept_trials(starts_from(model), store, [split_by_group(store, seed=0)], settings)
    held = []
    for draw in range(3):
        trial[FINETUNED](0, 1, draw)
        gc.collect()
        held.append(sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects()))
    # A graph of a data set is dropped with the next; those of a classifier are some 20.
    assert held[2] - held[0] <= 4
