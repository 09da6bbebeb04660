"""What converters and runtimes refuse, in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from keras_videolstm.errors import InputError


@contextmanager
def refusals(of: str) -> Iterator[None]:
    """Turn what another library raises inside the block into an `InputError`.

    Its own exceptions have no common class and mostly no public name.

    Args:
        of: who refuses.

    Raises:
        InputError: on any error but those of files.

    Example:
        >>> with refusals("ONNX"):
        ...     raise ValueError("no such operation")
        Traceback (most recent call last):
        keras_videolstm.errors.InputError: Expected a model that ONNX takes; savedmodel takes all.
        Received: no such operation
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise InputError(
            f"Expected a model that {of} takes; savedmodel takes all. Received: {reason}"
        ) from error
