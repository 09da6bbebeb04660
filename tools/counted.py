"""How many, in words."""


def counted(number: int, noun: str) -> str:
    """Return a number of things: one checkpoint is not `1 checkpoints`.

    Example:
        >>> counted(1, "checkpoint"), counted(1200, "frame")
        ('1 checkpoint', '1,200 frames')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
