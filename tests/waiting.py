"""Waiting for other processes and threads."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(condition: Callable[[], Value], what: str | Callable[[], str], seconds: float = 40) -> Value:
    """The first true value of `condition`, which is asked again and again. Where there is none in that time the test
    fails and says `what` did not happen; as a function it is asked only then."""
    end = time.monotonic() + seconds
    pause = 0.01
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what if isinstance(what, str) else what()}"
        time.sleep(pause)
        pause = min(2 * pause, 0.2)
    return value
