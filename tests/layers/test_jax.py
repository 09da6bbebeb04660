import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_videolstm.models import VideoLSTM

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
import numpy as np
import keras
from keras_videolstm.layers import VideoEncoder, unroll
from keras_videolstm.models import ActionClassifier, VideoLSTM
from keras_videolstm.objectives import (
    BernoulliNatsPerFrame, HalfSquaredErrorPerFrame, StepCrossentropy
)
from tests.references import decode_feedback, decoder_weights, encode, encoder_weights, identity

assert keras.backend.backend() == "jax"
keras.utils.set_random_seed(0)
model = VideoLSTM("conditional_composite", (3,), units=[5, 4], prediction_steps=2,
                  activation="linear", trace_rates=[1.0, 0.3], drift_features=2)
model.drift.set_directions(np.random.default_rng(1).normal(size=(3, 2)))
clips = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
for time in (4, 3, 70):
    clip = np.random.default_rng(time).normal(size=(2, time, 3))
    seen = np.concatenate([clip, model.drift(clip)], axis=-1)
    sequence, state = encode(encoder_weights(model.encoder), seen)
    assert np.abs(model.encode(clip) - sequence[:, -1]).max() < 1e-5
shares = np.array([[0.0], [0.7]]) ** np.arange(time - 1, -1, -1)
state.append((shares @ clip, np.tile(shares.sum(axis=1), (2, 1))))
far = model.forecast(clip, 70)
expected = decode_feedback(decoder_weights(model.decoders["prediction"]), state, 70, identity)
assert np.abs(far - expected).max() < 1e-4
model.compile("adam", HalfSquaredErrorPerFrame())
x = {"frames": clips, "future": clips[:, :2]}
y = {"prediction": clips[:, :2], "reconstruction": clips}
before = model.evaluate(x, y, verbose=0, return_dict=True)
model.decoders["prediction"].set_sampling_rate(0.5)
model.fit(x, y, epochs=10, verbose=0)
results = model.evaluate(x, y, verbose=0, return_dict=True)
assert results["loss"] < before["loss"]
assert set(results) == {"loss", "prediction_loss", "prediction_forced_loss", "reconstruction_loss"}
classifier = ActionClassifier.from_video_lstm(model, ["a", "b"])
classifier.compile("adam", {"steps": StepCrossentropy(), "action": None})
classifier.fit(clips, {"steps": np.array([0, 1]), "action": np.array([0, 1])}, verbose=0)
assert abs(classifier.classify(clips[0]).sum() - 1) < 1e-5

encoder = VideoEncoder([4], stateful=True)
frames = keras.Input((None, 3), batch_size=2)
stateful = keras.Model(frames, encoder(frames)[0])
whole = np.asarray(unroll(encoder.cells[0], clips)[0])
halves = [stateful.predict(half, verbose=0) for half in (clips[:, :2], clips[:, 2:])]
assert np.abs(np.concatenate(halves, axis=1) - whole).max() < 1e-5
assert len(stateful.weights) == 4

frames, state = keras.Input((None, 3)), [keras.Input((4,)), keras.Input((4,))]
encoder = VideoEncoder([4])
masked = encoder(keras.layers.Masking(-1.0)(frames), initial_state=[tuple(state)])[1][0][0]
masked = keras.Model([frames, *state], masked)
zeros = np.zeros((2, 4), "float32")
padded = np.concatenate([clips, np.full((2, 3, 3), -1.0, "float32")], axis=1)
for run in (masked.predict_on_batch, masked):
    outputs = [np.asarray(run([each, zeros, zeros])) for each in (clips, padded)]
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-6

maps = {"frame_shape": (4, 4, 2), "convolution": {"patch_size": 2, "max_displacement": 2}}
classifier = ActionClassifier(32, ["a", "b"], units=[4], **maps)
classifier.compile("adam", {"steps": StepCrossentropy(), "action": None})
frames = np.random.default_rng(0).random((2, 5, 32)).astype("float32")
targets = {"steps": np.array([0, 1]), "action": np.array([0, 1])}
classifier.fit(frames, targets, epochs=2, verbose=0)
padded = np.concatenate([frames, np.full((2, 3, 32), -1.0, "float32")], axis=1)
outputs = [classifier.predict(each, verbose=0)["action"] for each in (frames, padded)]
assert np.abs(outputs[0] - outputs[1]).max() < 1e-6

folder = Path(sys.argv[1])
model = keras.saving.load_model(folder / "moving.keras")
kept = np.load(folder / "moving.npz")
assert np.abs(model.forecast(kept["clips"], 4) - kept["forecast"]).max() < 1e-4
model.compile("adam", BernoulliNatsPerFrame())
x = {"frames": kept["clips"], "future": kept["clips"][:, :2]}
y = {"prediction": x["future"], "reconstruction": x["frames"]}
history = model.fit(x, y, epochs=3, verbose=0).history
assert history["loss"][-1] < history["loss"][0]
print("passed")
"""
# Everything that a convolution can have.
CONVOLUTION = {"patch_size": 4, "strides": [1, 2], "max_displacement": 3, "motion_tracks": True}


@pytest.mark.slow
def test_layers_models_and_losses_run_on_jax(path: str, tmp_path: Path) -> None:
    if path == "own gradient":
        pytest.skip("JAX has the portable path alone")
    pytest.importorskip("jax")
    _keep_model(tmp_path / "moving")
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": str(ROOT),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # compiling is most of the time
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout.strip().endswith("passed"), done.stderr


def _keep_model(path: Path) -> None:
    """Write a model, clips and what it forecasts here, on TensorFlow."""
    model = VideoLSTM("conditional_composite", (16, 24, 1), [5, 4], 2, convolution=CONVOLUTION)
    clips = np.random.default_rng(0).random((2, 3, 16, 24, 1)).astype("float32")
    np.savez(path.with_suffix(".npz"), clips=clips, forecast=model.forecast(clips, 4))
    model.save(path.with_suffix(".keras"))
