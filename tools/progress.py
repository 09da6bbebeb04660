"""Progress on the terminal, quiet where there is none."""

import math
import sys
import time

import click


class ProgressLine:
    """One line that says how far long work is, its rate and the time left.

    On a terminal the line is rewritten; elsewhere a line is printed every 30 s, and none for
    what takes less.

    Args:
        label: what is being done.
        unit: what is counted, such as `"frames"`.
        may_end_early: whether the time left is the most that it can be; default `False`.
    """

    def __init__(self, label: str, unit: str, may_end_early: bool = False) -> None:
        self._label = label
        self._unit = unit
        self._most = "at most " if may_end_early else ""
        self._start = self._last = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, done: int, total: int, units: int | None = None, all_units: int = 0) -> None:
        """Show that `done` of `total` are done, after `units` units of work, else `done` units.

        Where about how many units there are is known, too, they tell the time left.
        """
        done_so_far = f"{done}/{total} {self._unit}"
        if units is not None:
            done_so_far = f"{done}/{total}, {units} {self._unit}"
        now = time.monotonic()
        ended = self._terminal and done >= total
        if now - self._last < (0.2 if self._terminal else 30) and not ended:
            return
        self._last = now
        seconds = max(now - self._start, 1e-6)
        rate = (done if units is None else units) / seconds
        worked, whole = (units, all_units) if units and all_units else (done, total)
        left = seconds / worked * max(whole - worked, 0) if worked else 0
        # What is under way is never said to have no time left.
        time_left = f"{self._most}{_in_words(max(math.ceil(left), 1))} left"
        line = (
            f"{self._label}: {done_so_far}, {_rate(rate, self._unit)}, "
            f"{time_left if done < total else f'{_in_words(seconds)} in all'}"
        )
        if self._terminal:
            click.echo(f"\r{line:<78}", nl=done >= total, err=True)
        else:
            click.echo(line, err=True)


def _rate(per_second: float, unit: str) -> str:
    if per_second * 60 < 1:
        return f"{3600 * per_second:.1f} {unit}/h"
    if per_second < 0.5:
        return f"{60 * per_second:.1f} {unit}/min"
    return f"{per_second:.{int(per_second < 3)}f} {unit}/s"


def _in_words(seconds: float) -> str:
    if seconds < 180:
        return f"{seconds:.0f} s"
    if seconds < 180 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
