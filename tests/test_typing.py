"""A user's module, checked as strictly as mypy can, finds no fault with our annotations."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras_videolstm as kvl

LIBRARY = Path(kvl.__file__).parent

# Every function says what it returns: what our own annotations left open would be an error.
USER = """
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import keras_videolstm as kvl
from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.data.video import FrameFormat, iter_frames, read_video
from keras_videolstm.exporting import ExportReport, export
from keras_videolstm.models import VideoStream
from keras_videolstm.percepts import ExtractionReport, clip_percepts, extract, get_extractor
from keras_videolstm.training import Recipe, train
from keras_videolstm.training.evaluation import evaluate_frames
from keras_videolstm.training.finetune import FinetuneSettings, finetune, pretrained_classifier
from keras_videolstm.training.scores import score_videos
from keras_videolstm.training.splits import split_by_group
from keras_videolstm.visualization import Strip, draw_sequence, save_figure


def as_the_readme_does(percepts: NDArray[np.float32]) -> None:
    model = kvl.load("composite_youtube")
    print(model.encode(percepts), model.forecast(percepts, steps=30))
    print(model.stream().push(percepts[0]), kvl.load_metadata("composite_youtube")["percepts"])


def built() -> kvl.VideoLSTM:
    size = {"patch_size": 4}
    return kvl.VideoLSTM("composite", (64, 64, 1), units=(8, 8), convolution=size)


def encoded(model: kvl.VideoLSTM, percepts: NDArray[np.float32]) -> NDArray[Any]:
    return np.concatenate([model.encode(percepts), model.reconstruct(percepts)])


def followed(model: kvl.VideoLSTM) -> tuple[VideoStream, NDArray[Any]]:
    stream = model.stream()
    return stream, stream.forecast(5)


def named(classifier: kvl.ActionClassifier, percepts: NDArray[Any]) -> str:
    return classifier.label(classifier.classify(percepts))


def exported(model: kvl.VideoLSTM) -> ExportReport:
    return export(model, Path("encoder.onnx"), "encoder", "onnx")


def seen(path: Path) -> tuple[Figure, NDArray[Any]]:
    film = read_video(path, max_frames=10)
    extractor = get_extractor("efficientnet_lite0")
    print([frame.shape for frame in iter_frames(path, FrameFormat(fps=10))])
    figure = draw_sequence({"film": film, "parts": [Strip(film), Strip(film, 10, "truth")]})
    save_figure(figure, "film.png")
    return figure, clip_percepts(path, extractor, extractor.frame_format(fps=10))


def trained(folder: Path) -> dict[str, float]:
    result = train(Recipe.load(folder / "recipe.toml"), folder / "run", data_root=folder)
    kvl.save(result.model, folder / "entry", {"description": "mine"})
    return evaluate_frames(result.model, [np.zeros((2, 20, 64, 64, 1))])["prediction"].means()


def adapted(folder: Path, model: kvl.VideoLSTM) -> tuple[ExtractionReport, float]:
    report = extract([], folder / "percepts.h5", "efficientnet_lite0", fps=10)
    store = PerceptStore(folder / "percepts.h5")
    split = split_by_group(store, seed=0)
    settings = FinetuneSettings(steps=10)
    classifier = pretrained_classifier(store, split, settings, model)
    print(finetune(classifier, store, split, settings)["loss"][-1])
    return report, score_videos(classifier, store, split.test).video_accuracy
"""


@pytest.mark.slow
def test_a_strictly_checked_user_module_is_clean(tmp_path):
    module = tmp_path / "user.py"
    module.write_text(USER, encoding="utf-8")
    # Keras and TensorFlow are without types; only what is said of the user's file counts.
    options = ("--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"))
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(module)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(LIBRARY.parent)},
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert (LIBRARY / "py.typed").is_file()
