"""What all tests share."""

import gc
import time
from collections.abc import Iterator

import pytest

# Tracing leaves millions of objects, and to look through all of them takes seconds, and
# ever more in a process that has run hundreds of tests.
gc.set_threshold(100_000, 20, 1_000)


@pytest.fixture(scope="module", autouse=True)
def not_looked_through_again() -> Iterator[None]:
    """Spare the garbage collector what a file's tests leave behind."""
    yield
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--until", type=float, help="Unix time after which no further slow test is begun"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    until = item.config.getoption("until")
    if until is not None and time.time() > until and item.get_closest_marker("slow"):
        pytest.skip("no time was left for it")
