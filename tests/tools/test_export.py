"""Tests of `videolstm-tools export`: the good way, and bad input on it."""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.checkpoints import save
from keras_videolstm.exporting import export
from keras_videolstm.models import ActionClassifier, VideoLSTM
from tests.command_line import call, done, leftovers, refused
from tests.references import randomize

PERCEPTS = {"extractor": "patches", "fps": 15, "fit": "crop"}
NEEDS_ONNX = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnxruntime", "tf2onnx")),
    reason="needs the extra `onnx`",
)


def made_model(variant: str = "composite") -> VideoLSTM:
    model = VideoLSTM(variant, (3,), units=[5], prediction_steps=2, activation="linear")
    randomize(model, scale=0.4)
    return model


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video model, an autoencoder and a classifier; not to be changed."""
    folder = tmp_path_factory.mktemp("base")
    save(made_model(), folder / "model", {"percepts": PERCEPTS, "input_steps": 6})
    save(made_model("autoencoder"), folder / "autoencoder", {"input_steps": 6})
    made_model().save(folder / "model.keras")
    save(ActionClassifier(3, ["a", "b"], units=[4]), folder / "classifier", {"percepts": PERCEPTS})
    return folder


def arguments(base: Path, name: str, what: str, form: str, out: Path) -> tuple[object, ...]:
    return ("export", base / name, "--what", what, "--format", form, "--out", out)


# --- The good way ---


def test_a_forecaster_is_written_and_described(base, tmp_path):
    out = tmp_path / "new" / "forecaster"
    told = done(*arguments(base, "model", "forecaster", "savedmodel", out), "--steps", 7)
    assert told.startswith(f"{out}: forecaster, ")
    assert "reads frames (any, any, 3), gives prediction (any, 7, 3)" in told
    assert "largest difference from the model " in told
    assert "(tolerance 0.001)" in told
    assert "Select" not in told
    forecaster = tf.saved_model.load(str(out))
    assert forecaster.serve(np.ones((2, 4, 3), "float32"))["prediction"].shape == (2, 7, 3)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "what", "options", "shape"),
    [
        ("model", "encoder", (), [1, 6, 3]),  # as the metadata says
        ("model.keras", "encoder", (), [1, 16, 3]),
        ("classifier", "classifier", (), [1, 16, 3]),
        ("classifier", "classifier", ("--input-steps", 4, "--batch-size", 2), [2, 4, 3]),
    ],
)
def test_a_tflite_file_reads_clips_as_long_as_in_training(
    name, what, options, shape, base, tmp_path
):
    out = tmp_path / "part.tflite"
    told = json.loads(done(*arguments(base, name, what, "tflite", out), *options, "--json"))
    assert told["input_shape"] == shape
    assert told["path"] == str(out)
    assert told["size"] == out.stat().st_size
    assert told["difference"] < told["tolerance"]
    interpreter = tf.lite.Interpreter(model_path=str(out))
    assert interpreter.get_input_details()[0]["shape"].tolist() == shape


@NEEDS_ONNX
def test_an_onnx_file_of_a_keras_file_names_its_axes(base, tmp_path):
    import onnxruntime

    out = tmp_path / "part.onnx"
    done(*arguments(base, "model.keras", "encoder", "onnx", out))
    session = onnxruntime.InferenceSession(str(out))
    assert session.get_inputs()[0].shape == ["batch", "time", 3]
    assert session.get_outputs()[0].shape == ["batch", 5]


def test_operations_that_lite_lacks_and_steps_that_were_not_compared_are_told(base, tmp_path):
    report = export(made_model(), tmp_path / "part", "forecaster", "savedmodel", steps=9)
    as_text = importlib.import_module("keras_videolstm_tools.work.export")._as_text
    values = {**vars(report), "select_ops": ("Pad", "Tile"), "checked_steps": 4}
    told = as_text(type(report)(**values))
    assert "needs Select TF ops beside TensorFlow Lite: Pad, Tile" in told
    assert "in the first 4 steps: beyond them rounding" in told


def test_standard_error_is_open_again_afterwards(base, tmp_path):
    before = os.fstat(2)
    done(*arguments(base, "model", "encoder", "savedmodel", tmp_path / "part"))
    refused(*arguments(base, "model", "encoder", "savedmodel", tmp_path / "part"))
    assert os.fstat(2) == before


# --- Bad input ---


def test_a_checkpoint_that_is_none_is_refused(base, tmp_path):
    for name in ("nothing", "nothing.keras"):
        told = refused(*arguments(base, name, "encoder", "savedmodel", tmp_path / "part"))
        assert "Expected a" in told
        assert name in told
    told = refused(*arguments(Path(), "no_such_name", "encoder", "tflite", tmp_path / "part"))
    assert "composite_youtube" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "what", "options", "sentence"),
    [
        ("autoencoder", "forecaster", (), "Expected a variant with a prediction"),
        ("model", "classifier", (), "Expected encoder or forecaster, of a video model"),
        ("classifier", "forecaster", (), "Expected classifier, of an action classifier"),
        ("model", "encoder", ("--steps", 3), "Expected steps with a forecaster alone"),
    ],
)
def test_a_part_that_the_checkpoint_lacks_is_refused(name, what, options, sentence, base, tmp_path):
    for form in ("savedmodel", "tflite"):
        told = refused(*arguments(base, name, what, form, tmp_path / "part"), *options)
        assert sentence in told
    assert list(tmp_path.iterdir()) == []


def test_a_convnet_of_the_zoo_is_refused(tmp_path):
    told = refused(*arguments(Path(), "efficientnet_lite0", "encoder", "tflite", tmp_path / "part"))
    assert "Expected a video model or a classifier" in told


def test_what_exists_is_not_written_over(base, tmp_path):
    (tmp_path / "file").write_text("older")
    told = refused(*arguments(base, "model", "encoder", "savedmodel", tmp_path / "file"))
    assert "file, which exists" in told
    told = refused(*arguments(base, "model", "encoder", "savedmodel", tmp_path / "file" / "part"))
    assert "Not a directory" in told
    assert (tmp_path / "file").read_text() == "older"


def test_onnx_without_its_extra_is_one_sentence(base, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    told = refused(*arguments(base, "model", "encoder", "onnx", tmp_path / "part"))
    assert "the extra `onnx`" in told


@pytest.mark.parametrize(
    "changes",
    [
        {"--format": "coreml"},
        {"--what": "decoder"},
        {"--what": None},
        {"--out": None},
        {"--steps": 0},
        {"--input-steps": "many"},
        {"--batch-size": -1},
    ],
    ids=str,
)
def test_wrong_use_exits_with_two(changes):
    words = {"--what": "encoder", "--format": "tflite", "--out": "x", **changes}
    given = [word for pair in words.items() if pair[1] is not None for word in pair]
    result = call("export", "composite_youtube", *given)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
