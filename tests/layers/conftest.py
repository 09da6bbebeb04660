import pytest

from keras_videolstm.layers import unroll


@pytest.fixture(autouse=True, params=["own gradient", "portable"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test of the layers on both ways of `unroll`."""
    if request.param == "portable":
        # `keras_videolstm.layers.unroll` is the function; its module has the same name.
        monkeypatch.setitem(unroll.__globals__, "_has_own_gradient", lambda cell: False)
    return request.param
