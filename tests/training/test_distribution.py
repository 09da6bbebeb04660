"""Several devices give what one gives, and a lost worker costs no more than an epoch."""

import csv
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.errors import InputError
from keras_videolstm.training.distribution import WorkerLost, naming_lost_workers, strategy_of
from tests.command_line import start
from tests.tiny_runs import write_recipe

# Devices draw the same dropout for different sequences. The validation set is two whole batches.
CHANGES = {
    "units = [8, 6]": "units = [5]",
    "dropout = 0.3": "dropout = 0.0",
    "validation_windows = 12": "validation_windows = 16",
    "epochs = 3": 'epochs = 6\nprecision = "float32"',
}
MIRRORED = """
import sys
from pathlib import Path
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from keras_videolstm.training import Recipe, train
from keras_videolstm.training import distribution
distribution.tf.distribute.MirroredStrategy = (
    lambda make=tf.distribute.MirroredStrategy: make(["/cpu:0", "/cpu:1"])
)
folder = Path(sys.argv[1])
recipe = Recipe.load(folder / "recipe.toml")
train(recipe, folder / "mirrored", data_root=folder, distribute="mirrored", verbose=0)
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start_worker(index: int, ports: list[int], folder: Path, out: Path) -> subprocess.Popen:
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": index}}
    return start(
        *("train", "--recipe", folder / "recipe.toml", "--out", out, "--json"),
        *("--distribute", "multiworker"),
        environment={"TF_CONFIG": json.dumps(config)},
    )


def history(run: Path) -> np.ndarray:
    with (run / "history.csv").open() as file:
        return np.array([[float(v) for v in row.values()] for row in csv.DictReader(file)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe and what one process makes of it, `one`."""
    folder = tmp_path_factory.mktemp("distribution")
    write_recipe(folder, variant="conditional_composite", **CHANGES)
    done = start("train", "--recipe", folder / "recipe.toml", "--out", folder / "one", "--json")
    assert done.wait(120) == 0, done.stderr.read()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("lost", [1, 0], ids=["a worker", "the chief"])
def test_two_workers_one_of_which_is_killed_give_what_one_process_gives(
    lost: int, folder: Path
) -> None:
    out = folder / f"without{lost}"
    ports = free_ports(2)
    workers = [start_worker(index, ports, folder, out) for index in (0, 1)]
    deadline = time.monotonic() + 120
    while not list(out.glob("checkpoint-*")):
        assert time.monotonic() < deadline
        assert workers[0].poll() is None, workers[0].stderr.read()
        time.sleep(0.05)
    killed, other = workers[lost], workers[1 - lost]
    killed.kill()
    assert killed.wait() != 0
    again = start_worker(lost, ports, folder, out)
    assert other.wait(180) == 0, other.stderr.read()
    assert again.wait(60) == 0, again.stderr.read()
    assert "Starting again" in other.stderr.read()
    np.testing.assert_allclose(history(out), history(folder / "one"), rtol=2e-4)
    summaries = [json.loads(each.stdout.read()) for each in (other, again)]
    assert summaries[0] == summaries[1]


@pytest.mark.slow
def test_two_devices_of_one_machine_give_what_one_gives(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MIRRORED, str(folder)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(history(folder / "mirrored"), history(folder / "one"), rtol=2e-4)


@pytest.mark.parametrize(
    "config",
    [
        None,
        "",
        "{",
        "[]",
        '{"cluster": {}}',
        '{"cluster": {"worker": []}, "task": {"index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"index": 0}}',
        '{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": [1]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"chief": ["a:1"], "worker": []}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": []}',
    ],
)
def test_workers_need_a_usable_cluster(config: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(InputError, match="TF_CONFIG to name the workers"):
        strategy_of("multiworker")


def test_an_unknown_distribution_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="none, mirrored, multiworker"):
        strategy_of("horovod")


def test_only_a_run_of_several_workers_can_lose_one() -> None:
    gone = tf.errors.UnavailableError(None, None, "socket closed\nmore")
    with pytest.raises(WorkerLost, match="socket closed more"), naming_lost_workers("multiworker"):
        raise gone
    with pytest.raises(tf.errors.UnavailableError), naming_lost_workers("none"):
        raise gone


def test_optimisers_that_clip_each_devices_part_are_refused() -> None:
    from keras_videolstm.training.fit import _check_clipping
    from keras_videolstm.training.recipe import OptimizerRecipe

    class TwoDevices:
        num_replicas_in_sync = 2

    _check_clipping(OptimizerRecipe("Adam", clipnorm=1.0), TwoDevices())
    _check_clipping(OptimizerRecipe("rmsprop"), TwoDevices())
    with pytest.raises(InputError, match=r"'rmsprop', 1\.0"):
        _check_clipping(OptimizerRecipe("rmsprop", clipnorm=1.0), TwoDevices())


@pytest.mark.parametrize(
    ("batch", "validation", "words"),
    [(7, 14, "a multiple of 2"), (8, 12, "a multiple of training.batch_size")],
)
def test_batches_must_divide_among_devices(batch: int, validation: int, words: str) -> None:
    from keras_videolstm.training.distribution import check_batches

    class TwoDevices:
        num_replicas_in_sync = 2

    with pytest.raises(InputError, match=words):
        check_batches(TwoDevices(), batch, validation)
