"""Tests of the way from video files to a named action, and of bad input on it."""

import csv
import json
import math
import os
import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.checkpoints import load, load_metadata, save, verify
from keras_videolstm.data.figures import write_clip
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.percepts import PatchPercepts
from keras_videolstm.training.finetune import FinetuneSettings
from keras_videolstm_tools.work.labelled_percepts import settings_of
from keras_videolstm_tools.work.pretraining_sources import sources_seen
from tests.command_line import call, contents, done, leftovers, refused
from tests.live_server import serving
from tests.percept_files import PROVENANCE, numbered_store, toy_actions, write_store
from tests.tiny_runs import RECIPE
from tests.video_files import cut, level_frames, noise_frames, write_images, write_sound

PATCHES = {"extractor": "patches", "fps": 15, "fit": "crop"}
SUFFIXES = (".mp4", ".avi", ".webm", ".mkv", ".mov")


def make_videos(folder: Path, groups: int = 5) -> Path:
    """Two actions that differ in brightness, one clip a group each, in many containers."""
    rng = np.random.default_rng(0)
    for group in range(groups):
        for label, level in (("lit", 200), ("dim", 50)):
            frames = rng.integers(level - 20, level + 20, (20, 48, 64, 3)).astype("uint8")
            name = f"figure{group:02d}_clip0{SUFFIXES[group % len(SUFFIXES)]}"
            write_clip(folder / label / name, frames, fps=15)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos, a video model and a classifier made from them; not to be changed."""
    folder = tmp_path_factory.mktemp("base")
    make_videos(folder / "videos")
    model = VideoLSTM(
        "composite", (3072,), units=[8], prediction_steps=5, activation="linear", standardize=True
    )
    model.set_statistics(np.full(3072, 0.5), np.full(3072, 0.3))
    recipe = RECIPE.format(variant="composite", steps=1, epochs=1)
    recipe = recipe.replace("g00-g02", "figure00-figure02")
    metadata = {"percepts": PATCHES, "input_steps": 6}
    save(model, folder / "model", metadata, files={"recipe.toml": recipe})
    done("extract", folder / "videos", "--out", folder / "store.h5", "--percepts", "patches")
    done(*finetune(folder, folder / "store.h5", folder / "classifier"))
    return folder


def finetune(base: Path, data: Path, out: Path) -> tuple[object, ...]:
    quick = ("--training-steps", 60, "--learning-rate", 0.01)
    return ("finetune", base / "model", data, "--out", out, *quick)


# --- The good way ---


def test_extraction_writes_a_labelled_store(base):
    store = PerceptStore(base / "store.h5")
    assert store.class_names == ("dim", "lit")
    assert len(store) == 10
    assert set(store.groups) == {f"figure{i:02d}" for i in range(5)}
    assert {key: store.metadata[key] for key in PATCHES} == PATCHES
    assert store.frame_counts.min() == store.frame_counts.max() == 20


def test_extraction_takes_several_views_of_a_padded_frame_by_flips_alone(base, tmp_path):
    arguments = ("extract", base / "videos", "--out", tmp_path / "s.h5", "--percepts", "patches")
    done(*arguments, "--crops", 2, "--flips")
    store = PerceptStore(tmp_path / "s.h5")
    assert (len(store), store.count_clips(range(len(store)))) == (40, 10)
    told = refused(*arguments, "--crops", 2, "--fit", "pad", code=2)
    assert "--crops with --fit crop" in told


def test_fine_tuning_writes_a_classifier_that_verifies_and_its_report(base):
    out = base / "classifier"
    assert verify(out)
    assert load(out).class_names == ["dim", "lit"]
    assert load_metadata(out)["percepts"] == PATCHES
    names = {"confusion.png", "curves.png", "report.md", "split.csv"}
    assert names <= set(contents(out))
    assert leftovers(out) == []
    metrics = json.loads((out / "metrics.json").read_text())
    (method,) = metrics["methods"]
    assert method == "LSTM, fine-tuned"
    assert metrics["methods"][method]["test"]["video_accuracy"]["mean"] == 1.0
    report = (out / "report.md").read_text()
    assert re.search(rf"\| {method} \|.*\| 100.0 \(2 of 2\) \|", report)
    assert "One video is 50.0 points;" in report
    assert "the test videos\n\nNo video was named wrongly." in report
    assert "![confusion](confusion.png)" in report
    assert "comparison" not in report
    with (out / "split.csv").open() as file:
        rows = list(csv.DictReader(file))
    parts = {row["group"]: set() for row in rows}
    for row in rows:
        parts[row["group"]].add(row["part"])
    assert len(rows) == 10
    assert all(len(part) == 1 for part in parts.values())


@pytest.mark.slow
def test_a_classifier_is_kept_where_its_pictures_fail(base, tmp_path, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("no room")

    monkeypatch.setattr("keras_videolstm_tools.work.finetune.draw_confusion", fails)
    with pytest.raises(RuntimeError, match="no room"):
        call(*finetune(base, base / "store.h5", tmp_path / "out"))
    assert verify(tmp_path / "out")


@pytest.mark.slow
def test_a_comparison_trains_the_baselines_too(tmp_path, monkeypatch):
    # No option says so; how well they learn is not asked.
    few = partial(FinetuneSettings, head_steps=5)
    monkeypatch.setattr("keras_videolstm_tools.work.finetune.FinetuneSettings", few)
    store = toy_actions(tmp_path / "store.h5")
    model = VideoLSTM("composite", (4,), units=[4], activation="linear")
    save(model, tmp_path / "model", {"percepts": {**PATCHES, "extractor": "toy"}})
    arguments = ("finetune", tmp_path / "model", store.path, "--out", tmp_path)
    done(*arguments, "--training-steps", 2, "--compare", "--shots", 2, "--repeats", 2)
    with (tmp_path / "split.csv").open() as file:
        parts = [row["part"] for row in csv.DictReader(file)]
    # Of three sources to train on two are drawn, each with a clip of both classes.
    assert {part: parts.count(part) for part in parts} == {
        "train": 4,
        "unused": 2,
        "validation": 2,
        "test": 2,
    }
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert set(metrics["methods"]) == {"single frame", "LSTM from scratch", "LSTM, fine-tuned"}
    assert metrics["protocol"]["shots_a_class"] == 2
    assert len(metrics["methods"]["single frame"]["test"]["runs"]) == 2
    assert (tmp_path / "comparison.png").stat().st_size > 1000
    report = (tmp_path / "report.md").read_text()
    assert "![comparison](comparison.png)" in report
    assert " of 2)" not in report
    assert re.search(r"Named wrongly, in the first repeat: \d of 2|No video", report)


def test_a_clip_that_was_learned_from_is_called_so(base, tmp_path):
    with (base / "classifier" / "split.csv").open() as file:
        parts = {row["path"]: row["part"] for row in csv.DictReader(file)}
    assert set(parts.values()) == {"train", "validation", "test"}
    for path, part in parts.items():
        clip = base / "videos" / Path(path).parent.name / Path(path).name
        told = "A clip of this name is of the classifier's" in done(
            "predict", base / "classifier", clip
        )
        assert told == (part != "test")
    arguments = ("visualize", "confusion", base / "classifier", base / "store.h5")
    told = call(*arguments, "--out", tmp_path / "pictures").stderr
    learned = sum(part != "test" for part in parts.values())
    assert f"of 10 clips {learned} have names of clips that it has learned from" in told
    told = json.loads(done("predict", base / "classifier", base / "videos", "--json"))
    found = {Path(result["clip"]).name: result.get("learned_from", "test") for result in told}
    assert found == {Path(path).name: part for path, part in parts.items()}


def test_test_clips_of_sources_that_pretraining_has_seen_are_called_so(base):
    key = "test_sources_seen_in_pretraining"
    metrics = json.loads((base / "classifier" / "metrics.json").read_text())
    assert metrics["protocol"][key] == ["figure02"]
    assert load_metadata(base / "classifier")["protocol"][key] == ["figure02"]
    store = PerceptStore(base / "store.h5")
    seen, told = sources_seen(str(base / "model"), store, range(len(store)))
    assert seen == ["figure00", "figure01", "figure02"]
    assert "Of 10 test clips, 6 bear names of sources" in told
    assert "(figure00, figure01, figure02 of clips.h5)" in told
    others = np.flatnonzero(store.groups == "figure03")
    assert sources_seen(str(base / "model"), store, others) == ([], "")
    # What does not say what it has learned from is not spoken of.
    assert sources_seen(str(base / "classifier"), store, range(len(store))) == ([], "")


def test_a_model_of_digits_is_said_to_know_no_other_video(tmp_path):
    write_clip(tmp_path / "clip.mp4", level_frames().repeat(4, axis=0), fps=15)
    model = VideoLSTM("composite", (16, 16, 1), units=[8], prediction_steps=4)
    save(model, tmp_path / "model", {"input_steps": 3, "data": "moving digits: MNIST"})
    told = call("predict", tmp_path / "model", tmp_path / "clip.mp4").stderr
    assert "has only seen moving digits" in told


def test_prediction_names_the_action_and_draws_it(base, tmp_path):
    clip = base / "videos" / "lit" / "figure00_clip0.mp4"
    arguments = ("predict", base / "classifier", clip, "--out", tmp_path / "timeline.png")
    result = json.loads(done(*arguments, "--json"))
    assert result["action"] == "lit"
    assert sum(result["probabilities"].values()) == pytest.approx(1)
    assert (result["frames"], result["blocks"]) == (20, 1)
    assert (tmp_path / "timeline.png").stat().st_size > 1000
    assert "lit" in done("predict", base / "classifier", clip)


@pytest.mark.parametrize("checkpoint", ["classifier", "model"])
def test_percepts_of_a_clip_that_is_drawn_are_extracted_once(
    checkpoint, base, tmp_path, monkeypatch
):
    frames, extracted = [], PatchPercepts.__call__

    def counted(self, batch):
        frames.append(len(batch))
        return extracted(self, batch)

    monkeypatch.setattr(PatchPercepts, "__call__", counted)
    clip = base / "videos" / "lit" / "figure00_clip0.mp4"
    done("predict", base / checkpoint, clip, "--out", tmp_path / "picture.png")
    assert sum(frames) == 20


@pytest.mark.slow
def test_a_convolutional_model_of_whole_frames_is_fine_tuned_and_names_a_clip(base, tmp_path):
    options = {"activation": "linear", "standardize": "channel", "convolution": {"patch_size": 8}}
    model = VideoLSTM("composite", (32, 32, 3), units=[4], prediction_steps=5, **options)
    model.set_statistics(np.full((32, 32, 3), 0.5), np.full((32, 32, 3), 0.3))
    save(model, tmp_path / "model", {"percepts": {**PATCHES, "fit": "pad"}, "input_steps": 6})
    quick = ("--training-steps", 20, "--learning-rate", 0.01)
    out = tmp_path / "classifier"
    done("finetune", tmp_path / "model", base / "videos", "--out", out, *quick)
    assert load_metadata(out)["percepts"]["fit"] == "pad"  # the checkpoint's, unasked
    classifier = load(out)
    assert (classifier.frame_shape, classifier.convolution.patch_size) == ((32, 32, 3), 8)
    assert verify(out)
    clip = base / "videos" / "lit" / "figure00_clip0.mp4"
    result = json.loads(done("predict", out, clip, "--json"))
    percepts = PerceptStore(out / "percepts.h5")
    lit = percepts.labels == percepts.class_names.index("lit")
    (number,) = np.flatnonzero(lit & [clip.stem in name for name in percepts.names])
    expected = classifier.classify(percepts.read(number))
    shown = result["probabilities"]
    np.testing.assert_allclose([shown["dim"], shown["lit"]], expected, atol=1e-3)


def test_forecasts_of_features_are_measured_and_drawn(base, tmp_path):
    clip = base / "videos" / "dim" / "figure01_clip0.avi"
    out = tmp_path / "forecast.png"
    result = json.loads(done("predict", base / "model", clip, "--steps", 8, "--out", out, "--json"))
    assert (result["frames_read"], result["frames_forecast"]) == (6, 8)
    assert result["frames_of_truth"] == 8
    assert set(result["mean_squared_error"]) == {
        "forecast",
        "last frame held",
        "mean of the frames read",
        "training mean",
    }
    assert result["pretrained_on"] == "figure01 of clips.h5"
    assert out.stat().st_size > 1000


def test_a_forecast_goes_past_the_end_of_a_clip_and_into_an_array(base, tmp_path):
    clip, out = base / "videos" / "dim" / "figure01_clip0.avi", tmp_path / "next.npy"
    told = done("predict", base / "model", clip, "--input-steps", 999, "--steps", 7, "--out", out)
    assert "of 1.3 s the first 1.3 s read (20 frames)" in told
    assert "(7 frames, none with a true one to compare with)" in told
    model, store = load(base / "model"), PerceptStore(base / "store.h5")
    video = [Path(name).name for name in store.names].index("figure01_clip0.avi")
    expected = model.forecast(store.read(video), 7)
    np.testing.assert_allclose(np.load(out), expected, atol=1e-5)
    told = done("predict", base / "model", clip, "--input-steps", 19, "--steps", 7)
    assert "(7 frames, 1 of them with a true one" in told
    picture = ("--input-steps", 999, "--out", tmp_path / "f.png")
    assert "--out next.npy" in refused("predict", base / "model", clip, *picture)


def test_forecasts_of_pixels_become_a_film(tmp_path):
    model = VideoLSTM("composite", (16, 16, 1), units=[8], prediction_steps=4)
    model.save(tmp_path / "model.keras")
    write_clip(tmp_path / "clip.mp4", level_frames().repeat(4, axis=0), fps=15)
    for name in ("film.gif", "strip.png"):
        done("predict", tmp_path / "model.keras", tmp_path / "clip.mp4", "--out", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500


def test_percepts_that_were_made_otherwise_are_told_or_refused(base, tmp_path, capsys):
    store = PerceptStore(base / "store.h5")
    assert settings_of(store, PATCHES) == PATCHES
    assert capsys.readouterr().err == ""
    settings_of(store, {**PATCHES, "fps": 30, "fit": "pad"})
    assert "fps=15.0, fit='crop', not of fps=30, fit='pad'" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"extractor='flow'.* with 'patches'"):
        settings_of(store, {**PATCHES, "extractor": "flow"})
    clips = [(np.zeros((20, 3072), "float32"), "", "g")]
    made = {**PROVENANCE, "extractor": "patches", "version": "new"}
    store = write_store(tmp_path / "s.h5", clips, made)
    assert settings_of(store, PATCHES)["version"] == "new"
    with pytest.raises(InputError, match=r"version='old'.* with 'new'"):
        settings_of(store, {**PATCHES, "version": "old"})


def test_a_clip_of_less_than_a_block_is_called_so(base, tmp_path):
    write_clip(tmp_path / "short.mp4", np.full((3, 48, 64, 3), 200, np.uint8), fps=15)
    assert "3 of a block's 16 frames)" in done(
        "predict", base / "classifier", tmp_path / "short.mp4"
    )
    rng = np.random.default_rng(0)
    clips = [
        (rng.random((length, 3072)).astype("float32"), name, f"g{length}")
        for length in (7, 20, 30)
        for name in ("dim", "lit")
    ]
    short = write_store(tmp_path / "s.h5", clips, {**PROVENANCE, "extractor": "patches"}).path
    arguments = (*finetune(base, short, tmp_path / "out"), "--training-steps", 1)
    assert "2 clips of 6 last less than a block of 16 frames; the shortest has 7" in (
        call(*arguments).stderr
    )


def test_a_report_counts_the_videos_that_were_used(base, tmp_path):
    arguments = (*finetune(base, base / "store.h5", tmp_path / "out"), "--training-steps", 1)
    said = done(*arguments, "--shots", 2)
    # Of five sources a class one validates and one is tested on.
    assert "4 of 6 videos to train, 2 videos to validate, 2 to test; 2 a class drawn" in said


def test_a_report_says_what_its_numbers_are_worth(base):
    report = (base / "classifier" / "report.md").read_text()
    metrics = json.loads((base / "classifier" / "metrics.json").read_text())
    score = metrics["methods"]["LSTM, fine-tuned"]["test"]["video_accuracy"]
    count = metrics["protocol"]["test_videos"]
    right = round(score["mean"] * count)
    assert score["std"] is None
    chance = sum(math.comb(count, k) for k in range(right, count + 1)) / 2**count
    assert f"{right} or more of {count} come by guessing with probability {chance:.2g}" in report
    assert f"{count} to test; scored on the test part; one seed" in report
    assert "guessing names 50.0 % rightly" in report


def test_videos_of_one_class_are_refused_before_their_percepts_are_made(base, tmp_path):
    lit = base / "videos" / "lit"
    for source, found in ((lit, "videos without any"), (tmp_path, "of the class lit alone")):
        shutil.copytree(lit, tmp_path / "lit", dirs_exist_ok=True)
        told = refused("finetune", base / "model", source, "--out", tmp_path / "out")
        assert "one sub-folder a class, at least two" in told
        assert found in told
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_test_videos_of_sources_that_are_trained_on_are_called_so(base, tmp_path):
    rng = np.random.default_rng(0)
    clips = [(rng.random((20, 3072)).astype("float32"), name, "kitchen") for name in ("dim", "lit")]
    made = {**PROVENANCE, "extractor": "patches", "fps": 10}
    write_store(tmp_path / "test.h5", clips, made)
    clips = [(clip, name, f"g{n}") for n in range(2) for clip, name, _ in clips]
    write_store(tmp_path / "train.h5", [*clips, (clips[0][0], "dim", "kitchen")], made)
    arguments = (*finetune(base, tmp_path / "train.h5", tmp_path / "out"), "--training-steps", 1)
    said = call(*arguments, "--test", tmp_path / "test.h5").stderr
    assert "1 source of test videos, such as kitchen, bear" in said
    assert "train.h5 has percepts of fps=10, not of fps=15" in said


@pytest.mark.slow
def test_fine_tuning_from_files_keeps_their_percepts_and_names_bad_files(base, tmp_path):
    videos = make_videos(tmp_path / "videos", groups=3)
    (videos / "lit" / "figure09_clip0.mp4").touch()
    quick = ("--training-steps", 2, "--seed", 1)
    told = call("finetune", base / "model", videos, "--out", tmp_path / "out", *quick, "--json")
    assert "Left out 1 bad file:" in told.stderr
    assert "figure09_clip0.mp4" in told.stderr
    ((path, reason),) = json.loads(told.stdout)["skipped"]
    assert path.endswith("figure09_clip0.mp4")
    assert "0 bytes" in reason
    before = (tmp_path / "out" / "percepts.h5").stat().st_mtime_ns
    done("finetune", base / "model", videos, "--out", tmp_path / "out", *quick, "--overwrite")
    assert (tmp_path / "out" / "percepts.h5").stat().st_mtime_ns == before
    sentence = refused(
        "finetune",
        base / "model",
        videos,
        "--out",
        tmp_path / "out",
        *quick,
        "--strict",
        "--overwrite",
    )
    assert "figure09_clip0.mp4" in sentence
    assert verify(tmp_path / "out")


@pytest.mark.slow
def test_a_classifier_is_not_written_over_unasked(base, tmp_path):
    shutil.copytree(base / "classifier", tmp_path / "classifier")
    arguments = finetune(base, base / "store.h5", tmp_path / "classifier")
    before = {path: path.read_bytes() for path in (tmp_path / "classifier").iterdir()}
    told = refused(*arguments)
    assert "Expected a folder without a checkpoint, or --overwrite. Received: " in told
    assert before == {path: path.read_bytes() for path in (tmp_path / "classifier").iterdir()}
    done(*arguments, "--overwrite")
    assert verify(tmp_path / "classifier")


# --- Bad input ---


def bad_clips(folder: Path) -> dict[str, tuple[Path, str]]:
    folder.mkdir()
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video at all\n" * 50)
    (folder / "folder.mp4").mkdir()
    write_sound(folder / "sound.mp4")
    write_clip(folder / "cut.avi", noise_frames(60), fps=30)
    write_clip(folder / "cut.mp4", noise_frames(60), fps=30)
    return {
        "empty": (folder / "empty.mp4", "Expected a video file. .*0 bytes"),
        "text": (folder / "text.mp4", "FFmpeg can open"),
        "folder": (folder / "folder.mp4", "a folder without any"),
        "sound alone": (folder / "sound.mp4", "Expected a video stream"),
        "truncated AVI": (cut(folder / "cut.avi", 0.6), "truncated"),
        "truncated MP4": (cut(folder / "cut.mp4", 0.6), "FFmpeg can open"),
        "missing": (folder / "none.mp4", "which does not exist"),
        "name too long": (folder / ("x" * 300 + ".mp4"), "Expected a video file"),
    }


def matches(sentence: str, words: str) -> None:
    assert re.search(words, sentence), sentence
    assert "Expected" in sentence
    assert "Received" in sentence


def test_prediction_takes_folders_patterns_and_images(base, tmp_path):
    write_images(tmp_path / "images", level_frames())
    pattern = base / "videos" / "lit" / "*.[am]*"
    given = (tmp_path / "images", base / "videos" / "dim", pattern)
    results = json.loads(done("predict", base / "classifier", *given, "--json"))
    names = [Path(result["clip"]).name for result in results]
    assert names[0] == "images" and results[0]["frames"] == 6
    assert names[1:6] == sorted(path.name for path in (base / "videos" / "dim").iterdir())
    assert [result["action"] for result in results[1:6]] == ["dim"] * 5
    assert {Path(name).suffix for name in names[6:]} == {".mp4", ".avi", ".mkv", ".mov"}


def test_prediction_of_many_clips_goes_on_after_a_bad_one(base, tmp_path):
    clips = base / "videos" / "lit"
    (tmp_path / "bad.mp4").write_text("no video")
    arguments = ("predict", base / "classifier", clips, tmp_path / "bad.mp4", clips)
    result = call(*arguments, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "Left out: Expected a video file that FFmpeg can open" in result.stderr
    assert result.stderr.splitlines()[-1].endswith("Received: 1 bad of 6")
    # What is named twice is predicted once.
    assert len(list((tmp_path / "out").glob("*.png"))) == 5
    assert not leftovers(tmp_path)


def test_prediction_of_an_address_is_that_of_the_file_behind_it(base, tmp_path):
    write_clip(tmp_path / "served" / "clip.mkv", noise_frames(20), fps=15)
    with serving(tmp_path / "served") as address:
        live = call("predict", base / "classifier", f"{address}/clip.mkv", "--json")
    file = call("predict", base / "classifier", tmp_path / "served" / "clip.mkv", "--json")
    live, file = json.loads(live.stdout), json.loads(file.stdout)
    assert live.pop("clip") == f"{address}/clip.mkv"
    assert live == {key: value for key, value in file.items() if key != "clip"}


def test_predict_refuses_patterns_that_find_nothing(base, tmp_path):
    matches(refused("predict", base / "model", tmp_path / "*.mp4"), "pattern that finds clips")


def test_predict_refuses_every_bad_clip_in_one_sentence(base, tmp_path):
    for path, words in bad_clips(tmp_path / "bad").values():
        for checkpoint in ("classifier", "model"):
            matches(refused("predict", base / checkpoint, path), words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("composite_nothing", "{clip}"), "Expected a checkpoint: one of .*composite_nothing"),
        (("{empty}", "{clip}"), "Expected a checkpoint"),
        (("{none}.keras", "{clip}"), r"\.keras file. .*does not exist"),
        (
            ("https://example.org/m.keras", "{clip}"),
            "on this machine: download it",
        ),
        (("{classifier}", "{clip}", "--fps", "0"), "fps between 0 and 1000"),
        (("{classifier}", "{clip}", "--fps", "nan"), "fps between 0 and 1000"),
        (("{classifier}", "{clip}", "--steps", "9"), "a video model, to forecast --steps"),
        (("{classifier}", "{clip}", "--out", "{empty}/x.xyz"), "xyz"),
        (("{model}", "{clip}", "--out", "{empty}/x.gif"), r"\.npy, as this model gives no pix"),
        (("{classifier}", "{clip}", "--out", "{empty}/x.npy"), r"\.jpeg, as this model"),
        (("{classifier}", "{clip}", "{other}", "--out", "{empty}/x.png"), "folder.* of 2 clips"),
        (("{model}", "{clip}", "--input-steps", "20", "--out", "{empty}/x.png"), "after those"),
        (("{classifier}", "{clip}", "--out", "{file}/x.png"), "folder that exists"),
    ],
)
def test_predict_refuses_what_it_cannot_use(arguments, words, base, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    places = {
        "clip": base / "videos" / "lit" / "figure00_clip0.mp4",
        "other": base / "videos" / "lit" / "figure01_clip0.avi",
        "classifier": base / "classifier",
        "model": base / "model",
        "empty": tmp_path / "empty",
        "none": tmp_path / "none",
        "file": tmp_path / "file",
    }
    matches(refused("predict", *(text.format(**places) for text in arguments)), words)
    assert list((tmp_path / "empty").iterdir()) == []


def test_predict_refuses_checkpoints_that_do_not_name_usable_percepts(base, tmp_path):
    clip = base / "videos" / "lit" / "figure00_clip0.mp4"
    classifier = ActionClassifier(5, ["run", "walk"], units=())
    save(classifier, tmp_path / "unnamed", {})
    matches(refused("predict", tmp_path / "unnamed", clip), "names its percepts")
    save(classifier, tmp_path / "unknown", {"percepts": {**PATCHES, "extractor": "dreams"}})
    matches(refused("predict", tmp_path / "unknown", clip), "percept extractor: .*'dreams'")
    save(classifier, tmp_path / "other", {"percepts": PATCHES})
    matches(
        refused("predict", tmp_path / "other", clip), r"percepts of 5 features.*'patches' with 3072"
    )
    classifier.save(tmp_path / "c.keras")
    matches(refused("predict", tmp_path / "c.keras", clip), "names its percepts")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "c.keras").read_bytes()[:900])
    matches(refused("predict", tmp_path / "cut.keras", clip), r"complete \.keras file")


def test_predict_refuses_a_damaged_classifier(base, tmp_path):
    clip = base / "videos" / "lit" / "figure00_clip0.mp4"
    folder = tmp_path / "classifier"
    folder.mkdir()
    for name, data in contents(base / "classifier").items():
        (folder / name).write_bytes(data)
    weights = folder / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:1000])
    matches(refused("predict", folder, clip), "truncated or was changed")


EXTRACT_MISTAKES = {
    "missing": (("{none}",), "Expected a folder of videos, a CSV or a video file"),
    "empty folder": (("{empty}",), "Expected video files"),
    "unknown percepts": (("{videos}", "--percepts", "dreams"), "percept extractor.*'dreams'"),
    "no frames a second": (("{videos}", "--fps", "0"), "fps between 0 and 1000"),
    "frames a second no number": (("{videos}", "--fps", "nan"), "fps between 0 and 1000"),
    "table without header": (("{headless}",), "header naming path, label, group"),
    "table without rows": (("{rowless}",), "at least one clip"),
    "table not UTF-8": (("{latin}",), "CSV in UTF-8"),
    "table that leaves its folder": (("{leaving}",), "Expected a path below .*line 2"),
    "table of missing files": (("{lost}",), "at least one readable video.*does not exist"),
    "only bad files": (("{bad}",), r"at least one readable video.*0 bytes"),
}


@pytest.mark.parametrize("kind", EXTRACT_MISTAKES)
def test_extract_refuses_what_it_cannot_use_and_keeps_the_older_store(kind, base, tmp_path):
    arguments, words = EXTRACT_MISTAKES[kind]
    places = {"none": tmp_path / "none", "empty": tmp_path / "empty", "bad": tmp_path / "bad"}
    places["empty"].mkdir()
    places["bad"].mkdir()
    (places["bad"] / "a.mp4").touch()
    tables = {
        "headless": b"a.mp4,run\nb.mp4,walk\n",
        "rowless": b"path,label\n",
        "latin": "path,label\nä.mp4,x\n".encode("latin-1"),
        "leaving": b"path,label\n../../etc/passwd,x\n",
        "lost": b"path,label\nlost.mp4,x\n",
    }
    for name, content in tables.items():
        places[name] = tmp_path / f"{name}.csv"
        places[name].write_bytes(content)
    places["videos"] = base / "videos"
    store = tmp_path / "out" / "s.h5"
    store.parent.mkdir()
    older = (base / "store.h5").read_bytes()
    store.write_bytes(older)
    arguments = [text.format(**places) for text in arguments]
    if "--percepts" not in arguments:
        arguments += ["--percepts", "patches"]
    matches(refused("extract", *arguments, "--out", store, "--overwrite"), words)
    assert contents(store.parent) == {"s.h5": older}


def test_extract_loses_nothing_of_an_older_store_unasked(base, tmp_path):
    store = tmp_path / "s.h5"
    older = (base / "store.h5").read_bytes()
    store.write_bytes(older)
    arguments = ("--out", store, "--percepts", "patches")
    told = refused("extract", base / "videos" / "lit", *arguments)
    matches(told, r"all videos that .*s\.h5 holds .* Received: without 5 videos, such as .*dim")
    told = refused("extract", base / "videos", *arguments, "--fps", 10)
    matches(told, r"fps=15.* as .*s\.h5 holds them.* Received: fps=10")
    assert store.read_bytes() == older
    assert "5 videos" in done("extract", base / "videos" / "lit", *arguments, "--overwrite")
    # More than before loses nothing.
    assert "10 videos, 200 frames (100 new" in done("extract", base / "videos", *arguments)


def test_extract_loses_no_views_of_an_older_store_unasked(base, tmp_path):
    store = tmp_path / "s.h5"
    arguments = ("extract", base / "videos" / "lit", "--out", store, "--percepts", "patches")
    done(*arguments, "--crops", 3, "--flips")
    older = store.read_bytes()
    told = refused(*arguments)
    matches(
        told,
        r"--crops 3 --flips or more, as .*s\.h5 .*--overwrite\. Received: --crops 1, which loses",
    )
    matches(told, "25 views of 30 views")
    told = refused(*arguments, "--crops", 6)
    matches(told, "Received: --crops 6, which loses 15 views of 30")
    told = refused(*arguments, "--crops", 3, "--flips", "--untimed-fps", 5)
    matches(told, r"untimed_fps=None, as .* Received: untimed_fps=5\.0")
    assert store.read_bytes() == older
    told = done(*arguments, "--crops", 4, "--flips")
    assert "40 videos, 800 frames (200 new" in told
    assert "5 videos, 100 frames (0 new" in done(*arguments, "--overwrite")


def test_extract_knows_videos_by_whatever_path(base, tmp_path, monkeypatch):
    monkeypatch.chdir(base)
    arguments = ("--out", tmp_path / "s.h5", "--percepts", "patches")
    done("extract", "videos", *arguments)
    assert "200 frames (0 new" in done("extract", base / "videos", *arguments)
    done("extract", "videos", *arguments)
    monkeypatch.chdir(tmp_path)
    told = refused("extract", base / "videos", *arguments)
    here = f"{tmp_path.resolve()}/videos/dim"
    matches(told, rf"without 10 videos, such as videos/dim/\S+ \(from here {re.escape(here)}")


def test_extract_cuts_a_store_into_another_number_of_files_when_asked(base, tmp_path):
    store = tmp_path / "store"
    arguments = ("extract", base / "videos", "--out", store, "--percepts", "patches")
    done(*arguments, "--shards", 4)
    older = contents(store)
    told = refused(*arguments, "--shards", 2)
    matches(told, r"Expected --shards 4, of as many .*--overwrite\. Received: --shards 2")
    assert contents(store) == older
    assert "200 frames (0 new" in done(*arguments, "--shards", 2, "--overwrite")
    assert sorted(contents(store)) == [f"shard-0000{number}-of-00002.h5" for number in range(2)]
    # As earlier versions left it.
    for name, data in older.items():
        (store / name).write_bytes(data)
        os.utime(store / name, (0, 0))
    for shards in (2, 4):
        told = refused(*arguments, "--shards", shards)
        matches(told, r"2 of 2 shard-\*-of-00002\.h5 and 4 of 4 .*; delete shard-\*-of-00004\.h5")
    (store / "shard-00001-of-00002.h5").unlink()
    told = refused("recipe", store, "--out", tmp_path / "recipe.toml")
    matches(told, r"1 of 2 .*; delete shard-\*-of-00002\.h5")


def test_extract_of_a_killed_store_is_told_what_it_would_lose(base, tmp_path):
    store = tmp_path / "store"
    arguments = ("--out", store, "--percepts", "patches", "--shards", 2)
    done("extract", base / "videos", *arguments)
    (store / "shard-00001-of-00002.h5").unlink()
    told = refused("extract", base / "videos" / "lit", *arguments)
    matches(told, "Received: without 5 videos")


@pytest.mark.parametrize("address", ["gs://bucket/store", "hdfs://host/store.h5"])
def test_extract_refuses_addresses(address, base, tmp_path):
    told = refused("extract", base / "videos", "--out", address, "--shards", 2)
    matches(told, r"file system that is mounted .* Received: an address, (gs|hdfs):")
    told = refused("extract", address, "--out", tmp_path / "s.h5")
    matches(told, f"mounted on it. Received: an address, {address}")


def test_extract_names_bad_files_whatever_their_names(tmp_path):
    write_clip(tmp_path / "good.mp4", level_frames(), fps=10)
    bad = tmp_path / os.fsdecode(b"bad\xff.mp4")
    bad.touch()
    arguments = ("extract", tmp_path, "--out", tmp_path / "s.h5", "--percepts", "patches")
    told = call(*arguments)
    assert "1 video, " in told.stdout
    assert "Left out 1 bad file:" in told.stderr
    report = json.loads(done(*arguments, "--json"))
    assert report["skipped"][0][0] == str(bad)
    assert "0 bytes" in refused(*arguments, "--strict")


def test_extract_into_what_is_no_folder_is_refused(base, tmp_path):
    (tmp_path / "file").touch()
    sentence = refused(
        "extract", base / "videos", "--out", tmp_path / "file" / "s.h5", "--percepts", "patches"
    )
    matches(sentence, "Expected files that can be read and written")


def finetune_mistakes(base: Path, folder: Path) -> dict[str, tuple[tuple[object, ...], str]]:
    """Kinds of bad input: arguments after the command, and words of the sentence."""
    model, store, out = base / "model", base / "store.h5", ("--out", folder / "out")
    rng = np.random.default_rng(0)
    clip = rng.random((20, 3072)).astype("float32")
    made = {**PROVENANCE, "extractor": "patches"}
    write_store(folder / "one.h5", [(clip, "run", f"g{i}") for i in range(4)], made)
    two = [(clip, ("run", "walk")[i % 2], f"g{i // 2}") for i in range(4)]
    write_store(folder / "two_groups.h5", two, made)
    other = toy_actions(folder / "other.h5")
    numbered_store(folder / "unlabelled.h5", [20] * 4, features=3072)
    (folder / "broken.h5").write_bytes(other.path.read_bytes()[:2000])
    (folder / "file").touch()
    (folder / "empty").mkdir()
    for label in ("run", "walk"):
        (folder / "bad" / label).mkdir(parents=True)
        for name in "abc":
            (folder / "bad" / label / f"{name}.mp4").touch()
        (folder / "few" / label).mkdir(parents=True)
        for name in "ab":
            (folder / "few" / label / f"{name}.mp4").touch()
    VideoLSTM("composite", (3072,), units=[8], activation="linear").save(folder / "m.keras")
    return {
        "unknown checkpoint": (("nothing", store, *out), "Expected a checkpoint: one of"),
        "a classifier": ((base / "classifier", store, *out), "video model to fine-tune"),
        "a .keras file": ((folder / "m.keras", store, *out), "names its percepts"),
        "data missing": ((model, folder / "none", *out), "does not exist"),
        "store missing": (
            (model, folder / "none.h5", *out),
            "or a percept store. .*h5, which does not exist",
        ),
        "store broken": ((model, folder / "broken.h5", *out), "Expected a percept store"),
        "store of other percepts": ((model, other.path, *out), "extractor='patches'.*'toy'"),
        "no videos": ((model, folder / "empty", *out), "Expected video files"),
        "only bad videos": ((model, folder / "bad", *out), "at least one readable video"),
        "too few sources": (
            (model, folder / "few", *out),
            r"at least 3 sources of the class 'run'.*two with --test.*Received: 2 \(a, b\)",
        ),
        "one class": ((model, folder / "one.h5", *out), "two classes.*run"),
        "too few groups": ((model, folder / "two_groups.h5", *out), "at least 3 sources"),
        "no labels": ((model, base / "videos" / "lit", *out), "one sub-folder a class"),
        "unknown group": ((model, store, *out, "--test-groups", "g99"), "groups that occur.*g99"),
        "unknown group of videos": (
            (model, base / "videos", *out, "--validation-groups", "figure03-figure04,g98-g99"),
            "groups that occur in .*videos: figure00, .*Received: g98, g99",
        ),
        "one group in two parts": (
            (*(model, store, *out), "--test-groups", "figure01", "--validation-groups", "figure01"),
            "figure01 in both",
        ),
        "out is a file": ((model, store, "--out", folder / "file"), "folder to write.*is a file"),
        "out in a file": ((model, store, "--out", folder / "file" / "x"), "read and written"),
        "dropout of all": ((model, store, *out, "--dropout", 1), "dropout rate"),
        "no learning": ((model, store, *out, "--learning-rate", 0), "positive learning rate"),
        "negative seed": ((model, store, *out, "--seed", -1), "seed from 0"),
        "no frames a second": ((model, base / "videos", *out, "--fps", 0), "fps between 0 and"),
        "test videos that are trained on": (
            (model, store, *out, "--test", store),
            "neither trained nor validated on. Received: 10 that are, such as .*figure00",
        ),
        "videos of other classes": (
            (model, base / "videos", *out, "--test", folder / "bad"),
            "classes dim, lit. Received: .*bad of run, walk",
        ),
        "test of other classes": (
            (model, store, *out, "--test", folder / "one.h5"),
            "classes dim, lit. Received: run",
        ),
    }


def test_finetune_refuses_every_bad_input_in_one_sentence(base, tmp_path):
    for kind, (arguments, words) in finetune_mistakes(base, tmp_path).items():
        sentence = refused("finetune", *arguments)
        assert "Expected" in sentence, kind
        matches(sentence, words)
    assert "metadata.json" not in contents(tmp_path / "out")
    assert leftovers(tmp_path / "out") == []


def test_finetune_refuses_options_that_would_say_nothing(base, tmp_path):
    arguments = ("finetune", base / "model", base / "store.h5", "--out", tmp_path / "out")
    told = refused(*arguments, "--fps", 30, code=2)
    matches(told, "Expected --fps with videos, whose percepts are made. Received: .*store.h5")
    tested = ("--test", base / "store.h5", "--test-groups", "figure01")
    matches(refused(*arguments, *tested, code=2), "Expected --test-groups without --test")


def test_a_refused_fine_tuning_keeps_the_older_classifier(base, tmp_path):
    out = tmp_path / "classifier"
    out.mkdir()
    for name, data in contents(base / "classifier").items():
        (out / name).write_bytes(data)
    refused(*finetune(base, base / "store.h5", out), "--test-groups", "none")
    assert contents(out) == contents(base / "classifier")
