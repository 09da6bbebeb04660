"""How many CPU cores there are to work on."""

import os


def usable_cores() -> int:
    """Return the number of cores that this process may run on, where the system tells.

    Example:
        >>> usable_cores()
        2
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
