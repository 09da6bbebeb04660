"""Tests of drawing by command."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_videolstm.checkpoints import save
from keras_videolstm.data.figures import write_clip
from keras_videolstm.models import ActionClassifier, VideoLSTM
from tests.command_line import done, leftovers, refused
from tests.percept_files import PROVENANCE, toy_actions, write_store

PATCHES = {"extractor": "patches", "fps": 15, "fit": "crop"}
PERCEPTS = {key: PROVENANCE[key] for key in ("extractor", "fps", "fit")}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small checkpoints, labelled percepts, a clip; not to be changed."""
    folder = tmp_path_factory.mktemp("zoo")
    grey = VideoLSTM("conditional_composite", (64, 64, 1), [6, 5], 10)
    save(grey, folder / "grey", {"input_steps": 10}, {"history.csv": "epoch,loss\n1,3.5\n2,2.5\n"})
    colour = VideoLSTM("future_predictor", (16, 16, 3), [4], 5)
    save(colour, folder / "colour", {"input_steps": 4})
    percepts = VideoLSTM("composite", (4,), [6], 5, activation="linear")
    save(percepts, folder / "percepts", {"input_steps": 6, "percepts": PERCEPTS})
    for variant in ("composite", "autoencoder"):
        patches = VideoLSTM(variant, (3072,), [4], 5, activation="linear")
        save(patches, folder / f"patches_{variant}", {"input_steps": 6, "percepts": PATCHES})
    classifier = ActionClassifier(4, ["run", "walk"], [6])
    save(classifier, folder / "classifier", {"percepts": PERCEPTS})
    toy_actions(folder / "clips.h5")
    write_clip(
        folder / "clip.mp4",
        np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3)).astype("uint8"),
        fps=15,
    )
    write_clip(folder / "red.mp4", red_frames(26), fps=15)
    return folder


def red_frames(count: int) -> np.ndarray:
    """Frames that go from dark red to red."""
    frames = np.zeros((count, 48, 64, 3), "uint8")
    frames[..., 0] = np.linspace(150, 250, count)[:, None, None]
    return frames


def drawn(*arguments: object, out: Path) -> list[str]:
    """Draw; return the names of the pictures, which must open and show more than one colour."""
    paths = [Path(line) for line in done("visualize", *arguments, "--out", out).split()]
    for path in paths:
        with Image.open(path) as picture:
            assert len(picture.convert("L").getcolors(256)) > 1
    assert not leftovers(out)
    return [path.name for path in paths]


def test_sequences_of_digits_and_of_an_own_clip(zoo, tmp_path):
    names = ["sequence.png", "sequence.gif"]
    assert drawn("sequences", zoo / "grey", "--steps", 12, out=tmp_path / "a") == names
    clip = ("--clip", zoo / "clip.mp4")
    assert drawn("sequences", zoo / "colour", *clip, out=tmp_path / "b") == names
    with Image.open(tmp_path / "a" / "sequence.gif") as film:
        assert film.n_frames == 22


def reds(path: Path) -> np.ndarray:
    """Which part of each column of the upper fifth of a picture is red."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    top = pixels[: len(pixels) // 5]
    return ((top[..., 0] > 120) & (top[..., 1] < 40)).mean(axis=0)


def test_a_sequence_is_predicted_past_the_end_of_a_clip(zoo, tmp_path):
    frames = np.zeros((6, 32, 32, 3), np.uint8)
    write_clip(tmp_path / "short.mp4", frames, fps=15)
    for steps in (2, 9):
        arguments = ("--clip", tmp_path / "short.mp4", "--steps", steps, "--out", tmp_path / "out")
        done("visualize", "sequences", zoo / "colour", *arguments)
        # Four are read.
        with Image.open(tmp_path / "out" / "sequence.gif") as film:
            assert film.n_frames == 4 + steps


@pytest.mark.parametrize(
    ("what", "steps", "covered"), [("sequences", 20, 1.0), ("states", 40, 0.5)]
)
def test_the_frames_of_a_clip_stand_above_what_a_model_of_percepts_makes_of_it(
    what, steps, covered, zoo, tmp_path
):
    clip = ("--clip", zoo / "red.mp4")
    (name,) = drawn(what, zoo / "patches_composite", *clip, "--steps", steps, out=tmp_path)
    red = reds(tmp_path / name) > 0.3
    # Twenty frames follow the six that are read.
    assert 0.65 * covered < red.mean() < covered
    places = np.flatnonzero(red)
    assert places[-1] - places[0] < 1.2 * red.sum()


def test_json_says_what_each_picture_shows(zoo, tmp_path):
    arguments = ("features", zoo / "grey", "--drawn-units", 4, "--out", tmp_path, "--json")
    shown = json.loads(done("visualize", *arguments))
    assert [Path(one["path"]).name for one in shown] == [
        "features_input.png",
        "features_output.png",
    ]
    assert "input weights of grey" in shown[0]["shows"]
    assert all(Path(one["path"]).is_file() for one in shown)


def test_features_and_states(zoo, tmp_path):
    names = drawn("features", zoo / "grey", "--drawn-units", 4, out=tmp_path)
    assert names == ["features_input.png", "features_output.png"]
    assert drawn("states", zoo / "grey", "--steps", 20, out=tmp_path) == ["states.png"]


def test_embeddings_and_confusion(zoo, tmp_path):
    assert drawn("embeddings", zoo / "percepts", zoo / "clips.h5", out=tmp_path) == [
        "embeddings.png"
    ]
    assert drawn("confusion", zoo / "classifier", zoo / "clips.h5", out=tmp_path) == [
        "confusion.png"
    ]


def test_curves_of_a_checkpoint_and_of_a_run_under_way(zoo, tmp_path):
    assert drawn("curves", zoo / "grey", out=tmp_path) == ["curves.png"]
    run = tmp_path / "run"
    run.mkdir()
    (run / "history.csv").write_text("epoch,loss,val_loss\n1,3.5,4\n")
    assert drawn("curves", run, out=tmp_path) == ["curves.png"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sequences", "percepts"), "Expected --clip"),
        (("sequences", "colour"), "Expected --clip"),
        (("sequences", "classifier"), "video model"),
        (("states", "percepts"), "Expected --clip"),
        (("features", "colour"), r"frames (height, width, 1)"),
        (("confusion", "percepts", "clips.h5"), "Expected a classifier"),
        (("embeddings", "grey", "clips.h5"), "names its percepts"),
        (("curves", "colour"), "log of a training"),
    ],
)
def test_what_cannot_be_drawn_is_said(zoo, tmp_path, arguments, said):
    what, *names = arguments
    paths = [zoo / name for name in names]
    assert said in refused("visualize", what, *paths, "--out", tmp_path / "out")


def test_a_forecast_needs_a_model_that_predicts_and_frames_that_follow(zoo, tmp_path):
    out = ("--out", tmp_path / "out")
    clip = ("--clip", zoo / "red.mp4")
    told = refused("visualize", "sequences", zoo / "patches_autoencoder", *clip, *out)
    assert "model that predicts" in told
    write_clip(tmp_path / "short.mp4", red_frames(6), fps=15)
    clip = ("--clip", tmp_path / "short.mp4")
    told = refused("visualize", "sequences", zoo / "patches_composite", *clip, *out)
    assert "frames after those that are read" in told


def test_confusion_needs_the_classes_of_the_classifier(zoo, tmp_path):
    noise = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    write_store(tmp_path / "other.h5", [(noise, "sit", "g0"), (noise, "run", "g1")])
    told = refused(
        "visualize", "confusion", zoo / "classifier", tmp_path / "other.h5", "--out", tmp_path
    )
    assert "classes run, walk" in told and "run, sit" in told


def test_confusion_of_other_classes_is_refused_before_percepts_are_made(zoo, tmp_path):
    for label in ("run", "sit"):
        (tmp_path / label).mkdir()
        shutil.copy(zoo / "red.mp4", tmp_path / label)
    arguments = ("visualize", "confusion", zoo / "classifier", tmp_path, "--out", tmp_path / "out")
    told = refused(*arguments)
    assert "classes run, walk" in told and "run, sit" in told
    assert not (tmp_path / "out").exists()
