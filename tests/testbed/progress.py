"""Says what is being done and how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Step:
    """One step that is under way."""

    def __init__(self, what: str, begin: float):
        self._what = what
        self._begin = begin
        self._said = begin

    def still(self, detail: str) -> None:
        """Tells that it goes on: on a terminal each second, else each half minute."""
        now = time.monotonic()
        if now - self._said < (1 if sys.stderr.isatty() else 30):
            return
        self._said = now
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"{now - self._begin:7.1f} s  {self._what}: {detail}", end=end, file=sys.stderr, flush=True)


@contextmanager
def step(what: str) -> Iterator[Step]:
    """Prints what was done and its seconds; on standard error, so that output stays data."""
    begin = time.monotonic()
    if sys.stderr.isatty():
        print(f"{'...':>7}    {what}", end="\r", file=sys.stderr, flush=True)
    yield Step(what, begin)
    clear = "\x1b[K" if sys.stderr.isatty() else ""
    print(f"{time.monotonic() - begin:7.1f} s  {what}{clear}", file=sys.stderr, flush=True)
