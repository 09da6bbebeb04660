"""Tests of training with Keras on JAX, in processes of their own."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.data import moving_mnist
from keras_videolstm.training import Recipe, train
from keras_videolstm.training.run_keeper import RunKeeper
from tests.tiny_runs import write_recipe

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
RECIPE = """
name = "toy"
seed = 3

[model]
variant = "conditional_composite"
frame_shape = [64, 64, 1]
units = [8]
input_steps = 4
prediction_steps = 3
dropout = 0.2

[data]
kind = "moving_mnist"
validation_windows = 8

[optimizer]
name = "muon"
warmup_steps = 2
clipnorm = 5.0

[sampling]
rate = 1.0
first_step = 2
last_step = 6

[training]
batch_size = 4
steps_per_epoch = 5
epochs = 2
"""
# What it draws and what it validates on; a whole run, one that is killed after its first epoch and
# goes on, and what is refused: all of it in one process, as to start one takes long.
PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
from click.testing import CliRunner
from keras_videolstm.data.moving_mnist_on_jax import MovingDigits
from keras_videolstm.training import Recipe, train
from keras_videolstm_tools.main import main

folder = Path(sys.argv[1])
recipe, mnist = Recipe.load(folder / "recipe.toml"), str(folder / "mnist.npz")
draws = np.load(folder / "draws.npz")
rendered = MovingDigits(2, steps=20).render(draws["images"], draws["start"], draws["velocity"])
images = np.load(mnist)["x_train"][-6:]
validation = [MovingDigits(4, steps=7).draw(images, (3 + 1_000_003, n)) for n in range(2)]
still = MovingDigits(4, steps=7, speed=[0, 0]).draw(images, (3, 0))
np.savez(
    folder / "drawn.npz", rendered=rendered, validation=np.concatenate(validation), still=still
)

def kill(line):
    if line.startswith("Epoch 1"):
        raise KeyboardInterrupt

try:
    train(recipe, folder / "killed", data_root=folder, mnist=mnist, announce=kill)
except KeyboardInterrupt:
    pass

def command(recipe, out, *more):
    arguments = ["train", "--recipe", folder / recipe, "--mnist", mnist, "--out", folder / out]
    found = CliRunner().invoke(main, [str(argument) for argument in (*arguments, *more)])
    return found.exit_code, found.output

said = {
    "whole": command("recipe.toml", "whole"),
    "killed": command("recipe.toml", "killed"),
    "percepts": command("percepts.toml", "refused"),
    "speed": command("speed.toml", "refused"),
    "devices": command("recipe.toml", "refused", "--distribute", "mirrored"),
}
(folder / "said.json").write_text(json.dumps(said))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole run, one that was killed and went on, and what was drawn."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("on_jax")
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 256, (60, 28, 28)).astype("uint8")
    np.savez(folder / "mnist.npz", x_train=digits)
    # Exact in float32, as TensorFlow computes the ways in float64.
    start, velocity = rng.integers(0, 65, (2, 3, 2)) / 64, rng.integers(-12, 13, (2, 3, 2)) / 128
    np.savez(folder / "draws.npz", images=digits[:6].reshape(2, 3, 28, 28), start=start,
             velocity=velocity)  # fmt: skip
    (folder / "recipe.toml").write_text(RECIPE)
    fast = RECIPE.replace("validation_windows", "speed = 2\nvalidation_windows")
    (folder / "speed.toml").write_text(fast)
    write_recipe(folder / "percepts").rename(folder / "percepts.toml")
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": str(ROOT),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # compiling is most of the time
    }
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return folder


def test_it_draws_what_tensorflow_draws(folder: Path) -> None:
    draws, drawn = np.load(folder / "draws.npz"), np.load(folder / "drawn.npz")
    ways = moving_mnist._trajectory(draws["start"], draws["velocity"], 20)
    for images, corners, frames in zip(draws["images"], ways, drawn["rendered"], strict=True):
        assert (np.ptp(corners, axis=1) > 0).any()
        strips = moving_mnist._strips(images)
        # TensorFlow draws whole blocks.
        block = [tf.repeat(part[None], moving_mnist.BLOCK, 0) for part in (strips, corners)]
        np.testing.assert_array_equal(moving_mnist._draw(*block)[0], frames)
    assert drawn["validation"].shape == (8, 7, 64, 64, 1)
    assert len(np.unique(drawn["validation"], axis=0)) == 8
    np.testing.assert_array_equal(drawn["still"][:, 1:], drawn["still"][:, :-1])


def test_a_killed_run_goes_on_to_the_same_result(folder: Path) -> None:
    histories = [(folder / run / "history.csv").read_text() for run in ("whole", "killed")]
    assert histories[0] == histories[1]
    rows = list(csv.DictReader(histories[0].splitlines()))
    assert len(rows) == 2 and float(rows[1]["val_loss"]) < float(rows[0]["val_loss"])


def test_tensorflow_takes_up_the_run_and_measures_the_same(folder: Path) -> None:
    run = folder / "whole"
    model = RunKeeper(run).load_model()
    assert int(model.optimizer.iterations) == 10
    clips = np.load(folder / "drawn.npz")["validation"]
    inputs = {"frames": clips[:, :4], "future": clips[:, 4:]}
    targets = {"reconstruction": inputs["frames"], "prediction": inputs["future"]}
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True, batch_size=4)
    last = json.loads((run / "checkpoint-000002" / "state.json").read_text())["history"][-1]
    assert set(last) == {*(f"val_{name}" for name in found), *found} - {"prediction_forced_loss"}
    for name, value in found.items():
        assert value == pytest.approx(last[f"val_{name}"], rel=1e-4)
    recipe = Recipe.load(folder / "recipe.toml")
    done = train(recipe, run, data_root=folder, mnist=str(folder / "mnist.npz"), verbose=0)
    assert done.resumed_at == 2 and len(done.history) == 2


def test_it_says_what_it_does_and_what_it_cannot(folder: Path) -> None:
    said = json.loads((folder / "said.json").read_text())
    for run in ("whole", "killed"):
        code, output = said[run]
        assert code == 0 and "Keras on JAX, cpu, precision float32." in output
        assert ("Epoch 1/2" in output) == (run == "whole")
        assert "Kept in" in output and "tensorboard" not in output
    for refused, expected in (
        ("percepts", "Expected a recipe of moving_mnist, which"),
        ("speed", "Expected a speed from 0 to 1"),
        ("devices", "Expected --distribute none, and no callbacks, with Keras on JAX"),
    ):
        code, output = said[refused]
        assert code == 1 and expected in output
    assert not (folder / "refused").exists()
