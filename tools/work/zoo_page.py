"""The zoo as one HTML page that loads nothing: entries are filled into templates."""

import base64
import hashlib
import html
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from PIL import Image

from keras_videolstm._version import __version__
from keras_videolstm.errors import InputError
from keras_videolstm.visualization.style import FAINT, INK, MUTED, PALETTE, PAPER, STYLE
from keras_videolstm_tools.work.zoo_entries import FUTURE, OTHER_SCORE, Entry

# The colour of each kind.
_KINDS = {
    "moving MNIST": "blue",
    "video percepts": "green",
    "pixels of video": "vermilion",
    "convnet": "purple",
    "other": "orange",
}
# Heading and format of each score; another number stands in a column "value".
_SCORES = {
    "nats": ("nats", ".1f"),
    "paper": ("paper’s nats", ".1f"),
    "mse": ("MSE", ".1f"),
    "ssim": ("SSIM", ".3f"),
    "psnr": ("PSNR, dB", ".2f"),
    OTHER_SCORE: ("value", ".4g"),
}
_UNKNOWN = "–"

_ROW = """\
<tr data-anchor="$anchor" data-kind="$kind" data-search="$words">
<th scope="row"><a href="#$anchor">$name</a></th>
$numbers
<td>$kind</td>
</tr>"""
_HEADING = '<th scope="col" class="number">$text</th>'
_NUMBER = '<td class="number" data-value="$value">$text</td>'
_CARD = """\
<article class="card $colour" aria-labelledby="$anchor">
<h3 id="$anchor"><a href="#$anchor">$name</a></h3>
<p class="kind">$kind</p>
<p class="description">$description</p>
<div class="body">
$picture
<div class="text">
<div class="load">
<pre><code>import keras_videolstm as kvl
model = kvl.load($source)</code></pre>
<button type="button" hidden>Copy<span class="unseen"> the lines that load $name</span></button>
<span role="status"></span>
</div>
$scores
<dl>
$facts
</dl>
$whole
</div>
</div>
</article>"""
_SCORE_TABLE = """\
<div class="scroll" role="group" aria-label="Table of results of $name">
<table>
<caption>Results<span class="unseen"> of $name</span></caption>
<thead>
<tr><th scope="col">What</th>$headings</tr>
</thead>
<tbody>
$rows
</tbody>
</table>
</div>"""


_WHOLE = """\
<details>
<summary>The whole card<span class="unseen"> of $name</span></summary>
<pre>$card</pre>
</details>"""


class _Html(str):
    """Text that is HTML already; all other text is escaped when it is filled in."""


@dataclass(frozen=True)
class _Column:
    """A column of numbers of the overview."""

    heading: str
    form: str
    value: Callable[[Entry], float | None]


_NATS = [
    _Column("Nats", ".1f", lambda entry: entry.nats),
    _Column("Paper’s nats", ".1f", lambda entry: entry.paper[1] if entry.paper else None),
]
_LOSSES = [
    _Column("Loss", ".1f", lambda entry: entry.loss),
    _Column("Last frame held", ".1f", lambda entry: entry.loss_of_last_frame),
    _Column("Loss ÷ held", ".2f", lambda entry: entry.loss_beside_last_frame),
]
_SIZES = [
    _Column("Parameters", ",", lambda entry: entry.parameters),
    _Column("Size, MB", ".1f", lambda entry: entry.size / 1e6),
    _Column("Training sequences", ",", lambda entry: entry.sequences),
]


def _results(entries: list[Entry]) -> list[_Column]:
    """Return the columns of what was measured: nats, or losses where there are only these."""
    losses_alone = all(entry.nats is None for entry in entries) and any(
        entry.loss is not None for entry in entries
    )
    return _LOSSES if losses_alone else _NATS


def render_page(entries: list[Entry], title: str) -> str:
    """Return the page.

    Args:
        entries: the checkpoints.
        title: of the page.

    Raises:
        InputError: if a picture is broken.

    Example:
        >>> page = render_page(read_entries(zoo_folder()), "The zoo of keras_videolstm")
    """
    style = _fill(_template("css"), **_colours(), font=STYLE["font.sans-serif"][0])
    script = _Html(_template("js"))
    kinds = [kind for kind in _KINDS if kind in {entry.kind for entry in entries}]
    columns = [*_results(entries), *_SIZES]
    page = _fill(
        _template("html"),
        policy=(
            "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
            f"style-src {_hash(style)}; script-src {_hash(script)}"
        ),
        style=style,
        script=script,
        title=title,
        convnet=", and the convnet they see through" if "convnet" in kinds else "",
        kinds=_join(_fill("<option>$kind</option>", kind=kind) for kind in kinds),
        note=_note(entries),
        headings=_join(_fill(_HEADING, text=column.heading) for column in columns),
        rows=_join(_row(entry, columns) for entry in entries),
        cards=_join(_card(entry) for entry in entries),
        version=__version__,
    )
    # Half a surrogate pair, which JSON and file names may have, cannot be written.
    return page.encode("utf-8", errors="replace").decode("utf-8")


def _template(suffix: str) -> str:
    return Path(__file__).with_suffix(f".{suffix}").read_text(encoding="utf-8")


def _fill(template: str, **values: object) -> _Html:
    texts = {
        key: value if isinstance(value, _Html) else html.escape(str(value))
        for key, value in values.items()
    }
    return _Html(Template(template).substitute(texts))


def _join(parts: Iterable[_Html]) -> _Html:
    return _Html("\n".join(parts))


def _colours() -> dict[str, str]:
    return {**PALETTE, "ink": INK, "muted": MUTED, "faint": FAINT, "paper": PAPER}


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _breakable(name: str) -> _Html:
    """Let a long name break after its underscores."""
    return _Html(html.escape(name).replace("_", "_<wbr>"))


def _note(entries: list[Entry]) -> str:
    """Say what the numbers are, and what the paper's are of, if there are any on the page."""
    if _results(entries) == _LOSSES:
        return (
            "A loss is per frame of the future, in the units of a model’s own percepts; the last "
            "frame held, which has learned nothing, is measured on the same windows. Between "
            "models only their ratio can be compared: below 1, the model is the better forecaster."
        )
    counts = Counter(entry.layers for entry in entries if entry.paper)
    nats = "Nats are per frame of the future, free-running; fewer are better."
    if not counts:
        return nats
    others = Counter(entry.layers for entry in entries if entry.layers and not entry.paper)
    note = (
        f"{nats} The paper’s models have 2×2048 units and learned for one to two days on a GPU; "
        f"those set beside them have {_in_words(counts)}, and saw fewer sequences."
    )
    return note + (f" The others have {_in_words(others)}." if others else "")


def _in_words(counts: Counter[str]) -> str:
    return " or ".join(name for name, _ in counts.most_common())


def _row(entry: Entry, columns: list[_Column]) -> _Html:
    return _fill(
        _ROW,
        anchor=entry.anchor,
        kind=entry.kind,
        words=" ".join([entry.name, entry.kind, entry.description, entry.data]).lower(),
        name=_breakable(entry.name),
        numbers=_join(_number(column.value(entry), column.form) for column in columns),
    )


def _number(value: float | None, form: str) -> _Html:
    """Return a cell that sorts by its exact value."""
    if value is None or not math.isfinite(value):
        return _fill(_NUMBER, value="", text=_UNKNOWN)
    return _fill(_NUMBER, value=value, text=format(value, form))


def _card(entry: Entry) -> _Html:
    facts = {
        "Parameters": f"{entry.parameters:,}",
        "Layers": entry.layers,
        "Size on disk": f"{entry.size / 1e6:.1f} MB",
        "Data": entry.data,
        "Training sequences": "" if entry.sequences is None else f"{entry.sequences:,}",
        "Licence of weights": entry.licence or "not stated",
        "Protocol": entry.protocol,
        "In the paper": entry.paper and f"{entry.paper[0]}, 2×2048 units, {entry.paper[1]} nats",
    }
    return _fill(
        _CARD,
        colour=_KINDS[entry.kind],
        anchor=entry.anchor,
        name=_breakable(entry.name),
        kind=entry.kind,
        description=entry.description,
        picture=_picture(entry),
        source=_breakable(json.dumps(entry.source, ensure_ascii=False)),
        scores=_score_table(entry),
        facts=_join(
            _fill("<dt>$term</dt><dd>$text</dd>", term=term, text=text)
            for term, text in facts.items()
            if text
        ),
        whole=_fill(_WHOLE, name=entry.name, card=entry.card) if entry.card else _Html(""),
    )


def _score_table(entry: Entry) -> _Html:
    if not entry.scores:
        return _Html("")
    scores = {output: dict(of_output) for output, of_output in entry.scores.items()}
    if entry.paper and entry.nats is not None:
        scores[FUTURE]["paper"] = entry.paper[1]
    columns = [score for score in _SCORES if any(score in row for row in scores.values())]
    headings = (_fill(_HEADING, text=_SCORES[score][0]) for score in columns)
    rows = (
        _fill(
            '<tr><th scope="row">$output</th>$numbers</tr>',
            output=output,
            numbers=_join(_number(of_output.get(score), _SCORES[score][1]) for score in columns),
        )
        for output, of_output in scores.items()
    )
    return _fill(_SCORE_TABLE, name=entry.name, headings=_join(headings), rows=_join(rows))


def _picture(entry: Entry) -> _Html:
    """Return the forecast, moving unless the reader wants it still; or else the curves."""
    film, strip, curves = (
        entry.folder / name for name in ("forecast_1.gif", "forecast_1.png", "curves.png")
    )
    forecast = f"A test sequence, input and truth, beside what {entry.name} makes of it"
    if film.is_file() and strip.is_file():
        still = _fill(
            '<source media="(prefers-reduced-motion: reduce)" srcset="$data" $size>',
            **_embedded(strip),
        )
        moving = _fill('<img src="$data" $size alt="$alt">', **_embedded(film), alt=forecast)
        return _fill(
            '<div class="picture scroll"><picture>$still$moving</picture></div>',
            still=still,
            moving=moving,
        )
    for path, alt in ((strip, forecast), (curves, f"Learning curves of {entry.name}")):
        if path.is_file():
            image = _fill('<img src="$data" $size alt="$alt">', **_embedded(path), alt=alt)
            return _fill('<div class="picture scroll">$image</div>', image=image)
    return _Html("")


def _embedded(path: Path) -> dict[str, str]:
    """Return a picture as a data URI, and its size."""
    try:
        with Image.open(path) as image:
            (width, height), media_type = image.size, Image.MIME[image.format]
        data = base64.b64encode(path.read_bytes()).decode("ascii")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"Expected a picture. Received: {path} ({error})") from error
    return {
        "data": f"data:{media_type};base64,{data}",
        "size": _Html(f'width="{width}" height="{height}"'),
    }
