"""What all tests share."""

import gc
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
