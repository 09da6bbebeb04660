import functools
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_videolstm.blocks import PADDING
from keras_videolstm.errors import InputError
from keras_videolstm.exporting import TOLERANCE, export
from keras_videolstm.exporting.comparison import Comparison, compare
from keras_videolstm.exporting.refusals import refusals
from keras_videolstm.exporting.saved_model import SavedModelFormat
from keras_videolstm.exporting.serving import Serving, serving_of
from keras_videolstm.models import ActionClassifier, VideoLSTM
from tests.references import randomize

WITHOUT_ONNX = [
    name for name in ("onnxruntime", "tf2onnx") if importlib.util.find_spec(name) is None
]
NEEDS_ONNX = pytest.mark.skipif(bool(WITHOUT_ONNX), reason="needs the extra `onnx`")
FORMATS = ["savedmodel", "tflite", pytest.param("onnx", marks=NEEDS_ONNX)]
OF_ANY_LENGTH = [form for form in FORMATS if form != "tflite"]
TIME = 5


def features(**options: object) -> VideoLSTM:
    settings = {"units": [6, 5], "activation": "linear", "standardize": True, "dropout": 0.3}
    model = VideoLSTM("composite", (4,), prediction_steps=3, **{**settings, **options})
    if model.standardizer is not None:
        model.set_statistics(np.array([0.5, -1, 2, 0.1]), np.array([0.3, 2, 1, 0.5]))
    return model


def slow() -> VideoLSTM:
    model = features(
        slow_features=2,
        standardize="root",
        peepholes=False,
        trace_rates=[1.0, 0.25, 0.0],
        drift_features=2,
    )
    rng = np.random.default_rng(2)
    for layer in (model.slow, model.drift):
        layer.set_directions(*(rng.normal(size=weight.shape) for weight in layer.weights))
    return model


def motion() -> VideoLSTM:
    """Everything that a convolution can have."""
    return VideoLSTM(
        "conditional_composite",
        (8, 8, 3),
        units=[4, 5],
        prediction_steps=2,
        convolution={"strides": [1, 2], "max_displacement": 2, "motion_tracks": True},
    )


MODELS: dict[str, Callable[[], keras.Model]] = {
    "features": features,
    "slow features": slow,
    "pixels": lambda: VideoLSTM("conditional_future_predictor", (4, 4, 1), units=[6]),
    "motion": motion,
    "classifier": lambda: ActionClassifier(4, ["a", "b", "c"], units=[6, 5], dropout=0.2),
    "classifier of maps": lambda: ActionClassifier(
        8 * 8 * 2,
        ["a", "b"],
        units=[3, 4],
        frame_shape=(8, 8, 2),
        convolution={"patch_size": 2, "strides": [1, 2], "max_displacement": 1},
    ),
    "single frames": lambda: ActionClassifier(4, ["a", "b"], units=[]),
}
PARTS = [
    ("features", "forecaster"),
    ("slow features", "forecaster"),
    ("pixels", "forecaster"),
    ("motion", "encoder"),
    pytest.param("motion", "forecaster", marks=pytest.mark.slow),
    ("classifier", "classifier"),
    ("classifier of maps", "classifier"),
    ("single frames", "classifier"),
]
OUTPUTS = {"encoder": "features", "forecaster": "prediction", "classifier": "action"}


@functools.cache
def made(name: str) -> keras.Model:
    """Return a model that all tests may read."""
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    statistics = model.standardizer.get_weights() if model.standardizer is not None else None
    randomize(model, scale=0.4)
    if statistics is not None:
        statistics[1] = np.maximum(statistics[1], 0.1)
        model.standardizer.set_weights(statistics)
    return model


def clips_for(model: keras.Model, batch: int, time: int) -> np.ndarray:
    shape = (model.feature_dim,) if isinstance(model, ActionClassifier) else model.frame_shape
    return np.random.default_rng(7).random((batch, time, *shape), "float32")


def answer(model: keras.Model, what: str, clips: np.ndarray, steps: int | None) -> np.ndarray:
    """Return what the model's own verb says."""
    if what == "encoder":
        return model.encode(clips)
    if what == "forecaster":
        return model.forecast(clips, steps)
    return np.stack([model.classify_blocks(clip, len(clip))[0] for clip in clips])


def run(path: Path, form: str, clips: np.ndarray) -> dict[str, np.ndarray]:
    """Run an exported file as a user does, by its names."""
    if form == "savedmodel":
        served = tf.saved_model.load(str(path)).signatures["serving_default"](
            frames=tf.constant(clips)
        )
        return {name: value.numpy() for name, value in served.items()}
    if form == "tflite":
        return tf.lite.Interpreter(model_path=str(path)).get_signature_runner()(frames=clips)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    (output,) = session.get_outputs()
    return {output.name: session.run(None, {"frames": clips})[0]}


def assert_alike(found: dict[str, np.ndarray], what: str, expected: np.ndarray) -> None:
    assert list(found) == [OUTPUTS[what]]
    np.testing.assert_allclose(found[OUTPUTS[what]], expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("name", "what"), PARTS)
def test_an_exported_part_gives_the_model_s_numbers(name, what, form, tmp_path):
    model, steps = made(name), 4 if what == "forecaster" else None
    path = tmp_path / "new" / f"part.{form}"
    report = export(model, path, what, form, steps=steps, input_steps=TIME, batch=2)
    clips = clips_for(model, batch=2, time=TIME)
    expected = answer(model, what, clips, steps)
    assert_alike(run(path, form, clips), what, expected)
    assert (report.what, report.format, report.path) == (what, form, str(path))
    assert 0 <= report.difference <= 1e-4 < report.tolerance == TOLERANCE
    assert report.size == sum(p.stat().st_size for p in (path, *path.rglob("*")) if p.is_file())
    assert (report.input_name, report.input_shape) == ("frames", clips.shape)
    assert (report.output_name, report.output_shape) == (OUTPUTS[what], expected.shape)
    assert report.checked_steps == steps
    assert bool(report.select_ops) == (form == "tflite" and name == "motion")
    assert [p.name for p in tmp_path.iterdir()] == ["new"]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("form", OF_ANY_LENGTH)
@pytest.mark.parametrize(
    ("name", "what"),
    [("motion", "encoder"), ("classifier", "classifier")],
)
def test_clips_of_any_number_and_length_are_read_where_none_is_said(name, what, form, tmp_path):
    model, path = made(name), tmp_path / "part"
    report = export(model, path, what, form)
    assert report.input_shape[:2] == (None, None)
    assert report.output_shape[0] is None
    for batch, time in ((1, 2), (3, 9)):
        clips = clips_for(model, batch, time)
        assert_alike(run(path, form, clips), what, answer(model, what, clips, None))


def test_tflite_reads_one_clip_where_no_number_is_said(tmp_path):
    model, path = made("features"), tmp_path / "part.tflite"
    report = export(model, path, "encoder", "tflite", input_steps=70)
    assert report.input_shape == (1, 70, 4)
    clips = clips_for(model, 1, 70)
    assert_alike(run(path, "tflite", clips), "encoder", model.encode(clips))


@pytest.mark.parametrize("form", FORMATS)
def test_a_horizon_beyond_what_is_written_out_is_exported(form, tmp_path):
    model, path = made("features"), tmp_path / "part"
    length = {"input_steps": TIME} if form == "tflite" else {}
    report = export(model, path, "forecaster", form, steps=70, **length)
    assert report.output_shape[1] == report.checked_steps == 70
    clips = clips_for(model, 1, TIME)
    assert_alike(run(path, form, clips), "forecaster", model.forecast(clips, 70))


@pytest.mark.parametrize("form", FORMATS)
def test_a_classifier_leaves_padding_out_as_before(form, tmp_path):
    model, path = made("classifier"), tmp_path / "part"
    export(model, path, "classifier", form, input_steps=16, batch=1)
    video = clips_for(model, 1, 9)[0]
    block = np.concatenate([video, np.full((7, 4), PADDING, "float32")])[None]
    assert_alike(run(path, form, block), "classifier", model.classify_blocks(video))


@pytest.mark.slow
def test_a_saved_model_needs_tensorflow_alone(tmp_path):
    model = made("features")
    export(model, tmp_path / "part", "encoder", "savedmodel")
    clips = clips_for(model, 2, TIME)
    np.save(tmp_path / "clips.npy", clips)
    code = """
import sys
import numpy as np
import tensorflow as tf
encoder = tf.saved_model.load("part")
np.save("features.npy", encoder.serve(np.load("clips.npy", allow_pickle=False))["features"])
print([name for name in sys.modules if name.startswith("keras_videolstm")])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
    found = np.load(tmp_path / "features.npy", allow_pickle=False)
    np.testing.assert_allclose(found, model.encode(clips), atol=1e-5)


def test_a_low_precision_model_goes_into_a_saved_model_alone(tmp_path):
    model = features(dtype="mixed_bfloat16")
    report = export(model, tmp_path / "part", "forecaster", "savedmodel")
    assert report.difference <= TOLERANCE
    for form in ("tflite", "onnx"):
        with pytest.raises(InputError, match=r"Expected a float32 model.*mixed_bfloat16"):
            export(model, tmp_path / "other", "forecaster", form, input_steps=TIME)


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("features", {"format": "coreml"}, "Expected one of savedmodel, tflite, onnx"),
        ("features", {"what": "classifier"}, "Expected encoder or forecaster, of a video model"),
        ("features", {"what": "decoder"}, "Expected encoder or forecaster.*'decoder'"),
        ("classifier", {"what": "encoder"}, "Expected classifier, of an action classifier"),
        ("features", {"what": "encoder", "steps": 3}, "Expected steps with a forecaster alone"),
        ("features", {"steps": 0}, "Expected a positive number of steps"),
        ("features", {"batch": 0}, "Expected a positive number. Received: batch=0"),
        ("features", {"input_steps": 2.5}, "Expected a positive number. Received: input_steps=2.5"),
        ("features", {"format": "tflite"}, "Expected a number of frames with tflite"),
    ],
)
def test_bad_arguments_are_refused_with_one_sentence(name, changes, sentence, tmp_path):
    arguments = {"what": "forecaster", "format": "savedmodel", **changes}
    with pytest.raises(InputError, match=sentence):
        export(made(name), tmp_path / "part", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_the_model_lacks_is_refused(tmp_path):
    model = VideoLSTM("autoencoder", (4,), units=[5])
    with pytest.raises(InputError, match=r"Expected a variant with a prediction.*autoencoder"):
        export(model, tmp_path / "part", "forecaster", "savedmodel")
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)], name="other")
    with pytest.raises(InputError, match=r"Expected a video model or a classifier.*'other'"):
        export(other, tmp_path / "part", "encoder", "savedmodel")


def test_what_exists_stays_as_it_is(tmp_path):
    (tmp_path / "file").write_text("older")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "folder", "link"):
        with pytest.raises(InputError, match=f"Expected a new path.*{name}, which exists"):
            export(made("features"), tmp_path / name, "encoder", "savedmodel")
    with pytest.raises(NotADirectoryError):
        export(made("features"), tmp_path / "file" / "part", "encoder", "savedmodel")
    assert (tmp_path / "file").read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("wrong", [0.01, float("nan")])
def test_a_file_that_gives_other_numbers_is_not_kept(wrong, tmp_path, monkeypatch):
    right = SavedModelFormat.runner

    def runner(self: SavedModelFormat, path: Path) -> Callable[[np.ndarray], np.ndarray]:
        run_rightly = right(self, path)
        return lambda frames: run_rightly(frames) + wrong

    monkeypatch.setattr(SavedModelFormat, "runner", runner)
    with pytest.raises(InputError, match=r"within 0.001 of the model's. Received: a difference"):
        export(made("classifier"), tmp_path / "a" / "b", "classifier", "savedmodel")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_is_stopped_leaves_nothing(tmp_path, monkeypatch):
    def stop(self: SavedModelFormat, path: Path) -> None:
        assert (path / "saved_model.pb").is_file()
        raise KeyboardInterrupt

    monkeypatch.setattr(SavedModelFormat, "runner", stop)
    with pytest.raises(KeyboardInterrupt):
        export(made("features"), tmp_path / "a" / "b", "encoder", "savedmodel")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["onnxruntime", "tf2onnx"])
def test_onnx_without_its_extra_names_the_extra(missing, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match="the extra `onnx` brings"):
        export(made("features"), tmp_path / "part", "encoder", "onnx")
    assert list(tmp_path.iterdir()) == []


def test_another_backend_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match=r"Expected Keras on TensorFlow.*'jax'"):
        export(made("features"), tmp_path / "part", "encoder", "savedmodel")


def test_what_a_converter_refuses_is_one_sentence_and_files_are_not_its_business():
    sentence = "Expected a model that X takes; savedmodel takes all. Received: "
    for error, reason in ((ValueError("no such\nthing"), "no such"), (KeyError(), "KeyError")):
        with pytest.raises(InputError) as refused, refusals("X"):
            raise error
        assert str(refused.value) == sentence + reason
    with pytest.raises(OSError, match="full"), refusals("X"):
        raise OSError("full")


def chaotic(clips: np.ndarray) -> np.ndarray:
    """Return a forecast whose every step takes the error times two."""
    x = clips[:, -1]
    steps = []
    for _ in range(40):
        x = np.abs(1 - np.abs(1 - 2 * x))  # the tent map
        steps.append(x)
    return np.stack(steps, axis=1)


def test_a_chaotic_forecast_is_compared_as_long_as_it_can_be():
    serving = Serving((1, 2), "prediction", (3,), chaotic, chaotic, (), forecasts=True)
    rounded = compare(serving, lambda clips: chaotic(clips * np.float32(1 - 1e-6)), 1e-3)
    assert 2 <= rounded.checked_steps <= 6
    assert 0 < rounded.difference < 1e-3
    wrong = compare(serving, lambda clips: chaotic(clips) + 0.1, 1e-3)
    assert wrong.difference > 0.09


def test_an_output_of_another_shape_is_refused():
    serving = serving_of(made("features"), "encoder")
    assert compare(serving, serving.expected, 1e-3) == Comparison(0.0, None)
    with pytest.raises(InputError, match=r"Expected an exported output \(2, 5\)"):
        compare(serving, lambda clips: serving.expected(clips)[:, :2], 1e-3)
