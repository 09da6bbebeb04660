import pytest

from keras_videolstm.training import precision
from keras_videolstm.training.precision import pick_precision


@pytest.mark.parametrize("asked", ["float32", "mixed_bfloat16"])
def test_what_is_asked_for_is_taken_without_measuring(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "_seconds_of_products", lambda *_: pytest.fail("measured"))
    assert pick_precision(asked, 64, 8).policy == asked


def test_a_device_without_the_instructions_gets_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bfloat16", lambda: False)
    monkeypatch.setattr(precision, "_seconds_of_products", lambda *_: pytest.fail("measured"))
    picked = pick_precision("auto", 64, 8)
    assert picked.policy == "float32"
    assert "no bfloat16" in picked.reason


@pytest.mark.parametrize(
    ("full", "low", "policy"),
    [(2e-3, 1e-3, "mixed_bfloat16"), (1.1e-3, 1e-3, "float32"), (1e-3, 2e-3, "float32")],
)
def test_auto_takes_bfloat16_only_where_it_clearly_pays(
    full: float, low: float, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "_has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_seconds_of_products", lambda *_: (full, low))
    picked = pick_precision("auto", 1024, 16)
    assert picked.policy == policy
    assert f"{1e3 * low:.1f} ms in bfloat16" in picked.reason


def test_small_products_are_not_worth_a_noisy_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_seconds_of_products", lambda *_: pytest.fail("measured"))
    assert pick_precision("auto", 64, 8).policy == "float32"


def test_large_frames_are_worth_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_seconds_of_products", lambda *_: (2e-3, 1e-3))
    assert pick_precision("auto", 432, 16).policy == "float32"
    assert pick_precision("auto", 432, 16, features=4096).policy == "mixed_bfloat16"


def test_the_measurement_runs_and_takes_little_time() -> None:
    full, low = precision._seconds_of_products(32, 4, 64)
    assert 0 < full < 1
    assert 0 < low < 1
    assert pick_precision("auto", 512, 64).policy in ("float32", "mixed_bfloat16")


def test_convolutions_are_measured_as_such() -> None:
    places = precision.Places(height=8, width=8, kernel_size=3)
    full, low = precision._seconds_of_products(16, 2, 16, places)
    assert 0 < full < 1
    assert 0 < low < 1


def test_a_narrow_layer_over_maps_is_worth_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "_seconds_of_products", lambda *_: (2e-3, 1e-3))
    places = precision.Places(height=16, width=16, kernel_size=3)
    assert pick_precision("auto", 48, 8, places).policy == "mixed_bfloat16"
