"""Tests of the zoo's page as a file: what is on it, and that nothing can get out of its place."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from keras_videolstm.checkpoints import load_metadata
from keras_videolstm.zoo_folder import list_checkpoints, zoo_folder
from keras_videolstm_tools.work.zoo_entries import read_entries
from keras_videolstm_tools.work.zoo_page import render_page
from tests.command_line import done, leftovers, refused

NASTY = """<script>alert("1")</script>'&amp;$name"""
STANDARD = (
    "10000 sequences of 2 digits (MNIST, test part), seed 10000; 10 frames read, 10 predicted; "
    "free-running but for *_forced"
)


class Reader(HTMLParser):
    """The elements of a page and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def write_entry(folder: Path, card: str = "", config: dict | None = None, **metadata) -> Path:
    """Write an entry as far as the page reads it."""
    folder.mkdir(parents=True)
    known = {"format": 1, "sha256": {}, "description": "a toy", "parameters": 1234}
    (folder / "metadata.json").write_text(json.dumps({**known, **metadata}), encoding="utf-8")
    settings = {"variant": "composite", "units": [3, 3], **(config or {})}
    (folder / "config.json").write_text(json.dumps({"model": "VideoLSTM", "config": settings}))
    (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


def page_of(zoo: Path) -> Reader:
    return Reader(render_page(read_entries(zoo), "Mine"))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the zoo itself."""
    path = tmp_path_factory.mktemp("page") / "new" / "zoo.html"
    text = done("zoo", "page", "--out", path)
    assert f"{len(list_checkpoints())} checkpoints" in text
    assert leftovers(path.parent) == []
    return path.read_text(encoding="utf-8")


# --- The zoo itself ---


def test_every_checkpoint_is_there_with_its_numbers_and_the_lines_that_load_it(published):
    text = Reader(published).text
    assert text.count("The zoo of keras_videolstm") == 2
    for name in list_checkpoints():
        metadata = load_metadata(name)
        assert f'import keras_videolstm as kvl\nmodel = kvl.load("{name}")' in text
        assert f"{metadata['parameters']:,}" in text
        assert metadata["description"] in text
        assert metadata["protocol"] in text
        card = (zoo_folder() / name / "README.md").read_text(encoding="utf-8")
        assert card.split("---\n", 2)[2].strip() in text
    assert text.count("Licence of weights") == len(list_checkpoints())
    assert "not stated" not in text


def test_nothing_is_loaded_from_anywhere(published):
    page = Reader(published)
    assert not re.search(r"(?i)(https?:)?//[a-z]", re.sub(r"data:[^\"]+", "", published))
    for _, attributes in page.elements:
        for key in ("src", "srcset", "href", "action", "data", "poster"):
            assert (attributes.get(key) or "#").startswith(("#", "data:"))
    for tag in ("iframe", "object", "embed", "base", "form"):
        assert page.all(tag) == []
    assert "url(" not in published and "@import" not in published


def test_the_policy_allows_the_page_s_own_style_and_script_and_no_other(published):
    page = Reader(published)
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", published, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not any(
        key == "style" or key.startswith("on")
        for _, attributes in page.elements
        for key in attributes
    )


def test_anchors_are_unique_and_every_link_leads_to_one(published):
    page = Reader(published)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert sorted(ids) == list(list_checkpoints())
    assert {link["href"] for link in page.all("a")} == {f"#{anchor}" for anchor in ids}


def test_pictures_are_embedded_described_and_still_for_who_wants_it(published):
    page = Reader(published)
    folders = [zoo_folder() / name for name in list_checkpoints()]
    moving = [folder.name for folder in folders if (folder / "forecast_1.gif").is_file()]
    images, stills = page.all("img"), page.all("source")
    films = [image for image in images if image["src"].startswith("data:image/gif;base64,")]
    assert all(name in film["alt"] for name, film in zip(moving, films, strict=True))
    assert [still["srcset"][:22] for still in stills] == ["data:image/png;base64,"] * len(moving)
    assert {still["media"] for still in stills} == {"(prefers-reduced-motion: reduce)"}
    assert all(int(image["width"]) and int(image["height"]) for image in images)


def test_a_reader_of_screens_finds_landmarks_headings_and_captions(published):
    page = Reader(published)
    assert page.all("html") == [{"lang": "en"}]
    assert [len(page.all(tag)) for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    assert len(page.all("h3")) == len(page.all("article")) == len(list_checkpoints())
    assert len(page.all("caption")) == len(page.all("table"))
    assert [head.get("aria-sort") for head in page.all("th")[:7]] == ["ascending"] + [None] * 6


def test_the_same_zoo_makes_the_same_page(published, tmp_path):
    made = json.loads(done("zoo", "page", "--out", tmp_path / "again.html", "--json"))
    assert made["checkpoints"] == list(list_checkpoints())
    assert made["bytes"] == (tmp_path / "again.html").stat().st_size
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == published


# --- The paper's numbers ---


def test_the_paper_s_number_stands_beside_a_free_running_measurement_like_its_own_only(tmp_path):
    nats = {"prediction nats": 417.6, "prediction_forced nats": 350.0}
    other = STANDARD.replace("10 predicted", "5 predicted")
    few = STANDARD.replace("10000 sequences", "100 sequences")
    write_entry(tmp_path / "a", metrics=nats, protocol=STANDARD)
    write_entry(tmp_path / "b", metrics=nats, protocol=other)
    write_entry(tmp_path / "c", metrics=nats, protocol=few)
    write_entry(tmp_path / "d", metrics=nats, protocol=STANDARD, config={"variant": "autoencoder"})
    text = page_of(tmp_path).text
    assert text.count("Composite, 2×2048 units, 344.9 nats") == 1
    # In the overview and beside `prediction` in the card's table.
    assert text.count("344.9") == 3
    assert "have 2×2048 units" in text
    assert "those set beside them have 2×3 units, and saw fewer sequences" in text
    write_entry(tmp_path / "own" / "b", metrics=nats, protocol=other)
    assert "2048" not in page_of(tmp_path / "own").text


# --- One's own zoo ---


def test_a_zoo_of_one_s_own_is_loaded_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    card = "---\nlibrary_name: x\nlicense: 'cc-by-4.0'\n---\n# A card\nlicense: no\n"
    write_entry(Path("my_zoo/composite_youtube"), card, training_sequences=5000)
    write_entry(
        Path("my_zoo/plain"), "license: no", license="MIT", data=[{"store": "a.h5", "n": 5}]
    )
    done("zoo", "page", "--zoo", "my_zoo", "--out", "page.html")
    text = Reader(Path("page.html").read_text(encoding="utf-8")).text
    assert 'kvl.load("my_zoo/composite_youtube")' in text
    assert "cc-by-4.0" in text and "MIT" in text
    assert "store a.h5, 5 n" in text
    monkeypatch.chdir("my_zoo")
    done("zoo", "page", "--zoo", ".", "--out", "page.html")
    text = Path("page.html").read_text(encoding="utf-8")
    # By its path: the name alone is another checkpoint.
    assert "./composite_<wbr>youtube" in text and "a toy" in text


def test_a_zoo_of_percepts_shows_losses_beside_those_of_the_last_frame_held(tmp_path):
    measured = {"prediction_loss": 447.0, "baselines": {"the last frame held": 268.0}}
    write_entry(
        tmp_path / "my <zoo>" / "a", "---\nlicense: MIT\n---\n# A\n\nSaw <b>.", metrics=measured
    )
    done("zoo", "page", "--zoo", tmp_path / "my <zoo>", "--out", tmp_path / "page.html")
    page = Reader((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert page.text.count("Checkpoints in my <zoo>") == 2
    assert "Nats" not in page.text
    assert "The whole card of a\n# A\n\nSaw <b>." in page.text
    cells = [cell["data-value"] for cell in page.all("td") if "data-value" in cell]
    assert cells[:2] == ["447.0", "268.0"]
    # Only this can be compared between models of other percepts, or standardised otherwise.
    assert float(cells[2]) == pytest.approx(447 / 268)
    assert "convnet" not in page.text
    write_entry(tmp_path / "my <zoo>" / "b", metrics={"prediction nats": 400.0})
    assert "Nats" in page_of(tmp_path / "my <zoo>").text


def test_what_metadata_says_stays_text(tmp_path):
    write_entry(
        tmp_path / 'a"<b> c',
        f"---\nlicense: {NASTY}\n---\n",
        description=NASTY,
        data=[{NASTY: NASTY}],
        protocol=NASTY,
        metrics={NASTY: 1, "baselines": {NASTY: 2}},
        config={"units": [NASTY]},
    )
    (tmp_path / 'a"<b> c' / "config.json").write_text(
        json.dumps({"model": NASTY, "config": {"units": [NASTY], "variant": NASTY}})
    )
    page = page_of(tmp_path)
    assert len(page.all("script")) == 1 and page.all("b") == []
    # Description, data twice, protocol, results twice, licence, layers.
    assert page.text.count(NASTY) == 8
    (heading,) = page.all("h3")
    assert heading["id"] == "a%22%3Cb%3E%20c"


def test_a_name_like_a_part_of_the_page_is_no_second_anchor(tmp_path):
    for name in ("overview", "a b", "a%20b", "search", "ä"):
        write_entry(tmp_path / name)
    ids = [heading["id"] for heading in page_of(tmp_path).all("h3")]
    assert len(set(ids)) == 5


def test_what_is_no_number_is_unknown_and_what_is_no_letter_is_replaced(tmp_path):
    metrics = {"prediction nats": float("nan"), "yes": True, "x": "y"}
    write_entry(tmp_path / "a", metrics=metrics, description="half \ud800 a pair")
    page = page_of(tmp_path)
    (nats, *_) = [cell for cell in page.all("td") if "data-value" in cell]
    assert nats["data-value"] == ""
    assert "yes" not in page.text
    assert "half ? a pair" in page.text


def test_a_still_picture_stands_in_for_a_moving_one(tmp_path):
    folder = write_entry(tmp_path / "a")
    assert page_of(tmp_path).all("img") == []
    Image.new("RGB", (40, 20)).save(folder / "curves.png")
    (image,) = page_of(tmp_path).all("img")
    assert (image["alt"], image["width"]) == ("Learning curves of a", "40")
    Image.new("RGB", (60, 20)).save(folder / "forecast_1.png")
    (image,) = page_of(tmp_path).all("img")
    assert (image["width"], page_of(tmp_path).all("source")) == ("60", [])


def test_kinds_are_told_apart(tmp_path):
    write_entry(tmp_path / "a", data="moving digits: MNIST")
    write_entry(tmp_path / "b", percepts={"extractor": "toy", "fps": 15, "fit": "crop"})
    write_entry(tmp_path / "c")
    write_entry(tmp_path / "d", percepts={"extractor": "patches", "fps": 15, "fit": "crop"})
    kinds = [row["data-kind"] for row in page_of(tmp_path).all("tr") if "data-kind" in row]
    assert kinds == ["moving MNIST", "video percepts", "other", "pixels of video"]
    assert "convnet" in {entry.kind for entry in read_entries(zoo_folder())}


# --- Bad input ---


def broken(folder: Path, how: str) -> None:
    file = folder / "metadata.json"
    metadata = json.loads(file.read_text())
    match how:
        case "no JSON":
            file.write_text("{")
        case "a list":
            file.write_text("[]")
        case "no config":
            (folder / "config.json").unlink()
        case "a config that is a list":
            (folder / "config.json").write_text("[]")
        case "a picture that is none":
            (folder / "curves.png").write_text("no")
        case "a newer format":
            file.write_text(json.dumps({**metadata, "format": 9}))
        case "no parameters":
            del metadata["parameters"]
            file.write_text(json.dumps(metadata))
        case "a description that is none":
            file.write_text(json.dumps({**metadata, "description": 3}))
        case "metrics that are none":
            file.write_text(json.dumps({**metadata, "metrics": [1]}))
        case "a number beyond all":
            file.write_text(json.dumps({**metadata, "metrics": {"x": 10**400}}))
        case "units that are none":
            (folder / "config.json").write_text('{"model": "", "config": {"units": 3}}')


@pytest.mark.parametrize(
    "how",
    [
        "no JSON",
        "a list",
        "no config",
        "a config that is a list",
        "a picture that is none",
        "a newer format",
        "no parameters",
        "a description that is none",
        "metrics that are none",
        "a number beyond all",
        "units that are none",
    ],
)
def test_a_broken_entry_is_one_sentence_and_leaves_the_older_page(how, tmp_path):
    write_entry(tmp_path / "zoo" / "good")
    broken(write_entry(tmp_path / "zoo" / "toy"), how)
    (tmp_path / "page.html").write_text("older")
    sentence = refused("zoo", "page", "--zoo", tmp_path / "zoo", "--out", tmp_path / "page.html")
    assert re.match(r"Expected .+ Received: .*toy", sentence)
    assert (tmp_path / "page.html").read_text() == "older"


def test_a_folder_without_entries_is_one_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    for zoo in ("empty", "none"):
        sentence = refused("zoo", "page", "--zoo", tmp_path / zoo, "--out", tmp_path / "page.html")
        assert re.match(
            r"Expected a folder of checkpoints.+ Received: .+, which has none", sentence
        )
    (tmp_path / "file").touch()
    refused("zoo", "page", "--zoo", tmp_path / "file", "--out", tmp_path / "page.html", code=2)
    refused("zoo", "page", "--out", tmp_path / "empty", code=2)
