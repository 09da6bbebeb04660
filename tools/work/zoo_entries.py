"""What the page of the zoo shows of a checkpoint, read from its folder."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from keras_videolstm.checkpoints import CONFIG, load_metadata
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import PatchPercepts
from keras_videolstm.training.clips import is_of_digits
from keras_videolstm.zoo_folder import METADATA, zoo_folder
from keras_videolstm_tools.work.published_results import PAPER_NATS

Scores = dict[str, dict[str, float]]

FUTURE = "prediction"
SCORES = ("nats", "mse", "ssim", "psnr")
OTHER_SCORE = "value"
_PIXELS = "pixels of video"

_PAPER_NAMES = {
    "future_predictor": "Future Predictor",
    "composite": "Composite",
    "conditional_future_predictor": "Conditional Future Predictor",
    "conditional_composite": "Composite with a conditional Future Predictor",
}
# Only what was measured like the paper's is set beside it.
_PAPER_PROTOCOL = (
    "10000 sequences of 2 digits (MNIST, test part), seed 10000; "
    "10 frames read, 10 predicted; free-running"
)


@dataclass(frozen=True)
class Entry:
    """A checkpoint, as the page shows it.

    Example:
        >>> read_entries(zoo_folder())[0].kind
        'moving MNIST'
    """

    folder: Path
    source: str
    """What `kvl.load` takes."""
    kind: str
    description: str
    parameters: int
    size: int
    """Of all its files, in bytes."""
    layers: str
    data: str
    sequences: int | None
    licence: str
    card: str
    """The model card's Markdown, without its front matter."""
    protocol: str
    scores: Scores
    """By output and score."""
    paper: tuple[str, float] | None
    """The paper's name of this model and its nats, where they may be compared."""

    @property
    def name(self) -> str:
        """The folder's name.

        Example:
            >>> read_entries(zoo_folder())[0].name
            'autoencoder_moving_mnist'
        """
        return self.folder.name

    @property
    def anchor(self) -> str:
        """What follows `#` in a link to its card.

        Example:
            >>> read_entries(zoo_folder())[0].anchor
            'autoencoder_moving_mnist'
        """
        return quote(self.name)

    @property
    def nats(self) -> float | None:
        """Nats per frame of the future, free-running.

        Example:
            >>> read_entries(zoo_folder())[0].nats is None
            True
        """
        return self.scores.get(FUTURE, {}).get("nats")

    @property
    def loss(self) -> float | None:
        """Loss per frame of the future, of a model of percepts.

        Example:
            >>> round(read_entries(zoo_folder())[4].loss)
            201
        """
        return self.scores.get(f"{FUTURE} loss", {}).get(OTHER_SCORE)

    @property
    def loss_of_last_frame(self) -> float | None:
        """That of the last frame held, which has learned nothing.

        Example:
            >>> round(read_entries(zoo_folder())[4].loss_of_last_frame)
            269
        """
        return self.scores.get("baselines: the last frame held", {}).get(OTHER_SCORE)

    @property
    def loss_beside_last_frame(self) -> float | None:
        """How many times the loss of the last frame held its own is.

        Example:
            >>> round(read_entries(zoo_folder())[4].loss_beside_last_frame, 2)
            0.75
        """
        if self.loss is None or not self.loss_of_last_frame:
            return None
        return self.loss / self.loss_of_last_frame


def read_entries(zoo: Path) -> list[Entry]:
    """Return the checkpoints of a folder, by name.

    Raises:
        InputError: if there are none, or one of them is broken.

    Example:
        >>> entries = read_entries(zoo_folder())
    """
    folders = sorted(path.parent for path in zoo.glob(f"*/{METADATA}"))
    if (zoo / METADATA).is_file():
        raise InputError(
            f"Expected a folder of checkpoints. Received: {zoo}, which is one; its folder is "
            f"{zoo.parent}"
        )
    if not folders:
        raise InputError(
            f"Expected a folder of checkpoints, each a folder with {METADATA}. "
            f"Received: {zoo}, which has none"
        )
    ours = zoo.resolve() == zoo_folder().resolve()
    return [
        _read_entry(folder, folder.name if ours else f"{zoo}/{folder.name}") for folder in folders
    ]


def _read_entry(folder: Path, source: str) -> Entry:
    metadata = load_metadata(f"{folder.parent}/{folder.name}")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        head, card = _card(folder / "README.md")
        return Entry(
            folder=folder,
            source=source,
            kind=_kind(metadata, config),
            description=_typed(metadata, "description", str) or "",
            parameters=int(metadata["parameters"]),
            size=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
            layers=_layers(config["config"]),
            data=_data(metadata.get("data") or []),
            sequences=_typed(metadata, "training_sequences", int),
            licence=_licence(head) or _typed(metadata, "license", str) or "",
            card=card,
            protocol=_typed(metadata, "protocol", str) or "",
            scores=_scores(_typed(metadata, "metrics", dict) or {}),
            paper=_paper(metadata, config["config"]),
        )
    except (
        AttributeError,
        KeyError,
        OSError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(
            f"Expected a checkpoint with {METADATA} and {CONFIG}. Received: {folder} ({error!r})"
        ) from error


def _typed(metadata: Mapping[str, Any], key: str, kind: type) -> Any:
    """Return a value of that type, or None if there is none."""
    value = metadata.get(key)
    if value is not None and type(value) is not kind:
        raise TypeError(f"{key} must be of type {kind.__name__}")
    return value


def _kind(metadata: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    if config["model"] in ("EfficientNetLite0", "TemporalStream"):
        return "convnet"
    if percepts := metadata.get("percepts"):
        return _PIXELS if percepts.get("extractor") == PatchPercepts.name else "video percepts"
    return "moving MNIST" if is_of_digits(metadata) else "other"


def _layers(settings: Mapping[str, Any]) -> str:
    """Return a model's layers in words: 2×432 units."""
    units = list(settings.get("units", []))
    if settings.get("convolution"):
        return f"{', '.join(map(str, units))} convolutional feature maps"
    if len(set(units)) == 1:
        return f"{len(units)}×{units[0]} units"
    return f"{', '.join(map(str, units))} units" if units else ""


def _data(data: Any) -> str:
    """Return in words what was seen: a text, or a list of stores."""
    items = data if isinstance(data, list) else [data]
    return "; ".join(_store(item) if isinstance(item, dict) else str(item) for item in items)


def _store(store: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{value:,} {key}" if _is_number(value) else f"{key} {value}"
        for key, value in store.items()
    )


def _card(path: Path) -> tuple[list[str], str]:
    """Return the lines of a card's front matter, and the Markdown below it."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    lines = text.splitlines()
    rules = [number for number, line in enumerate(lines) if line.strip() == "---"]
    if len(rules) < 2 or rules[0]:
        return [], text.strip()
    return lines[1 : rules[1]], "\n".join(lines[rules[1] + 1 :]).strip()


def _licence(head: list[str]) -> str:
    """Return the `license:` of a card's front matter."""
    for line in head:
        key, _, value = line.partition(":")
        if key == "license":
            return value.strip().strip("'\"")
    return ""


def _scores(metrics: Mapping[str, Any]) -> Scores:
    """Return the metrics that are numbers, by output and score."""
    table: Scores = {}
    for key, number in _numbers(metrics):
        output, _, score = key.rpartition(" ")
        if score not in SCORES:
            output, score = key, OTHER_SCORE
        table.setdefault(output.replace("_", " "), {})[score] = number
    return table


def _numbers(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in metrics.items():
        inner = value.items() if isinstance(value, dict) else ()
        for name, number in (("", value), *inner):
            if _is_number(number):
                yield f"{key}: {name}" if name else key, float(number)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _paper(metadata: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, float] | None:
    if not str(metadata.get("protocol")).startswith(_PAPER_PROTOCOL):
        return None
    variant = settings.get("variant", "")
    return (_PAPER_NAMES[variant], PAPER_NATS[variant]) if variant in PAPER_NATS else None
