"""Tests of training and publishing by command, with runs that are killed for good."""

import json
import re
import shutil
import signal
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from keras_videolstm.checkpoints import load, load_metadata, save, verify
from keras_videolstm.models import VideoLSTM
from keras_videolstm.training import Recipe
from keras_videolstm.training.publication import published_run
from tests.command_line import call, contents, done, leftovers, refused, start
from tests.tiny_runs import write_recipe
from tests.video_files import noise_frames, write_video

MNIST = """
name = "toy_mnist"
seed = 3
[model]
variant = "autoencoder"
frame_shape = [64, 64, 1]
units = [8]
input_steps = 3
prediction_steps = 1
[data]
kind = "moving_mnist"
validation_windows = 8
[training]
batch_size = 4
steps_per_epoch = 3
epochs = 1
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, its data, and the entry that was published from it."""
    folder = tmp_path_factory.mktemp("base")
    recipe = write_recipe(folder, epochs=2, steps=3)
    done("train", "--recipe", recipe, "--out", folder / "run")
    (folder / "card.md").write_text("# Toy ±\n\n<!-- results -->\n", encoding="utf-8")
    done(*publish(folder, folder / "zoo" / "toy"))
    return folder


def publish(base: Path, out: Path, run: str = "run", card: str = "card.md") -> tuple[object, ...]:
    arguments = ("--card", base / card, "--root", base, "--out", out)
    return ("zoo", "publish", base / run, *arguments)


# --- The good way ---


def test_a_finished_run_says_what_it_reached(base):
    result = json.loads(
        done("train", "--recipe", base / "recipe.toml", "--out", base / "run", "--json")
    )
    assert result["best_epoch"] in (1, 2)
    assert result["losses"]["val_loss"] > 0
    assert min(result["baselines"].values()) > 0
    text = done("train", "--recipe", base / "recipe.toml", "--out", base / "run")
    assert re.search(r"Best epoch \d of 2", text)
    held = result["baselines"]["the last frame held"]
    assert f"with a loss of: the last frame held {held:.4g}, the mean" in text


def test_a_published_run_loads_verifies_and_states_its_results(base):
    entry = base / "zoo" / "toy"
    model = load(entry)
    assert isinstance(model, VideoLSTM)
    assert model.forecast(np.zeros((5, 4)), steps=4).shape == (4, 4)
    assert max(verify(entry).values()) < 1e-5
    metadata = load_metadata(entry)
    assert metadata["percepts"] == {"extractor": "toy", "fps": 15, "fit": "crop"}
    assert (metadata["input_steps"], metadata["prediction_steps"]) == (3, 2)
    assert metadata["metrics"]["prediction_loss"] > 0
    assert metadata["data"][0]["videos"] == 3
    card = (entry / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Toy ±")
    assert "| prediction by the last frame held |" in card
    assert "<!-- results -->" not in card
    names = {"README.md", "config.json", "curves.png", "golden.npz", "history.csv"}
    names |= {"metadata.json", "model.weights.h5", "recipe.toml", "validation_scores.json"}
    assert set(contents(entry)) == names


def test_publishing_tells_a_program_what_was_written_and_measured(base, tmp_path):
    result = json.loads(done(*publish(base, tmp_path / "toy"), "--json"))
    assert result["metrics"] == load_metadata(base / "zoo" / "toy")["metrics"]
    assert {Path(path).name for path in result["files"]} == set(contents(tmp_path / "toy"))
    assert max(result["golden_outputs"].values()) < 1e-5


def test_measuring_for_publication_says_how_far_it_is(base):
    calls: list[tuple[int, int]] = []
    published_run(
        base / "run",
        base,
        None,
        base / "card.md",
        progress=lambda done, total: calls.append((done, total)),
    )
    windows = Recipe.load(base / "recipe.toml").data.validation_windows
    assert calls == sorted(calls)
    assert calls[-1] == (windows, windows)


@pytest.mark.slow
def test_the_published_recipe_makes_the_same_run_again(base, tmp_path):
    published = base / "zoo" / "toy" / "recipe.toml"
    done("train", "--recipe", published, "--root", base, "--out", tmp_path / "again")
    first, again = (folder / "history.csv" for folder in (base / "run", tmp_path / "again"))
    assert first.read_text() == again.read_text()


def test_verify_and_show_tell_of_an_entry(base):
    entry = base / "zoo" / "toy"
    assert "good; 2 outputs differ by at most 0 " in done("zoo", "verify", entry)
    assert json.loads(done("zoo", "verify", entry, "--json")) == {str(entry): verify(entry)}
    assert "# Toy" in done("zoo", "show", entry)
    assert json.loads(done("zoo", "show", entry, "--json"))["format"] == 1


def test_the_zoo_is_listed():
    entries = json.loads(done("zoo", "list", "--json"))
    assert "efficientnet_lite0" in entries
    text = done("zoo", "list")
    assert all(name in text for name in entries)


@pytest.mark.slow
def test_moving_mnist_is_trained_and_published_without_mnist_at_hand(tmp_path):
    (tmp_path / "recipe.toml").write_text(MNIST)
    digits = np.random.default_rng(0).integers(0, 256, (40, 28, 28)).astype("uint8")
    np.savez(tmp_path / "mnist.npz", x_train=digits, x_test=digits)
    mnist = ("--mnist", tmp_path / "mnist.npz")
    done("train", "--recipe", tmp_path / "recipe.toml", "--out", tmp_path / "run", *mnist)
    (tmp_path / "card.md").write_text("# Toy\n<!-- results -->\n")
    out = ("--out", tmp_path / "entry", "--test-sequences", 5)
    arguments = ("zoo", "publish", tmp_path / "run", "--card", tmp_path / "card.md", *mnist, *out)
    text = done(*arguments)
    # Of videos it says nothing.
    assert "Next: keras_videolstm.load(" in text
    assert "finetune" not in text
    metadata = load_metadata(tmp_path / "entry")
    assert "percepts" not in metadata
    nats = metadata["metrics"]["reconstruction nats"]
    assert f"| reconstruction | {nats:.1f} |" in (tmp_path / "entry" / "README.md").read_text()
    scored = json.loads(
        done(
            *("evaluate", tmp_path / "entry", "--on", "moving_mnist", *mnist),
            *("--test-sequences", 5, "--json"),
        )
    )
    assert scored["means"]["reconstruction"]["nats"] == pytest.approx(nats, rel=1e-5)
    pictures = {path.name for path in (tmp_path / "entry").glob("*.[pg][ni][gf]")}
    assert {"curves.png", "forecast_1.png", "forecast_1.gif"} <= pictures
    assert load_metadata(tmp_path / "entry")["data"] == "moving digits: mnist.npz, not MNIST"
    assert load(tmp_path / "entry").reconstruct(np.zeros((3, 64, 64))).shape == (3, 64, 64, 1)


def arrays(path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update(
                {name: item[()]} if isinstance(item, h5py.Dataset) else {}
            )
        )
    return found


@pytest.mark.slow
def test_a_run_killed_twice_ends_with_the_same_bits_as_one_that_was_not(tmp_path):
    recipe = write_recipe(tmp_path, epochs=12, steps=40)
    whole = start("train", "--recipe", recipe, "--out", tmp_path / "whole")
    assert whole.communicate(timeout=400)[0]
    assert whole.returncode == 0
    out = tmp_path / "killed"
    for epochs in (2, 5):
        process = start("train", "--recipe", recipe, "--out", out)
        wait_for(out / f"checkpoint-{epochs:06d}", process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    last = start("train", "--recipe", recipe, "--out", out)
    assert last.communicate(timeout=400)[0]
    assert last.returncode == 0
    history, best = "history.csv", "best.weights.h5"
    assert (out / history).read_text() == (tmp_path / "whole" / history).read_text()
    expected, found = arrays(tmp_path / "whole" / best), arrays(out / best)
    assert sorted(found) == sorted(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def wait_for(path: Path, process: object) -> None:
    """Wait until a checkpoint or a later one is there."""
    for _ in range(6000):
        if any(p.name >= path.name for p in path.parent.glob("checkpoint-*")):
            return
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


# --- Bad input ---


TRAIN_MISTAKES = {
    "unknown key": ({"units =": "unit ="}, r"only the keys variant.*Received: unit"),
    "wrong type": ({"[8, 6]": '"large"'}, "model.units to be a list"),
    "impossible value": ({"dropout = 0.3": "dropout = 2.0"}, "model.dropout to be a rate"),
    "no TOML": ({"seed = 3": "seed = "}, "Expected a recipe in TOML"),
    "missing store": (
        {"clips.h5": "none.h5"},
        r"percept store none\.h5 in the folder .*\(--root names another\).*which does not exist",
    ),
    "other features": ({"[4]": "[7]"}, "percepts of 7 features"),
    "unknown group": ({"g00-g02": "g77"}, "groups that occur in.*g77"),
    "clips too short": ({"input_steps = 3": "input_steps = 40"}, "one video of 42 frames"),
    "unknown optimiser": ({"clipnorm = 5.0": 'name = "best"'}, "Keras optimiser.*'best'"),
    "newer format": ({"seed = 3": "seed = 3\nformat = 9"}, "format to be 1. Received: 9"),
}


@pytest.mark.parametrize("kind", TRAIN_MISTAKES)
def test_train_refuses_a_bad_recipe_in_one_sentence(kind, tmp_path):
    changes, words = TRAIN_MISTAKES[kind]
    recipe = write_recipe(tmp_path, **changes)
    sentence = refused("train", "--recipe", recipe, "--out", tmp_path / "out")
    assert re.search(words, sentence), sentence
    # A mended recipe may use the folder.
    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path) == []


def test_train_refuses_recipes_and_folders_that_are_not_there_or_not_its_own(base, tmp_path):
    recipe = base / "recipe.toml"
    sentence = refused("train", "--recipe", tmp_path / "r.toml", "--out", tmp_path / "o")
    assert "Expected a recipe. Received: " in sentence
    assert "r.toml, which does not exist" in sentence
    assert "another one; give another --out" in refused(
        "train", "--recipe", write_recipe(tmp_path, epochs=9), "--out", base / "run"
    )
    assert "holds a run" in refused(
        "train", "--recipe", recipe, "--out", base / "run", "--no-resume"
    )
    hand_written = (tmp_path / "recipe.toml").read_text()
    assert "another one" in refused("train", "--recipe", recipe, "--out", tmp_path)
    assert (tmp_path / "recipe.toml").read_text() == hand_written
    (tmp_path / "recipe.toml").unlink()
    assert "holds files" in refused("train", "--recipe", recipe, "--out", tmp_path)
    assert "which is a file" in refused("train", "--recipe", recipe, "--out", base / "card.md")
    below = base / "card.md" / "run"
    assert "read and written" in refused("train", "--recipe", recipe, "--out", below)


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_train_refuses_bad_digits(content, tmp_path):
    (tmp_path / "recipe.toml").write_text(MNIST)
    if content is not None:
        (tmp_path / "mnist.npz").write_bytes(content)
    recipe = ("--recipe", tmp_path / "recipe.toml")
    mnist = ("--mnist", tmp_path / "mnist.npz")
    assert "Expected mnist.npz" in refused("train", *recipe, *mnist, "--out", tmp_path / "out")


def broken_entries(base: Path, folder: Path) -> dict[str, tuple[Path, str]]:
    entries = {}
    for name in ("hash", "cut", "missing", "newer", "json", "outside"):
        entries[name] = folder / name
        shutil.copytree(base / "zoo" / "toy", folder / name)
    weights = entries["cut"] / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:2000])
    (entries["hash"] / "recipe.toml").write_text("changed")
    (entries["missing"] / "golden.npz").unlink()
    text = (entries["newer"] / "metadata.json").read_text()
    (entries["newer"] / "metadata.json").write_text(text.replace('"format": 1', '"format": 5'))
    (entries["json"] / "metadata.json").write_text("{")
    text = (entries["outside"] / "metadata.json").read_text()
    (entries["outside"] / "metadata.json").write_text(text.replace("config.json", "../c.json"))
    return {
        "hash": (entries["hash"], r"Expected sha256 .*recipe\.toml.*was changed"),
        "cut": (entries["cut"], r"model\.weights\.h5.*truncated"),
        "missing": (entries["missing"], r"Expected the file .*golden\.npz.*incomplete"),
        "newer": (entries["newer"], "format 1 or older.*format 5"),
        "json": (entries["json"], "Expected checkpoint metadata"),
        "outside": (entries["outside"], r"plain file names in .*'\.\./c\.json'"),
        "unknown": (folder / "none", "Expected a checkpoint: one of .*efficientnet_lite0"),
    }


def test_verify_refuses_every_broken_entry_in_one_sentence(base, tmp_path):
    for kind, (entry, words) in broken_entries(base, tmp_path).items():
        sentence = refused("zoo", "verify", entry)
        assert re.search(words, sentence), (kind, sentence)
    assert "Expected a checkpoint" in refused("zoo", "show", tmp_path / "none")


@pytest.mark.slow
def test_verify_refuses_outputs_that_are_not_the_golden_ones(base, tmp_path):
    entry = tmp_path / "entry"
    shutil.copytree(base / "zoo" / "toy", entry)
    other = tmp_path / "other"
    save(VideoLSTM("future_predictor", (4,), [8, 6], 2, "linear", True), other, {})
    (entry / "golden.npz").write_bytes((other / "golden.npz").read_bytes())
    metadata, theirs = load_metadata(entry), load_metadata(other)
    metadata["sha256"]["golden.npz"] = theirs["sha256"]["golden.npz"]
    (entry / "metadata.json").write_text(json.dumps(metadata))
    assert "of its golden output" in refused("zoo", "verify", entry)


def test_publish_refuses_what_is_unfinished_or_missing_and_keeps_the_older_entry(base, tmp_path):
    shutil.copytree(base / "run", base / "weightless")
    (base / "weightless" / "best.weights.h5").unlink()
    write_recipe(tmp_path / "young", epochs=2)
    (base / "young").mkdir()
    shutil.copy(tmp_path / "young" / "recipe.toml", base / "young" / "recipe.toml")
    (base / "latin.md").write_bytes("# ä".encode("latin-1"))
    entry = base / "zoo" / "toy"
    before = contents(entry)
    for arguments, words in (
        ({"run": "none"}, r"Expected a run of `train`. Received: .*none, which does not exist"),
        ({"run": "zoo"}, r"Expected a recipe.*recipe\.toml, which is not there"),
        ({"run": "young"}, "run of 2 epochs. Received: .*stands at 0; `train` continues it"),
        ({"run": "weightless"}, r"run's best weights.*best\.weights\.h5"),
        ({"card": "none.md"}, "model card"),
        ({"card": "latin.md"}, "model card in UTF-8"),
        ({"card": "zoo"}, "model card"),
    ):
        sentence = refused(*publish(base, tmp_path / "new", **arguments))
        assert re.search(words, sentence), sentence
    assert not (tmp_path / "new").exists()
    told = refused(*publish(base, entry, run="young"))
    assert "zoo/toy, which holds another checkpoint" in told
    told = refused(*publish(base, entry), "--clip", base / "card.md")
    assert "Expected --clip with a model of pixels" in told
    assert contents(entry) == before
    assert call(*publish(base, base / "card.md")).exit_code == 2


def test_publish_tells_of_a_clip_that_is_too_short_before_it_looks_at_the_run(base, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.toml").write_text(MNIST)
    clip = write_video(tmp_path / "clip.mp4", noise_frames(3, (64, 64)), fps=15)
    arguments = ("--card", base / "card.md", "--clip", clip, "--out", tmp_path / "entry")
    told = refused("zoo", "publish", tmp_path / "run", *arguments)
    assert "more than the 3 frames that are read, at 15 a second. Received: " in told
    assert told.endswith("clip.mp4 with 3")
    assert not (tmp_path / "entry").exists()
