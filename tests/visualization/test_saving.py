import pytest
from PIL import Image

from keras_videolstm.errors import InputError
from keras_videolstm.visualization import draw_curves, save_figure


@pytest.fixture(scope="module")
def figure():
    return draw_curves({"loss": [2.0, 1.0]})


def test_a_picture_is_read_back_at_its_size(figure, tmp_path):
    path = save_figure(figure, tmp_path / "loss.png")
    width, height = figure.get_size_inches()
    with Image.open(path) as image:
        assert image.size == (int(width * 150), int(height * 150))
        assert len(image.convert("RGB").getcolors(100_000)) > 10
    assert [file.name for file in tmp_path.iterdir()] == ["loss.png"]


@pytest.mark.parametrize(
    ("suffix", "start"), [("pdf", b"%PDF"), ("svg", b"<?xml"), ("PNG", b"\x89PNG")]
)
def test_the_ending_chooses_the_format(figure, tmp_path, suffix, start):
    path = save_figure(figure, str(tmp_path / f"loss.{suffix}"))
    assert path.read_bytes().startswith(start)


def test_a_file_of_that_name_is_replaced(figure, tmp_path):
    (tmp_path / "loss.png").write_bytes(b"old")
    save_figure(figure, tmp_path / "loss.png")
    with Image.open(tmp_path / "loss.png") as image:
        assert image.format == "PNG"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    figure = draw_curves({"loss": [2.0, 1.0]})
    (tmp_path / "loss.png").write_bytes(b"old")

    def fail(path, **options):
        path.write_bytes(b"half")
        raise RuntimeError("disk full")

    figure.savefig = fail
    with pytest.raises(RuntimeError, match="disk full"):
        save_figure(figure, tmp_path / "loss.png")
    assert [file.name for file in tmp_path.iterdir()] == ["loss.png"]
    assert (tmp_path / "loss.png").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("loss.docx", "ending in one of .png, .pdf, .svg, .jpg, .jpeg. Received: .*loss.docx"),
        ("loss", "Received: .*loss"),
        ("none/loss.png", "Expected a folder that exists. Received: .*none"),
    ],
)
def test_bad_names_get_one_clear_sentence(figure, tmp_path, name, sentence):
    with pytest.raises(InputError, match=sentence):
        save_figure(figure, tmp_path / name)
    assert not list(tmp_path.iterdir())
