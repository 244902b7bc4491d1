"""Real servers to test against; `bin/testbed` starts them, Testbed() is what tests use."""

from .bed import Testbed

__all__ = ["Testbed"]
