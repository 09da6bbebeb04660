"""Tests of measuring and drawing by command."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_videolstm.checkpoints import load_metadata, save
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training import Recipe, moving_mnist_recipes, patch_recipes
from tests.command_line import done, leftovers, refused
from tests.percept_files import PROVENANCE, write_store
from tests.video_files import noise_frames, write_video

SHAPE = (64, 64, 1)


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something of MNIST's form."""
    images = np.random.default_rng(0).integers(0, 256, (60, 28, 28)).astype("uint8")
    path = tmp_path_factory.mktemp("mnist") / "mnist.npz"
    np.savez(path, x_train=images, x_test=images[:20])
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo") / "tiny"
    model = VideoLSTM("conditional_composite", SHAPE, [6, 5], 10)
    save(model, folder, {"description": "tiny", "input_steps": 10})
    return folder


@pytest.fixture(scope="module")
def convolutional(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo") / "tiny_conv"
    model = VideoLSTM("conditional_composite", SHAPE, [3, 4], 10, convolution={"patch_size": 8})
    save(model, folder, {"description": "tiny", "input_steps": 10})
    return folder


def test_evaluate_reports_every_output_frame_by_frame(checkpoint, mnist, tmp_path):
    arguments = ("evaluate", checkpoint, "--on", "moving_mnist", "--mnist", mnist)
    arguments += ("--test-sequences", 7, "--batch-size", 3)
    result = json.loads(done(*arguments, "--json", "--out", tmp_path / "scores.json"))
    assert json.loads((tmp_path / "scores.json").read_text()) == result
    names = {"prediction", "prediction_forced", "reconstruction", "target"}
    assert set(result["means"]) == set(result["by_frame"]) == names
    for name in names - {"target"}:
        scores = result["by_frame"][name]
        assert set(scores) == {"nats", "mse", "ssim", "psnr"}
        assert all(len(values) == 10 for values in scores.values())
        assert result["means"][name]["nats"] == pytest.approx(np.mean(scores["nats"]))
    # Nothing beats the truth, and nothing but numbers is in the file.
    assert result["means"]["prediction"]["nats"] > result["means"]["target"]["nats"]
    assert "Infinity" not in (tmp_path / "scores.json").read_text()
    text = done(*arguments)
    assert "7 sequences of 2 digits" in text
    assert f"{result['means']['prediction']['nats']:.1f}" in text


def test_evaluate_runs_on_any_horizon_and_number_of_digits(checkpoint, mnist):
    arguments = ("evaluate", checkpoint, "--on", "moving_mnist", "--mnist", mnist)
    arguments += ("--test-sequences", 2, "--steps", 30, "--digits", 3, "--json")
    result = json.loads(done(*arguments))
    assert len(result["by_frame"]["prediction"]["mse"]) == 30
    assert len(result["by_frame"]["reconstruction"]["mse"]) == 10
    assert "3 digits" in result["data"]


def test_evaluate_reads_the_published_file(checkpoint, tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (20, 4, 64, 64)).astype("uint8")
    np.save(tmp_path / "mnist_test_seq.npy", frames)
    result = json.loads(
        done("evaluate", checkpoint, "--on", tmp_path / "mnist_test_seq.npy", "--json")
    )
    assert result["data"] == "4 sequences of mnist_test_seq.npy"


@pytest.fixture
def percepts(tmp_path: Path) -> tuple[Path, Path]:
    """A model of percepts, and a store of two groups: one of noise, one that stands still."""
    noise = np.random.default_rng(0).normal(size=(40, 7)).astype("float32")
    still = np.ones((40, 7), "float32")
    write_store(tmp_path / "percepts.h5", [(noise, "", "g01"), (still, "", "g02")])
    model = VideoLSTM("conditional_composite", (7,), [4], 5, activation="linear")
    save(model, tmp_path / "model", {"input_steps": 6})
    return tmp_path / "model", tmp_path / "percepts.h5"


def test_evaluate_measures_on_named_groups_of_a_percept_store(percepts):
    model, store = percepts
    arguments = ("evaluate", model, "--json", "--test-sequences", 9, "--on")
    still = json.loads(done(*arguments, f"{store}:g02"))
    assert still["by_frame"]["prediction by the last frame held"]["loss"] == [0] * 5
    assert still["means"]["prediction by the training mean"]["loss"] == pytest.approx(3.5)
    everything = json.loads(done(*arguments, store, "--steps", 8))
    assert everything["data"] == f"9 windows of 14 frames of {store}"
    assert everything["means"]["prediction by the last frame held"]["loss"] > 0
    names = {"prediction", "prediction_forced", "reconstruction"}
    assert names < set(everything["by_frame"])
    assert len(everything["by_frame"]["prediction"]["loss"]) == 8


def test_evaluate_says_what_a_percept_store_lacks(percepts, checkpoint):
    model, store = percepts
    assert "g07" in refused("evaluate", model, "--on", f"{store}:g07")
    assert "which the model reads" in refused("evaluate", checkpoint, "--on", store)
    told = refused("evaluate", model, "--on", store, "--digits", 3, code=2)
    assert "Expected --digits with --on moving_mnist" in told


def test_what_a_file_decides_is_not_asked_for(checkpoint, tmp_path):
    np.save(tmp_path / "mnist_test_seq.npy", np.zeros((20, 4, 64, 64), "uint8"))
    arguments = ("evaluate", checkpoint, "--on", tmp_path / "mnist_test_seq.npy", "--digits", 3)
    assert "Expected --digits with --on moving_mnist" in refused(*arguments, code=2)


def test_evaluate_says_what_it_cannot_do(checkpoint, mnist, tmp_path):
    assert "--on moving_mnist" in refused("evaluate", checkpoint, "--on", "ucf101")
    save(VideoLSTM("composite", (7,), [4], activation="linear"), tmp_path / "percepts", {})
    told = refused("evaluate", tmp_path / "percepts", "--on", "moving_mnist", "--mnist", mnist)
    assert "a model of pixels" in told


@pytest.mark.parametrize(
    "figure",
    [
        "fig4",
        pytest.param("fig_long", marks=pytest.mark.slow),
        pytest.param("fig_digits", marks=pytest.mark.slow),
    ],
)
def test_films_are_drawn_of_several_checkpoints(figure, checkpoint, convolutional, mnist, tmp_path):
    arguments = ("--mnist", mnist, "--test-sequences", 1, "--out", tmp_path / "figures")
    paths = done("reproduce", figure, checkpoint, convolutional, *arguments).split()
    assert {Path(path).suffix for path in paths} == {".png", ".gif"}
    for path in paths:
        with Image.open(path) as image:
            assert image.width > 300
            assert path.endswith(".png") or image.n_frames >= 20
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("kind", ["checkpoint", "convolutional"])
def test_weights_and_activity_are_drawn(kind, mnist, tmp_path, request):
    entry = request.getfixturevalue(kind)
    done("reproduce", "fig_features", entry, "--out", tmp_path)
    done("reproduce", "fig_state", entry, "--mnist", mnist, "--steps", 20, "--out", tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"fig_features_input.png", "fig_features_output.png", "fig_state.png"}


@pytest.mark.slow
def test_checkpoints_of_one_name_are_told_apart(checkpoint, mnist, tmp_path):
    again = tmp_path / "again" / checkpoint.name
    shutil.copytree(checkpoint, again)
    heights = []
    for entries in ((checkpoint,), (checkpoint, again)):
        out = tmp_path / str(len(entries))
        done("reproduce", "fig4", *entries, "--mnist", mnist, "--test-sequences", 1, "--out", out)
        with Image.open(out / "fig4_1.png") as image:
            heights.append(image.height)
    assert heights[1] > heights[0] + 40


def test_json_says_what_each_film_shows(checkpoint, mnist, tmp_path):
    arguments = ("--mnist", mnist, "--test-sequences", 1, "--out", tmp_path, "--json")
    shown = json.loads(done("reproduce", "fig_digits", checkpoint, *arguments))
    assert [Path(one["path"]).name for one in shown] == [
        *("fig_digits_1_1.png", "fig_digits_1_1.gif", "fig_digits_3_1.png", "fig_digits_3_1.gif"),
    ]
    assert shown[2]["shows"] == "test sequence 1 of 3 digits, and what tiny predicts"


def test_a_long_film_needs_a_model_that_predicts(mnist, tmp_path):
    save(VideoLSTM("autoencoder", SHAPE, [4]), tmp_path / "auto", {"input_steps": 10})
    told = refused("reproduce", "fig_long", tmp_path / "auto", "--mnist", mnist, "--out", tmp_path)
    assert "Expected models that predict" in told


def test_models_that_read_other_numbers_of_frames(checkpoint, mnist, tmp_path):
    save(VideoLSTM("composite", SHAPE, [4]), tmp_path / "more", {"input_steps": 16})
    arguments = ("evaluate", tmp_path / "more", "--on", "moving_mnist", "--mnist", mnist)
    result = json.loads(done(*arguments, "--test-sequences", 2, "--steps", 5, "--json"))
    assert len(result["by_frame"]["prediction"]["nats"]) == 5
    assert len(result["by_frame"]["reconstruction"]["nats"]) == 16
    assert "16 frames read" in result["protocol"]
    arguments = ("reproduce", "fig4", checkpoint, tmp_path / "more", "--mnist", mnist)
    assert "read as many frames" in refused(*arguments, "--out", tmp_path)


def test_figures_need_a_model_of_such_frames(tmp_path, mnist):
    save(VideoLSTM("composite", (7,), [4], activation="linear"), tmp_path / "percepts", {})
    told = refused("reproduce", "fig4", tmp_path / "percepts", "--mnist", mnist, "--out", tmp_path)
    assert "Expected a video model of frames (64, 64, 1)" in told


@pytest.fixture
def little_validation(monkeypatch):
    """Lets table2's recipes validate on few sequences, and train small layers on few frames."""
    for name in ("table2_recipe", "convolutional_recipe"):
        place = f"keras_videolstm_tools.work.reproduce_table2.{name}"
        make = getattr(moving_mnist_recipes, name)
        monkeypatch.setattr(place, lambda *arguments, make=make: with_little(make(*arguments)))


def with_little(recipe: Recipe) -> Recipe:
    data = dataclasses.replace(recipe.data, validation_windows=2 * recipe.training.batch_size)
    few = {"units": [4] * len(recipe.model.units), "input_steps": 3, "prediction_steps": 2}
    model = dataclasses.replace(recipe.model, **few)
    return dataclasses.replace(recipe, data=data, model=model)


@pytest.mark.slow
@pytest.mark.usefixtures("little_validation")
def test_table2_trains_measures_and_continues(mnist, tmp_path):
    arguments = ("reproduce", "table2", "--row", "future_predictor")
    arguments += ("--units", 4, "--training-sequences", 64, "--repeats", 2, "--test-sequences", 3)
    arguments += ("--mnist", mnist, "--out", tmp_path)
    text = done(*arguments)
    text_of_json = (tmp_path / "table2.json").read_text()
    assert "Infinity" not in text_of_json
    measured = json.loads(text_of_json)
    runs = measured["future_predictor_moving_mnist"]
    assert [run["seed"] for run in runs] == [1, 2]
    values = [run["scores"]["prediction"]["nats"] for run in runs]
    assert f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}" in text
    assert "| 350.2 |" in text
    before = json.loads((tmp_path / "table2.json").read_text())
    result = json.loads(done(*arguments, "--json"))
    assert json.loads((tmp_path / "table2.json").read_text()) == before
    (row,) = result["rows"]
    assert (row["model"], row["seeds"], row["paper"]) == (
        *("future_predictor_moving_mnist", [1, 2], 350.2),
    )
    assert row["scores"]["future, free-running"] == {
        "mean": pytest.approx(np.mean(values)),
        "std": pytest.approx(np.std(values, ddof=1)),
    }
    assert row["scores"]["reconstruction"] is None
    assert all(Path(path).is_file() for path in result["files"])


@pytest.mark.slow
@pytest.mark.usefixtures("little_validation")
def test_table2_has_rows_without_future_conditional_and_convolutional(mnist, tmp_path):
    rows = ("autoencoder", "conditional_composite", "composite_conv")
    arguments = ("reproduce", "table2", *(word for row in rows for word in ("--row", row)))
    arguments += ("--units", 4, "--training-sequences", 16, "--test-sequences", 3)
    text = done(*arguments, "--mnist", mnist, "--out", tmp_path)
    text_of_json = (tmp_path / "table2.json").read_text()
    assert "Infinity" not in text_of_json
    measured = json.loads(text_of_json)
    assert list(measured) == [f"{row}_moving_mnist" for row in rows]
    for name, (run,) in measured.items():
        assert run["sequences"] == 16
        output = "reconstruction" if name.startswith("autoencoder") else "prediction_forced"
        nats = run["scores"][output]["nats"]
        assert any(
            line.startswith(f"| {name}") and f"| {nats:.1f} |" in line for line in text.splitlines()
        )
    with Image.open(tmp_path / "table2.png") as image:
        assert image.width > 300


def test_table2_of_the_zoo_trains_nothing(mnist, tmp_path):
    arguments = ("reproduce", "table2", "--from-zoo", "--units", 4, "--out", tmp_path)
    told = refused(*arguments, "--mnist", mnist, code=2)
    assert "Expected --units where rows are trained" in told


def test_table2_of_the_zoo_names_what_is_missing(mnist, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_videolstm_tools.work.table_rows.list_checkpoints", list)
    told = refused("reproduce", "table2", "--from-zoo", "--mnist", mnist, "--out", tmp_path)
    assert "autoencoder_moving_mnist" in told


@pytest.mark.slow
def test_table2_of_patches_trains_measures_and_says_what_nothing_learned_scores(
    tmp_path, monkeypatch
):
    place = "keras_videolstm_tools.work.reproduce_table2_patches.patches_recipe"

    def little(*arguments) -> Recipe:
        recipe = patch_recipes.patches_recipe(*arguments)
        data = dataclasses.replace(recipe.data, validation_windows=16)
        return dataclasses.replace(recipe, data=data)

    monkeypatch.setattr(place, little)
    rng = np.random.default_rng(0)
    # Each video is as long as a window, so that all windows of the one test video are the same.
    videos = [
        (rng.uniform(0, 1, (29, 3072)).astype("float32"), "", group) for group in ("a", "b", "c")
    ]
    store = write_store(tmp_path / "p.h5", videos, {**PROVENANCE, "extractor": "patches"}).path
    parts = ("--train", f"{store}:a", "--validation", f"{store}:b", "--test", f"{store}:c")
    arguments = ("reproduce", "table2_patches", *parts, "--units", 4, "--training-sequences", 16)
    arguments += ("--row", "conditional_composite", "--out", tmp_path / "out")
    result = json.loads(done(*arguments, "--json"))
    (row,) = result["rows"]
    assert (row["model"], row["training_sequences"], row["seeds"], row["paper"]) == (
        *("conditional_composite", 16, [1], 208.1),
    )
    for column in ("future, free-running", "future, teacher-forced", "reconstruction"):
        assert row["scores"][column]["mean"] > 0
    assert all(Path(path).is_file() for path in result["files"])
    written = (tmp_path / "out" / "table2_patches.md").read_text()
    assert f"| {row['scores']['reconstruction']['mean']:.1f} |" in written

    train, _, test = (video.astype("float64").reshape(29, -1, 3) for video, *_ in videos)
    deviation = train.std(axis=(0, 1))
    for name, guess in (
        ("the last frame held", test[15]),
        ("the mean of the frames read", test[:16].mean(axis=0)),
        ("the training mean", train.mean(axis=(0, 1))),
    ):
        errors = 0.5 * np.square((test[16:] - guess) / deviation).sum(axis=(1, 2))
        assert result["baselines"][f"prediction by {name}"] == pytest.approx(
            errors.mean(), rel=1e-3
        )

    # Of the zoo, what is published is measured, and asks for its own store.
    zoo = ("reproduce", "table2_patches", "--from-zoo", "--root", tmp_path, "--out", tmp_path / "z")
    assert "ucf_patches.h5" in refused(*zoo)
    assert "no ['autoencoder_patches']" in refused(*zoo, "--row", "autoencoder")

    # The run is one that can be published, with pictures of any clip.
    (tmp_path / "card.md").write_text("# A card\n\n<!-- results -->\n")
    clip = write_video(tmp_path / "clip.mp4", noise_frames(30, (320, 240)), fps=15)
    entry = tmp_path / "zoo" / "patches"
    run = tmp_path / "out" / "conditional_composite_4_seed1"
    publish = ("zoo", "publish", run, "--card", tmp_path / "card.md", "--root", "/")
    done(*publish, "--clip", clip, "--out", entry)
    with Image.open(entry / "forecast_1.gif") as film:
        assert film.n_frames == 29
    assert "loss per frame, test part" in (entry / "README.md").read_text()
    assert load_metadata(entry)["percepts"]["extractor"] == "patches"
    done("predict", entry, clip, "--steps", 5, "--out", tmp_path / "forecast.gif")


def test_fig5_draws_patches_of_own_clips_and_says_which_is_too_short(tmp_path):
    percepts = {"extractor": "patches", "fps": 15, "fit": "crop"}
    for variant in ("composite", "autoencoder"):
        model = VideoLSTM(variant, (32, 32, 3), [4], 5, activation="linear", standardize="channel")
        save(model, tmp_path / variant, {"input_steps": 6, "percepts": percepts})
    clip = write_video(tmp_path / "clip.mp4", noise_frames(20, (320, 240)), fps=15)
    short = write_video(tmp_path / "short.mp4", noise_frames(6, (320, 240)), fps=15)
    arguments = ("reproduce", "fig5", tmp_path / "composite", tmp_path / "autoencoder")
    arguments += ("--out", tmp_path / "out", "--clip", clip)
    shown = json.loads(done(*arguments, "--json"))
    assert [Path(one["path"]).name for one in shown] == ["fig5_1.png", "fig5_1.gif"]
    with Image.open(shown[1]["path"]) as film:
        assert film.n_frames == 11
    told = refused(*arguments, "--clip", short)
    assert "more than the 6 frames that are read" in told
    assert "short.mp4 with 6" in told
