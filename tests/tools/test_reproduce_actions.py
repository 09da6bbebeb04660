"""Tests of the paper's action tables, on miniatures in the data sets' own layouts."""

import json
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.checkpoints import load_metadata, save
from keras_videolstm.data.figures import write_clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training.comparison import FINETUNED, SCRATCH
from keras_videolstm.training.finetune import FinetuneSettings
from keras_videolstm.training.label_curve import LabelCurve
from keras_videolstm.training.splits import official_split, split_by_group, split_of_control
from keras_videolstm_tools.reproduce_actions import _OF_TABLE_3
from keras_videolstm_tools.work.label_protocols import Protocol, write_table
from tests.command_line import call, contents, done, refused
from tests.percept_files import toy_actions, write_store
from tests.tiny_runs import RECIPE

PATCHES = {"extractor": "patches", "fps": 15, "fit": "crop"}
QUICK = ("--training-steps", 2, "--repeats", 1)
# Real names; the first of a class is for testing in split 1, the second in split 2.
HMDB51 = {
    "brush_hair": (
        "Aussie_Brunette_Brushing_Long_Hair_brush_hair_u_nm_np1_ba_med_3",
        "Aussie_Brunette_Brushing_Hair_II_brush_hair_u_nm_np1_ri_med_3",
        "Brushing_my_Long_Hair__February_2009_brush_hair_u_nm_np1_ba_goo_1",
        "Haarek_mmen_brush_hair_h_cm_np1_fr_goo_1",
    ),
    "clap": (
        "Alex_applauding_himself_clap_u_nm_np1_fr_med_0",
        "Baby_Bob_kann_klatschen_!_clap_u_cm_np1_fr_med_0",
        "#20_Rhythm_clap_u_nm_np1_fr_goo_1",
        "Applauding_Abby_clap_u_nm_np1_fr_med_0",
    ),
}
UCF101_GROUPS = ("g01", "g08", "g15", "g22", "g23")


def save_model(folder: Path, variant: str, percepts: dict = PATCHES, features: int = 3072) -> Path:
    arguments = {"units": [4], "activation": "linear", "standardize": True}
    model = VideoLSTM(variant, (features,), **arguments)
    model.set_statistics(np.full(features, 0.5), np.full(features, 0.3))
    save(model, folder / variant, {"percepts": percepts, "input_steps": 6})
    return folder / variant


def write_video(path: Path, level: int, seed: int) -> None:
    frames = np.random.default_rng(seed).integers(level - 20, level + 20, (20, 48, 64, 3))
    write_clip(path, frames.astype("uint8"), fps=15)


def results(folder: Path) -> list[dict]:
    lines = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def rows_of(table: str) -> dict[str, list[str]]:
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows}


@pytest.fixture(autouse=True)
def few_steps_of_the_softmax(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command has an option for them, and what is learned does not matter here."""
    few = partial(FinetuneSettings, head_steps=5)
    for module in ("label_protocols", "reproduce_controls"):
        monkeypatch.setattr(f"keras_videolstm_tools.work.{module}.FinetuneSettings", few)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for variant in ("composite", "autoencoder"):
        save_model(folder, variant)
    return folder


@pytest.fixture(scope="module")
def hmdb51(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "hmdb51_org"
    for name, level in (("brush_hair", 200), ("clap", 50)):
        for number, video in enumerate(HMDB51[name]):
            write_video(folder / name / f"{video}.avi", level, number)
    return folder


@pytest.fixture(scope="module")
def ucf101(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "UCF-101"
    for name, level in (("Archery", 200), ("Punch", 50)):
        for number, group in enumerate(UCF101_GROUPS):
            write_video(folder / name / f"v_{name}_{group}_c01.avi", level, number)
    return folder


@pytest.mark.slow
def test_figure_7_is_measured_on_official_splits_beside_the_paper(models, ucf101, tmp_path):
    arguments = ("reproduce", "fig7", models / "composite", "--ucf101", ucf101, "--out", tmp_path)
    arguments += (*QUICK, "--split", 3, "--shots", 1)
    text = done(*arguments)
    assert "the paper's numbers, of all its 101 classes, where these are 2." in text
    table = rows_of(text)
    folder = tmp_path / "ucf101"
    methods = ["single frame", "LSTM from scratch", "LSTM, fine-tuned"]
    assert list(table)[:4] == ["method", *methods]
    assert table["method"] == ["1", "all"]
    assert re.fullmatch(r"[\d.]+ \(34.3\)", table["LSTM, fine-tuned"][0])
    assert re.fullmatch(r"[\d.]+ \(74.5\)", table["LSTM from scratch"][1])
    # One draw has neither deviation nor interval.
    assert re.fullmatch(r"[+-][\d.]+", table["LSTM, fine-tuned − LSTM from scratch"][0])
    found = results(folder)
    shown = float(table["single frame"][1].split()[0])
    mine = [one for one in found if one["method"] == methods[0] and not one["shots"]]
    assert shown == pytest.approx(100 * np.mean([one["accuracy"] for one in mine]), abs=0.06)
    assert (folder / "fig7.png").stat().st_size > 1000
    assert f"| {methods[0]} |" in (folder / "fig7.md").read_text(encoding="utf-8")
    # Nothing is trained twice, and another plan is not mixed in.
    before = (folder / "results.jsonl").read_bytes()
    assert rows_of(done(*arguments)) == table
    (result,) = json.loads(done(*arguments, "--json"))
    assert Path(result["picture"]).is_file()
    assert [(row["method"], row["shots"]) for row in result["rows"]] == [
        (method, shots) for method in methods for shots in (1, None)
    ]
    assert result["rows"][1]["mean"] == pytest.approx(shown, abs=0.06)
    assert result["rows"][1]["std"] is None
    assert result["rows"][1]["above_baseline"]["interval_95"] is None
    assert (folder / "results.jsonl").read_bytes() == before
    assert "settings=" in refused(*arguments, "--training-steps", 3)


@pytest.mark.slow
def test_table_3_has_a_row_for_each_variant(models, hmdb51, tmp_path):
    variants = (models / "composite", models / "autoencoder")
    arguments = ("--hmdb51", hmdb51, "--split", 2, "--shots", 1, "--out", tmp_path)
    table = rows_of(done("reproduce", "table3", *variants, *arguments, *QUICK))
    assert list(table)[:4] == ["method", "LSTM from scratch", "composite", "autoencoder"]
    assert table["composite"][1].endswith("(44.1)")
    assert table["autoencoder"][1].endswith("(44.0)")
    assert list(table)[-1] == "autoencoder − LSTM from scratch"


@pytest.mark.slow
def test_table_1_takes_any_labelled_store_by_its_sources(models, tmp_path):
    percepts = {**PATCHES, "extractor": "toy"}
    store = toy_actions(tmp_path / "s.h5", groups=5).path
    model = save_model(tmp_path, "composite", percepts, features=4)
    out = tmp_path / "out"
    arguments = ("reproduce", "table1", model, "--data", store, "--out", out)
    text = done(*arguments, *QUICK, "--fold", "g00:g01", "--fold", "g02-g03")
    assert "each the mean over 2 folds, of 2, 4 test videos" in text
    assert rows_of(text)["method"] == ["all"]
    assert {one["shots"] for one in results(out / "data")} == {0}


@pytest.mark.slow
def test_table_4_is_of_pictures_and_of_a_temporal_stream_trained_here(
    models, ucf101, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "keras_videolstm.percepts.temporal_stream_percepts.zoo_folder", lambda: tmp_path / "zoo"
    )
    stream = tmp_path / "zoo" / "my_flow"
    arguments = ("--stack", 1, "--training-steps", 2, "--test-groups", "g01")
    text = done("temporal-stream", ucf101, "--out", stream, *arguments)
    assert rows_of(text)["test"][0] == "2"
    assert {"README.md", "curves.png", "confusion.png", "split.csv"} <= set(contents(stream))
    percepts = {"extractor": "my_flow", "fps": 15, "fit": "crop"}
    flow = save_model(tmp_path, "composite", percepts, features=512)
    arguments = (models / "composite", flow, "--ucf101", ucf101, "--out", tmp_path / "out")
    text = done("reproduce", "table4", *arguments, *QUICK, "--split", 3)
    table = rows_of(text)
    methods = ["pictures", "optical flow", "both, weight by validation", "both, flow counted twice"]
    assert list(table)[1:5] == methods
    assert [table[method][0].split()[-1] for method in (methods[0], methods[3])] == [
        "(75.8)",
        "(84.3)",
    ]
    found = {one["method"]: one for one in results(tmp_path / "out" / "ucf101")}
    assert found["pictures"]["weight_of_flow"] == 0
    chosen = found[methods[2]]["weight_of_flow"]
    assert f"a weight of {chosen:.2f}" in text
    # Split 3 tests on g15, which the convnet was trained on, or chosen by.
    assert "Of 2 test clips, 2 are among those whose labels the convnet of my_flow has" in text
    arguments = (flow, ucf101, "--test-groups", "g01", "--training-steps", 2)
    text = done("finetune", *arguments, "--out", tmp_path / "classifier")
    assert "labels" not in text
    store = PerceptStore(tmp_path / "out" / "flow" / "ucf101" / "percepts.h5")
    assert store.metadata["extractor"] == "my_flow"
    assert set(store.frame_counts) == {19}


@pytest.mark.slow
def test_controls_of_order_keep_videos_on_their_side(models, ucf101, tmp_path):
    arguments = ("reproduce", "order", models / "composite", "--ucf101", ucf101, "--out", tmp_path)
    text = done(*arguments, *QUICK, "--split", 1, "--shots", 1, "--control", "direction")
    assert "of 4 test videos" in text
    folder = tmp_path / "direction" / "ucf101"
    assert (folder / "direction.png").stat().st_size > 1000
    control, store = (
        PerceptStore(folder / "percepts.h5"),
        PerceptStore(tmp_path / "ucf101" / "percepts.h5"),
    )
    split = official_split(store, "ucf101", 1, seed=0)
    derived = split_of_control(control, store, split)
    for part in ("train", "validation", "test"):
        before, after = getattr(split, part), getattr(derived, part)
        assert len(after) == 2 * len(before)
        assert set(control.groups[after]) == set(store.groups[before])


@pytest.mark.slow
def test_moving_digits_are_named_from_few_labels(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28)).astype("uint8")
    labels = (np.arange(60) % 10).astype("uint8")
    arrays = {"x_train": images, "y_train": labels, "x_test": images[:20], "y_test": labels[:20]}
    np.savez(tmp_path / "mnist.npz", **arrays)
    save(VideoLSTM("autoencoder", (64, 64, 1), units=[4]), tmp_path / "model", {"input_steps": 10})
    arguments = ("reproduce", "digits", tmp_path / "model", "--mnist", tmp_path / "mnist.npz")
    arguments += ("--out", tmp_path / "out", "--task", "speed", "--shots", 1)
    table = rows_of(done(*arguments, *QUICK))
    assert table["method"] == ["1"]
    folder = tmp_path / "out" / "speed" / "moving_digits"
    assert (folder / "speed.png").stat().st_size > 1000
    store = PerceptStore(folder / "percepts.h5")
    assert [list(store.groups).count(part) for part in ("train", "validation", "test")] == [
        9,
        3,
        300,
    ]
    told = refused("reproduce", "digits", "efficientnet_lite0", "--out", tmp_path)
    assert "frames (64, 64, 1)" in told


def test_json_has_the_numbers_of_the_table(tmp_path):
    store = toy_actions(tmp_path / "s.h5")
    curve = LabelCurve(tmp_path / "ucf101", {})
    trials = {
        SCRATCH: lambda fold, shots, draw: {"accuracy": (0.51, 0.59)[draw]},
        FINETUNED: lambda fold, shots, draw: {"accuracy": 0.7 + draw / 10},
    }
    curve.measure(trials, folds=1, shots=[1, None], draws=2)
    split = split_by_group(store, seed=0)
    save(VideoLSTM("autoencoder", (4,), units=[4]), tmp_path / "model", {})
    recipe = RECIPE.format(variant="composite", steps=1, epochs=1).replace("g00-g02", "g00-g09")
    (tmp_path / "model" / "recipe.toml").write_text(recipe)
    model = str(tmp_path / "model")
    protocol = Protocol("ucf101", store, [split], [("bad.avi", "0 bytes")])
    made = write_table(curve, [protocol], tmp_path, "table1", [model])
    result = json.loads(json.dumps(made.result))
    assert result["test_videos"] == [len(split.test)]
    assert {row["draws"] for row in result["rows"]} == {2}
    assert result["skipped"] == [["bad.avi", "0 bytes"]]
    # The checkpoint has learned from sources of these names.
    (group,) = set(store.groups[split.test])
    assert result["test_sources_seen_in_pretraining"] == {model: [group]}
    assert f"Of 2 test clips, 2 bear names of sources that {model} has learned" in made.text
    assert Path(result["table"]).read_text(encoding="utf-8") == made.text
    rows = {(row["method"], row["shots"]): row for row in result["rows"]}
    assert len(rows) == 4
    row = rows[FINETUNED, None]
    assert (row["mean"], row["paper"]) == (pytest.approx(75), 75.8)
    assert row["std"] == pytest.approx(100 * np.std([0.7, 0.8], ddof=1))
    assert row["above_baseline"]["mean"] == pytest.approx(20)
    low, high = row["above_baseline"]["interval_95"]
    assert low < 20.1 and high > 19.9
    assert f"{FINETUNED} − {SCRATCH}, 95% interval" in rows_of(made.text)
    assert rows_of(made.text)[FINETUNED][1] == f"75.0 ± {row['std']:.1f} (75.8)"
    assert "above_baseline" not in rows[SCRATCH, 1]


def test_an_official_split_keeps_its_test_part_and_cuts_validation_by_source(hmdb51, tmp_path):
    videos = sorted(hmdb51.rglob("*.avi"))
    done("extract", hmdb51, "--out", tmp_path / "s.h5", "--percepts", "patches")
    store = PerceptStore(tmp_path / "s.h5")
    for number in (1, 2):
        split = official_split(store, "hmdb51", number, seed=0)
        tested = {Path(store.names[video]).stem for video in split.test}
        assert tested == {names[number - 1] for names in HMDB51.values()}
        assert len(split.train) == 4
        assert len(split.validation) == 2
    assert len(videos) == len(store)
    # The source is the name without class and description.
    assert {"Haarek_mmen", "#20_Rhythm", "Applauding_Abby"} <= set(store.groups)


@pytest.mark.slow
def test_data_without_folds_is_divided_as_for_fine_tuning(models, ucf101, tmp_path):
    for number, path in enumerate(sorted(ucf101.rglob("*.avi"))):
        (tmp_path / "own" / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "own" / path.parent.name / f"{number}.avi")
    arguments = ("--data", tmp_path / "own", "--out", tmp_path, *QUICK, "--fit", "pad")
    result = call("reproduce", "table1", models / "composite", *arguments)
    assert result.exit_code == 0, result.output
    assert "one draw, of 2 test videos" in result.stdout
    assert "paper" not in result.stdout
    # As by fine-tuning, one is told that each file counts as a source.
    assert "10 clips count as 10 sources, by their files' names" in result.stderr
    assert PerceptStore(tmp_path / "data" / "percepts.h5").metadata["fit"] == "pad"


@pytest.mark.slow
def test_files_of_other_names_are_told_before_percepts_are_made(models, hmdb51, ucf101, tmp_path):
    table1 = ("reproduce", "table1", models / "composite", "--out", tmp_path / "out", *QUICK)
    told = refused(*table1, "--hmdb51", ucf101)
    assert "Expected videos of hmdb51, by their official names" in told
    assert contents(tmp_path) == {}
    shutil.copytree(hmdb51, tmp_path / "hmdb51")
    write_video(tmp_path / "hmdb51" / "clap" / "mine.mp4", 50, 9)
    (result,) = json.loads(done(*table1, "--hmdb51", tmp_path / "hmdb51", "--json"))
    assert result["test_videos"] == [2, 2, 2]  # of all three splits
    ((path, why),) = result["skipped"]
    assert (Path(path).name, why) == ("mine.mp4", "not a name of hmdb51")


def test_the_zoo_has_all_variants_of_table_3():
    variants = [load_metadata(name)["percepts"] for name in _OF_TABLE_3]
    assert len(variants) == 6
    assert all(percepts == variants[0] for percepts in variants)


def test_wrong_use_is_told(models, hmdb51, tmp_path):
    fig7 = ("reproduce", "fig7", models / "composite", "--out", tmp_path / "out")
    assert "Received: none" in refused(*fig7, code=2)
    assert "--fold without --data" in refused(*fig7, "--fold", "g01", code=2)
    twice = (models / "composite", models / "composite")
    arguments = ("--hmdb51", hmdb51, "--out", tmp_path / "out")
    assert "different variants" in refused("reproduce", "table3", *twice, *arguments)
    assert "to fine-tune" in refused("reproduce", "fig7", "efficientnet_lite0", *arguments)


def test_videos_of_another_data_set_have_no_official_split(tmp_path):
    store = toy_actions(tmp_path / "s.h5")
    with pytest.raises(InputError, match=r"a video of HMDB-51, .* Received: video0\.mp4"):
        official_split(store, "hmdb51", 1, seed=0)
    videos = [(store.read(i), name, f"g{i:02d}") for i, name in enumerate(("Archery", "Punch"))]
    with pytest.raises(InputError, match=r"a video of UCF-101"):
        official_split(write_store(tmp_path / "u.h5", videos), "ucf101", 1, seed=0)
    videos = [(store.read(i), "", f"g{i:02d}") for i in range(2)]
    with pytest.raises(InputError, match="labelled videos of at least two classes"):
        official_split(write_store(tmp_path / "n.h5", videos), "ucf101", 1, seed=0)
