"""How far a client's connection has come, and what may follow."""

from enum import Enum


class Stage(Enum):
    """What a client of a stream may do now."""

    ENTERING = "entering"
    """Its stream has not let it in yet."""
    OPEN = "open"
    """It was let in, and has not shown who it is."""
    KNOWN = "known"
    """It has, and its place is its own."""
    CLOSING = "closing"
    """It has no part in the stream any more: nothing may follow a close frame."""


FOLLOWING = {
    Stage.ENTERING: frozenset({Stage.OPEN, Stage.CLOSING}),
    Stage.OPEN: frozenset({Stage.KNOWN, Stage.CLOSING}),
    Stage.KNOWN: frozenset({Stage.CLOSING}),
    Stage.CLOSING: frozenset[Stage](),
}


class Progress:
    """The stage of one connection."""

    def __init__(self) -> None:
        self.stage = Stage.ENTERING

    @property
    def takes_part(self) -> bool:
        """Tell whether the client has a part in its stream."""
        return self.stage in {Stage.OPEN, Stage.KNOWN}

    @property
    def closing(self) -> bool:
        """Tell whether the connection is at its end."""
        return self.stage is Stage.CLOSING

    def advance(self, stage: Stage) -> bool:
        """Go to a stage if it may follow; tell whether it did."""
        if stage not in FOLLOWING[self.stage]:
            return False
        self.stage = stage
        return True
