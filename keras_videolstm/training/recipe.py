"""A recipe: everything that makes a training run, as a small TOML file."""

import dataclasses
import math
import os
import re
import tomllib
import types
import typing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from keras_videolstm.choices import CONDITIONAL, VARIANTS
from keras_videolstm.errors import InputError
from keras_videolstm.layers import Convolution
from keras_videolstm.layers.frame_layout import FrameLayout
from keras_videolstm.layers.frame_standardizer import KINDS

FORMAT = 1
ACTIVATIONS = ("linear", "sigmoid")
SCHEDULES = ("constant", "cosine")
PRECISIONS = ("auto", "float32", "mixed_bfloat16")


@dataclass
class ConvolutionRecipe:
    """Table `[model.convolution]`: layers over feature maps; see `layers.Convolution`.

    Attributes:
        patch_size: side of the patches that a frame is cut into, in pixels.
        kernel_size: side of the kernels.
        strides: for each layer, how much coarser its maps are than those below.
        max_displacement: how many pixels things may move between two frames.
        motion_tracks: whether what moves is followed.
    """

    patch_size: int = 4
    kernel_size: int = 3
    strides: list[int] = field(default_factory=list)
    max_displacement: int = 0
    motion_tracks: bool = False


@dataclass
class ModelRecipe:
    """Table `[model]`: the arguments of `VideoLSTM`, and how many frames it reads.

    Attributes:
        variant: as in `VideoLSTM`.
        frame_shape: shape of a frame.
        units: units of each layer, lowest first.
        input_steps: frames read.
        prediction_steps: frames predicted.
        activation: `"sigmoid"` (cross entropy, nats per frame) or `"linear"` (half the squared
            error per frame).
        standardize: standardise features by the training data's statistics: `true`, `"channel"`
            or `"root"`, as in `VideoLSTM`.
        dropout: rate between layers.
        peepholes: whether gates see the cell state.
        input_gain: how much larger than Glorot's the initial input weights are. Most pixels of
            moving digits are black, and with 1 an LSTM long sees next to nothing of them.
        slow_features: number of slow features that the encoder reads, and of those of changes, as
            in `VideoLSTM`; their directions are measured on the training data.
        trace_rates: rates of the running means of the frames read that decoders write from, as in
            `VideoLSTM`.
        drift_features: number of drift features that the encoder reads, as in `VideoLSTM`; their
            directions are measured on the training data.
        convolution: makes `units` numbers of filters; default: fully connected layers.
    """

    variant: str
    frame_shape: list[int]
    units: list[int]
    input_steps: int
    prediction_steps: int
    activation: str = "sigmoid"
    standardize: bool | str = False
    dropout: float = 0.0
    peepholes: bool = True
    input_gain: float = 1.0
    convolution: ConvolutionRecipe | None = None
    slow_features: int = 0
    trace_rates: list[float] = field(default_factory=list)
    drift_features: int = 0

    def layout(self) -> FrameLayout:
        """Return how frames lie before the layers.

        Raises:
            ValueError: if the frames do not go with the convolution.
        """
        spec = self.convolution
        convolution = Convolution(**asdict(spec)) if spec is not None else None
        return FrameLayout(self.frame_shape, convolution, len(self.units))


@dataclass
class StoreRecipe:
    """One percept store of `[[data.train]]` or `[[data.validation]]`.

    Attributes:
        store: path, relative to the folder given as `--root` (default: the recipe's own).
        groups: groups to take, ranges such as `"g16-g25"` allowed; default all.
    """

    store: str
    groups: list[str] = field(default_factory=list)


@dataclass
class DataRecipe:
    """Table `[data]`: what is learned from.

    Attributes:
        kind: `"percepts"` or `"moving_mnist"`.
        train: stores to train on (percepts).
        validation: stores to validate on (percepts).
        test: stores that a published model is scored on, once (percepts); default: those that
            validate.
        digits_per_frame: moving MNIST's number of digits.
        speed: moving MNIST's part of the free range a frame, or a [low, high] range.
        validation_windows: number of windows or sequences in the fixed validation set, and of
            windows in the test set.
    """

    kind: str
    train: list[StoreRecipe] = field(default_factory=list)
    validation: list[StoreRecipe] = field(default_factory=list)
    digits_per_frame: int = 2
    speed: float | list[float] = 0.1
    validation_windows: int = 1000
    test: list[StoreRecipe] = field(default_factory=list)


@dataclass
class OptimizerRecipe:
    """Table `[optimizer]`.

    Attributes:
        name: any Keras optimiser, such as `"adam"` or `"rmsprop"`.
        learning_rate: the highest.
        schedule: `"constant"`, or `"cosine"`, which falls to zero at the last step.
        cycles: how often a cosine falls to zero, each time from half the height of the one before.
        warmup_steps: steps of linear rise at the start.
        clipnorm: clip the gradients' joint norm to this; 0 does not.
        weight_decay: decoupled; 0 is none.
    """

    name: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "constant"
    cycles: int = 1
    warmup_steps: int = 0
    clipnorm: float = 0.0
    weight_decay: float = 0.0


@dataclass
class SamplingRecipe:
    """Table `[sampling]`: scheduled sampling of a conditional decoder's own frames.

    Attributes:
        rate: probability, at the end, that a step sees its own frame; 0 is teacher forcing.
        first_step: training step up to which it is 0.
        last_step: training step from which it is `rate`; linear in between.
    """

    rate: float = 0.0
    first_step: int = 0
    last_step: int = 0


@dataclass
class TrainingRecipe:
    """Table `[training]`.

    Attributes:
        batch_size: sequences a step.
        steps_per_epoch: steps between two validations and saves.
        epochs: number of such spans.
        precision: of the products, a Keras dtype policy; `"auto"` measures which one pays.
        start: checkpoint of the same architecture, or of one without `motion_tracks`, a name or a
            folder (from where the command is called), whose weights (and statistics) the run starts
            from; default: random ones.
        start_sha256: of that checkpoint's weights; a run fills it in.
    """

    batch_size: int
    steps_per_epoch: int
    epochs: int
    precision: str = "auto"
    start: str = ""
    start_sha256: str = ""


@dataclass
class Recipe:
    """A training run, complete: model, data, optimiser, schedule, seed, precision, horizon.

    Attributes:
        name: of the checkpoint that it makes.
        seed: of weights, data order and dropout.
        model, data, optimizer, sampling, training: the tables.
        description: one line for people.
        format: version of this format.

    Raises:
        InputError: on an unknown or missing key, a wrong type, or an impossible value.

    Example:
        >>> recipe = Recipe.load("zoo/composite_youtube/recipe.toml")
        >>> recipe.model.units
        [256, 256]
    """

    name: str
    seed: int
    model: ModelRecipe
    data: DataRecipe
    training: TrainingRecipe
    optimizer: OptimizerRecipe = field(default_factory=OptimizerRecipe)
    sampling: SamplingRecipe = field(default_factory=SamplingRecipe)
    description: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        _expect(self.format == FORMAT, "format", FORMAT, self.format)
        _expect(self.model.variant in VARIANTS, "model.variant", VARIANTS, self.model.variant)
        _expect(
            self.data.kind in ("percepts", "moving_mnist"),
            "data.kind",
            "'percepts' or 'moving_mnist'",
            self.data.kind,
        )
        if self.data.kind == "percepts":
            has_both = bool(self.data.train and self.data.validation)
            _expect(has_both, "data.train and data.validation", "at least one store each", "none")
        schedule, precision = self.optimizer.schedule, self.training.precision
        _expect(schedule in SCHEDULES, "optimizer.schedule", SCHEDULES, schedule)
        _expect(precision in PRECISIONS, "training.precision", PRECISIONS, precision)
        self._check_numbers()
        self._check_cycles()
        self._check_sampling()

    def _check_convolution(self) -> None:
        spec = self.model.convolution
        if spec is None:
            return
        try:
            self.model.layout()
        except ValueError as error:
            raise InputError(f"Expected [model.convolution] to fit the frames. {error}") from error

    def _check_cycles(self) -> None:
        cycles = self.optimizer.cycles
        fits = cycles == 1 or (self.optimizer.schedule == "cosine" and self.steps % cycles == 0)
        _expect(fits, "optimizer.cycles", "1, or of a cosine a divisor of all steps", cycles)

    def _check_sampling(self) -> None:
        rate, first, last = self.sampling.rate, self.sampling.first_step, self.sampling.last_step
        _expect(0 <= rate <= 1, "sampling.rate", "a rate from 0 to 1", rate)
        if not rate:
            return
        conditional = self.model.variant.startswith(CONDITIONAL)
        _expect(conditional, "model.variant", "conditional, to sample", self.model.variant)
        _expect(first >= 0, "sampling.first_step", "a number of at least 0", first)
        _expect(last > first, "sampling.last_step", "a later step than sampling.first_step", last)

    def _check_numbers(self) -> None:
        positive, not_negative = "a positive number", "a number of at least 0"
        for where, key, least in (
            ("model", "input_steps", positive),
            ("model", "prediction_steps", positive),
            ("model", "input_gain", positive),
            ("model", "slow_features", not_negative),
            ("model", "drift_features", not_negative),
            ("data", "digits_per_frame", positive),
            ("data", "validation_windows", positive),
            ("training", "batch_size", positive),
            ("training", "steps_per_epoch", positive),
            ("training", "epochs", positive),
            ("optimizer", "learning_rate", positive),
            ("optimizer", "cycles", positive),
            ("optimizer", "warmup_steps", not_negative),
            ("optimizer", "clipnorm", not_negative),
            ("optimizer", "weight_decay", not_negative),
        ):
            value = getattr(getattr(self, where), key)
            holds = math.isfinite(value) and (value > 0 or (value == 0 and least == not_negative))
            _expect(holds, f"{where}.{key}", least, value)
        for key in ("frame_shape", "units"):
            sizes = getattr(self.model, key)
            holds = bool(sizes) and min(sizes) > 0
            _expect(holds, f"model.{key}", "a list of positive numbers", sizes)
        standardize = self.model.standardize
        known = isinstance(standardize, bool) or standardize in KINDS
        _expect(known, "model.standardize", f"true, false or one of {KINDS}", standardize)
        activation, dropout = self.model.activation, self.model.dropout
        _expect(activation in ACTIVATIONS, "model.activation", ACTIVATIONS, activation)
        _expect(0 <= dropout < 1, "model.dropout", "a rate of at least 0 and below 1", dropout)
        _expect(0 <= self.seed < 2**32, "seed", "a number from 0 to 2^32 - 1", self.seed)
        plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", self.name) is not None
        _expect(plain, "name", "a plain name of letters, digits, '_', '.' and '-'", self.name)
        shape, slow = self.model.frame_shape, self.model.slow_features
        fits = not slow or (len(shape) == 1 and slow <= shape[0])
        _expect(fits, "model.slow_features", "0, or at most as many as a vector has features", slow)
        rates = self.model.trace_rates
        holds = all(0 <= rate <= 1 for rate in rates)
        _expect(holds, "model.trace_rates", "a list of numbers from 0 to 1", rates)
        fits = not rates or (len(shape) == 1 and activation == "linear")
        _expect(fits, "model.trace_rates", "empty, but for vectors of linear features", rates)
        drift = self.model.drift_features
        fits = not drift or (bool(rates) and min(rates) < 1 and drift <= shape[0])
        where = "0, or at most as many as a vector has features, beside trace_rates below 1"
        _expect(fits, "model.drift_features", where, drift)
        self._check_convolution()
        if self.data.kind == "moving_mnist":
            shape = self.model.frame_shape
            _expect(shape == [64, 64, 1], "model.frame_shape", [64, 64, 1], shape)
            _expect(activation == "sigmoid", "model.activation", "'sigmoid'", activation)
            _expect(not self.model.standardize, "model.standardize", False, standardize)
        fits = activation != "sigmoid" or not standardize
        _expect(fits, "model.activation", "'linear' with model.standardize", activation)

    @property
    def steps(self) -> int:
        """Number of the optimiser's steps in the whole run."""
        return self.training.steps_per_epoch * self.training.epochs

    @property
    def training_sequences(self) -> int:
        """Number of windows or sequences that the run learns from."""
        return self.training.batch_size * self.steps

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Recipe":
        """Read a recipe from a TOML file."""
        path = Path(path)
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise InputError(f"Expected a recipe. Received: {path}, which is not there") from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"Expected a recipe in TOML. Received: {path} ({error})") from error
        try:
            return _from_table(cls, table, "")
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    def to_toml(self) -> str:
        """Return the recipe as TOML, every default written out that says something here.

        Keys of other kinds of data do not, nor those of sampling where no decoder is conditional.
        """
        table = _without_none(asdict(self))
        for section, idle in self._idle().items():
            part = getattr(self, section)
            for entry in dataclasses.fields(part):
                if entry.name in idle and getattr(part, entry.name) == _default(entry):
                    del table[section][entry.name]
        return tomli_w.dumps({key: value for key, value in table.items() if value != {}})

    def _idle(self) -> dict[str, set[str]]:
        """Return, by table, the keys that do not matter to this recipe."""
        of_digits, of_stores = {"digits_per_frame", "speed"}, {"train", "validation", "test"}
        sampling = {entry.name for entry in dataclasses.fields(SamplingRecipe)}
        return {
            "data": of_digits if self.data.kind == "percepts" else of_stores,
            "sampling": set() if self.model.variant.startswith(CONDITIONAL) else sampling,
            "training": set() if self.training.start else {"start", "start_sha256"},
        }


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    """Leave out, in all tables, what is not set: TOML has no word for it."""
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }


def _expect(holds: bool, key: str, expected: Any, received: Any) -> None:
    if not holds:
        raise InputError(f"Expected {key} to be {expected}. Received: {received!r}")


def _from_table(kind: Any, table: Any, where: str) -> Any:
    _expect(isinstance(table, dict), where or "a recipe", "a table", table)
    types_of = typing.get_type_hints(kind)
    unknown = sorted(set(table) - set(types_of))
    if unknown:
        raise InputError(
            f"Expected only the keys {', '.join(types_of)} in {_table(where)}. "
            f"Received: {', '.join(unknown)}"
        )
    required = {f.name for f in dataclasses.fields(kind) if _is_required(f)}
    missing = sorted(required - set(table))
    if missing:
        raise InputError(f"Expected the key {missing[0]!r} in {_table(where)}. Received: none")
    values = {
        key: _converted(types_of[key], value, f"{where}.{key}" if where else key)
        for key, value in table.items()
    }
    return kind(**values)


def _table(where: str) -> str:
    return f"table [{where}]" if where else "the recipe"


def _is_required(entry: dataclasses.Field[Any]) -> bool:
    return entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING


def _default(entry: dataclasses.Field[Any]) -> Any:
    if entry.default_factory is not dataclasses.MISSING:
        return entry.default_factory()
    return entry.default


def _converted(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _from_table(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        _expect(isinstance(value, list), where, "a list", value)
        return [_converted(arguments[0], item, where) for item in value]
    if origin is types.UnionType and types.NoneType in arguments:
        return _converted(arguments[0], value, where)
    if origin is types.UnionType:
        fitting = (k for k in arguments if type(value) is (typing.get_origin(k) or k))
        return _converted(next(fitting, arguments[0]), value, where)
    if kind is float and type(value) is int:
        return float(value)
    _expect(type(value) is kind, where, f"of type {kind.__name__}", value)
    return value
