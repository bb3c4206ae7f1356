"""Subscription modes: how much of the market data a client asks for."""

from enum import IntEnum
from typing import NamedTuple


class Mode(IntEnum):
    """LTP is the last price alone; each higher mode holds all that the lower ones do."""

    LTP = 1
    QUOTE = 2
    DEPTH = 3

    @property
    def label(self) -> str:
        """Give the mode as replies write it: LTP, Quote or Depth."""
        return "LTP" if self is Mode.LTP else self.name.capitalize()


TICKS = tuple(Mode)
"""What a tick may be: of the highest mode that it can serve."""


class Form(NamedTuple):
    """How one tick is written: its mode and, in mode DEPTH alone, the levels per side."""

    mode: Mode
    levels: int = 0


def parse_mode(value: object) -> Mode | None:
    """Read 1, 2, 3 or LTP, Quote, Depth in any case; None for all else.

    >>> parse_mode("quote"), parse_mode(3), parse_mode("3"), parse_mode(True)
    (<Mode.QUOTE: 2>, <Mode.DEPTH: 3>, None, None)
    """
    if isinstance(value, str):
        return Mode.__members__.get(value.upper())
    if isinstance(value, int) and not isinstance(value, bool) and value in {1, 2, 3}:
        return Mode(value)
    return None
