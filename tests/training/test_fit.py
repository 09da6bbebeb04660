"""Tests of training runs: resuming to the same bits, and what a broken run leaves behind."""

import csv
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from keras_videolstm.checkpoints import load, load_metadata, save
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.training import Recipe, TrainingResult, run_keeper, train
from keras_videolstm.training.clips import ClipSource
from keras_videolstm.training.drift_directions import drift_directions
from keras_videolstm.training.run_folder import check_folder
from keras_videolstm.training.slow_directions import slow_directions
from tests.percept_files import write_store
from tests.tiny_runs import tiny_recipe, write_recipe


class Killed(BaseException):
    """Stands for a process that ends in the middle."""


class KillAt(keras.callbacks.Callback):
    """Ends a run before a batch, counted over all epochs."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self._left = batch

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1


def run(recipe: Recipe, folder: Path, name: str, **arguments: object) -> TrainingResult:
    return train(recipe, folder / name, data_root=folder, verbose=0, **arguments)


def arrays(path: Path) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update(
                {name: item[()]} if isinstance(item, h5py.Dataset) else {}
            )
        )
    return found


def assert_same_run(first: Path, second: Path) -> None:
    assert (first / "history.csv").read_text() == (second / "history.csv").read_text()
    best = arrays(first / "best.weights.h5")
    again = arrays(second / "best.weights.h5")
    assert sorted(best) == sorted(again)
    for name, values in best.items():
        np.testing.assert_array_equal(again[name], values)


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if "part" in p.name or p.name.startswith("."))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data and a run that was never interrupted."""
    folder = tmp_path_factory.mktemp("runs")
    run(tiny_recipe(folder), folder, "whole")
    return folder


@pytest.fixture(scope="module")
def killed(whole: Path) -> Path:
    """The same run, killed in its last epoch."""
    with pytest.raises(Killed):
        run(Recipe.load(whole / "recipe.toml"), whole, "killed", callbacks=[KillAt(9)])
    return whole / "killed"


def test_a_run_keeps_its_history_best_weights_and_recipe(whole):
    out = whole / "whole"
    with (out / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert {"loss", "val_loss", "prediction_loss", "val_prediction_loss"} <= set(rows[0])
    assert Recipe.load(out / "recipe.toml") == Recipe.load(whole / "recipe.toml")
    assert [p.name for p in sorted(out.glob("checkpoint-*"))] == ["checkpoint-000003"]
    assert leftovers(out) == []


def test_best_weights_hold_the_weights_alone_and_load_back(whole):
    names = arrays(whole / "whole" / "best.weights.h5")
    assert names
    assert not any("optimizer" in name for name in names)
    result = run(Recipe.load(whole / "recipe.toml"), whole, "whole")
    losses = [row["val_loss"] for row in result.history]
    assert result.best_epoch == int(np.argmin(losses)) + 1
    assert result.resumed_at == 3
    assert np.isfinite(result.model.forecast(np.zeros((5, 4)), steps=7)).all()


def test_directions_are_measured_on_the_training_part_as_the_model_sees_it(tmp_path):
    more = "standardize = true\nslow_features = 2\ntrace_rates = [1.0, 0.5]\ndrift_features = 2"
    change = {"standardize = true": more}
    recipe = Recipe.load(write_recipe(tmp_path, epochs=1, **change))
    model = run(recipe, tmp_path, "run").model
    assert model.trace_rates == [1.0, 0.5]
    store = PerceptStore(tmp_path / "clips.h5")
    seen = [
        np.asarray(model.standardizer(store.read(video)[None]))[0]
        for video in store.videos_of_groups(("g00", "g01", "g02"))
    ]
    for weight, expected in zip(model.slow.weights, slow_directions(seen, 2), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-5)
    steps = recipe.model.input_steps
    blocks = [clip[first : first + steps] for clip in seen for first in range(0, len(clip), steps)]
    expected = drift_directions(blocks, 2, rate=0.5)
    np.testing.assert_allclose(np.abs(model.drift.directions), np.abs(expected), atol=1e-4)


def test_a_run_killed_in_the_middle_of_an_epoch_resumes_to_the_same_bits(whole, killed):
    assert [p.name for p in killed.glob("checkpoint-*")] == ["checkpoint-000002"]
    shutil.copytree(killed, whole / "resumed")
    result = run(Recipe.load(whole / "recipe.toml"), whole, "resumed")
    assert result.resumed_at == 2
    assert_same_run(whole / "whole", whole / "resumed")


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["write_weights", "write_text", "atomic_path"])
def test_a_run_killed_while_it_saves_its_last_epoch_resumes_to_the_same_bits(
    moment, whole, killed, monkeypatch
):
    recipe = Recipe.load(whole / "recipe.toml")
    name = f"killed in {moment}"
    shutil.copytree(killed, whole / name)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(run_keeper, moment, killer)
        run(recipe, whole, name)
    run(recipe, whole, name)
    assert_same_run(whole / "whole", whole / name)
    assert leftovers(whole / name) == []


def killer(*arguments: object) -> None:
    raise Killed


def test_a_resumed_run_of_another_recipe_is_refused(whole, tmp_path):
    other = tiny_recipe(tmp_path, epochs=4)
    with pytest.raises(InputError, match=r"was started with .* another --out"):
        run(other, whole, "whole")
    with pytest.raises(InputError, match=r"--no-resume.*holds a run"):
        run(Recipe.load(whole / "recipe.toml"), whole, "whole", resume=False)


def test_a_folder_of_other_files_and_a_file_are_refused(whole):
    recipe = Recipe.load(whole / "recipe.toml")
    (whole / "photos").mkdir()
    (whole / "photos" / "holiday.jpg").touch()
    with pytest.raises(InputError, match=r"empty or new folder.*photos"):
        run(recipe, whole, "photos")
    (whole / "file").touch()
    with pytest.raises(InputError, match=r"folder for the run.*which is a file"):
        run(recipe, whole, "file")


@pytest.mark.slow
def test_a_recipe_that_named_missing_data_may_be_mended_in_the_same_folder(tmp_path):
    wrong = tiny_recipe(tmp_path, epochs=1, **{"clips.h5": "clisp.h5"})
    with pytest.raises(InputError, match=r"clisp\.h5, which does not exist"):
        run(wrong, tmp_path, "out")
    right = tiny_recipe(tmp_path, epochs=1)
    assert run(right, tmp_path, "out").best_epoch == 1


def test_a_damaged_checkpoint_is_refused_and_kept(whole, tmp_path):
    shutil.copytree(whole / "whole", tmp_path / "run")
    newest = tmp_path / "run" / "checkpoint-000003"
    model = newest / "model.keras"
    model.write_bytes(model.read_bytes()[:5000])
    recipe = Recipe.load(whole / "recipe.toml")
    with pytest.raises(InputError, match=r"run's last checkpoint.*checkpoint-000003"):
        train(recipe, tmp_path / "run", data_root=whole, verbose=0)
    assert model.stat().st_size == 5000


@pytest.mark.parametrize("error", [zipfile.BadZipFile, NotImplementedError, RuntimeError])
def test_whatever_a_damaged_checkpoint_raises_is_one_sentence(error, whole, monkeypatch):
    def fail(path: Path) -> None:
        raise error("damaged")

    monkeypatch.setattr(run_keeper.keras.saving, "load_model", fail)
    with pytest.raises(InputError, match=r"run's last checkpoint.*damaged"):
        run_keeper.RunKeeper(whole / "whole").load_model()


def test_a_folder_without_an_epoch_takes_another_recipe(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.toml").write_text("of a run that diverged at once")
    check_folder(tmp_path / "run", tiny_recipe(tmp_path), resume=True)


def test_what_a_kill_has_left_half_written_is_removed(tmp_path):
    left = tmp_path / ".best.weights.0123.part.h5"
    left.touch()
    (tmp_path / "best.weights.h5").touch()
    with run_keeper.RunKeeper(tmp_path).alone():
        assert [path.name for path in tmp_path.iterdir()] == ["best.weights.h5"]


def test_a_damaged_state_is_one_sentence(whole, tmp_path):
    shutil.copytree(whole / "whole", tmp_path / "run")
    (tmp_path / "run" / "checkpoint-000003" / "state.json").write_text("")
    with pytest.raises(InputError, match=r"run's last checkpoint.*checkpoint-000003"):
        train(Recipe.load(whole / "recipe.toml"), tmp_path / "run", data_root=whole, verbose=0)


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    (tmp_path / "run").mkdir()
    first, second = (run_keeper.RunKeeper(tmp_path / "run") for _ in range(2))
    told = pytest.raises(InputError, match=r"one process to train in a folder.*run")
    with first.alone(), told, second.alone():
        pass
    with second.alone():  # the first has ended
        pass


@pytest.mark.slow
def test_a_run_goes_on_with_the_data_that_it_began_with(tmp_path):
    recipe = tiny_recipe(tmp_path, epochs=2)
    with pytest.raises(Killed):
        run(recipe, tmp_path, "out", callbacks=[KillAt(6)])
    store = PerceptStore(tmp_path / "clips.h5")
    videos = [(store.read(number), "", f"g{number:02d}") for number in range(4)]
    write_store(tmp_path / "clips.h5", [(videos[0][0] + 1, "", "g00"), *videos[1:]])
    with pytest.raises(InputError, match=r"videos or digits that the run in .*out has learned"):
        run(recipe, tmp_path, "out")
    # Written anew, the same percepts are the same data.
    write_store(tmp_path / "clips.h5", videos)
    assert run(recipe, tmp_path, "out").resumed_at == 1


def test_losses_that_only_some_epochs_have_stand_in_the_history(tmp_path):
    keeper = run_keeper.RunKeeper(tmp_path)
    keeper.history = [{"loss": 2.0}, {"loss": 1.0, "forced_loss": 0.5}]
    rows = list(csv.DictReader(keeper._as_csv().splitlines()))
    assert [row["forced_loss"] for row in rows] == ["", "0.5"]


def test_missing_best_weights_are_named(whole, tmp_path):
    shutil.copytree(whole / "whole", tmp_path / "run")
    (tmp_path / "run" / "best.weights.h5").write_bytes(b"")
    with pytest.raises(InputError, match=r"run's best weights.*best\.weights\.h5"):
        train(Recipe.load(whole / "recipe.toml"), tmp_path / "run", data_root=whole, verbose=0)


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint(tmp_path):
    write_recipe(tmp_path, **{"clipnorm = 5.0": 'learning_rate = 1e30\nname = "sgd"'})
    with pytest.raises(InputError, match=r"finite losses.*at epoch"):
        run(Recipe.load(tmp_path / "recipe.toml"), tmp_path, "out")
    assert leftovers(tmp_path / "out") == []
    # There is no checkpoint that a mended recipe could spoil.
    assert run(tiny_recipe(tmp_path, epochs=1), tmp_path, "out").best_epoch == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"linear": "sigmoid", "standardize = true": ""}, r"from 0 to 1, as model\.activation"),
        ({"[4]": "[5]"}, r"percepts of 5 features.*clips\.h5 with 4"),
        ({"g00-g02": "h00"}, r"groups that occur in .*g00, g01.*Received: h00"),
        ({"input_steps = 3": "input_steps = 99"}, "one video of 101 frames"),
        ({"clipnorm = 5.0": 'name = "adamant"'}, "Keras optimiser.*'adamant'"),
        ({"clipnorm = 5.0": 'name = "lossscaleoptimizer"'}, "Keras optimiser"),
    ],
)
def test_data_and_optimiser_that_do_not_fit_are_refused(change, words, tmp_path):
    with pytest.raises(InputError, match=words):
        run(tiny_recipe(tmp_path, **change), tmp_path, "out")


def test_a_misspelt_optimiser_is_refused_before_statistics_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(ClipSource, "statistics", lambda *_: pytest.fail("measured first"))
    with pytest.raises(InputError, match="Keras optimiser"):
        run(tiny_recipe(tmp_path, **{"clipnorm = 5.0": 'name = "adamant"'}), tmp_path, "out")


def test_moving_mnist_resumes_inside_a_block_to_the_same_stream(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28)).astype("uint8")
    np.savez(tmp_path / "mnist.npz", x_train=images)
    source = clip_source(tmp_path, images)
    stream = source.training(0).unbatch().batch(1).take(64).as_numpy_iterator()
    frames = np.concatenate([inputs["frames"] for inputs, _ in stream])
    resumed = next(iter(source.training(first_step=7)))[0]["frames"]
    np.testing.assert_array_equal(resumed, frames[42:48])


def clip_source(folder: Path, images: np.ndarray) -> object:
    text = write_recipe(folder).read_text()
    head = text[: text.index("[[data.train]]")].replace('"percepts"', '"moving_mnist"')
    head = head.replace("[4]", "[64, 64, 1]").replace("standardize = true\n", "")
    head = head.replace('activation = "linear"', 'activation = "sigmoid"')
    tail = text[text.index("[optimizer]") :].replace("batch_size = 8", "batch_size = 6")
    (folder / "mnist.toml").write_text(head + tail)
    return ClipSource(Recipe.load(folder / "mnist.toml"), folder, str(folder / "mnist.npz"))


def test_too_few_digits_are_refused(tmp_path):
    np.savez(tmp_path / "mnist.npz", x_train=np.zeros((9, 28, 28), "uint8"))
    with pytest.raises(InputError, match=r"at least 10 digits. Received: 9"):
        clip_source(tmp_path, np.zeros((9, 28, 28), "uint8"))


@pytest.mark.slow
def test_a_runs_checkpoint_loads_in_a_new_process(whole):
    (path,) = (whole / "whole").glob("checkpoint-*/model.keras")
    program = "import sys, keras_videolstm as kvl; print(kvl.load(sys.argv[1]).variant)"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "future_predictor", done.stderr


@pytest.fixture(scope="module")
def published(whole: Path) -> Path:
    """The run's model in the zoo's format."""
    result = run(Recipe.load(whole / "recipe.toml"), whole, "whole")
    save(result.model, whole / "published", {"description": "toy"})
    return whole / "published"


def started_from(start: Path | str, folder: Path, sha256: str = "", **changes: str) -> Recipe:
    recipe = tiny_recipe(folder, epochs=1, **changes)
    training = replace(recipe.training, start=str(start), start_sha256=sha256)
    return replace(recipe, training=training)


def test_a_run_may_start_from_a_checkpoint(published, tmp_path):
    # At such a rate nothing is learned: what comes out is what went in, statistics and all.
    still = {"clipnorm = 5.0": "learning_rate = 1e-30"}
    recipe = started_from(published, tmp_path, **still)
    result = run(recipe, tmp_path, "out")
    expected = load(published).get_weights()
    for mine, other in zip(result.model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(mine, other)
    kept = Recipe.load(tmp_path / "out" / "recipe.toml").training
    assert kept.start_sha256 == load_metadata(published)["sha256"]["model.weights.h5"]
    assert run(recipe, tmp_path, "out").resumed_at == 1


@pytest.mark.slow
def test_a_run_needs_its_start_no_more_once_it_has_begun(published, tmp_path):
    shutil.copytree(published, tmp_path / "start")
    recipe = started_from(tmp_path / "start", tmp_path)
    run(recipe, tmp_path, "out")
    shutil.rmtree(tmp_path / "start")
    assert run(recipe, tmp_path, "out").resumed_at == 1
    other = replace(recipe, seed=recipe.seed + 1)
    with pytest.raises(InputError, match="Expected a checkpoint: one of"):
        run(other, tmp_path, "out")


def test_a_start_from_anything_else_is_refused(published, tmp_path):
    with pytest.raises(InputError, match="Expected a checkpoint: one of"):
        run(started_from("nobody", tmp_path), tmp_path, "out")
    with pytest.raises(InputError, match=r"recipe's \[model\].*Received: composite_youtube"):
        run(started_from("composite_youtube", tmp_path), tmp_path, "out")
    with pytest.raises(InputError, match=f"sha256 {'0' * 64} to start from"):
        run(started_from(published, tmp_path, "0" * 64), tmp_path, "out")
    with pytest.raises(InputError, match=r"Expected training\.start with"):
        run(started_from("", tmp_path, "0" * 64), tmp_path, "out")
