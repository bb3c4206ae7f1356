"""The two clocks of a machine, set by hand."""

from tests.unit.fakes import SECOND_NS, Clock


class Clocks:
    """The wall clock, which may be set to any time, and the monotonic one, which only goes on."""

    def __init__(self) -> None:
        self.wall = Clock()
        self.monotonic = Clock(now=5 * SECOND_NS)  # since the machine was started

    def advance(self, *, seconds: float) -> None:
        """Let time pass."""
        self.wall.advance(seconds=seconds)
        self.monotonic.advance(seconds=seconds)

    def set_wall(self, *, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self.wall.advance(seconds=seconds)
