"""A check of targets against outputs."""

from typing import Any


def check_same_shape(y_true: Any, y_pred: Any) -> None:
    """Refuse targets that would be broadcast; sizes that a graph does not know are left alone.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> check_same_shape(ops.zeros((8, 4, 3)), ops.zeros((8, 4, 3)))
    """
    if getattr(y_true.shape, "rank", 0) is None:
        return
    wanted, found = tuple(y_pred.shape), tuple(y_true.shape)
    fits = len(wanted) == len(found) and all(
        None in pair or pair[0] == pair[1] for pair in zip(wanted, found, strict=True)
    )
    if not fits:
        raise ValueError(f"Expected targets of shape {wanted}, as outputs. Received: {found}")
