"""When a page is told all that it needs, in one push: at the beginning, and after a loss. Pure.

A stream begins with an opening. A page that still loads finds it in its slot, as nothing else is
sent before the page has answered; where it was lost all the same, it is made anew. A page that has
missed a push later is told all anew too, for what comes only when it changes may have been in it.
"""

FIRST_WAIT_S = 2.0
MAX_WAIT_S = 8.0
"""A page that does not answer gets another opening after so long, then after twice as long each.

On a slow network an opening is a second on its way.
"""
REOPENING_S = 1.0
"""A page that misses pushes is told all anew so often at most, or it would miss more of them."""


class Opening:
    """Where one stream stands with its openings. Times are seconds of the monotonic clock.

    `begun` once the page has taken one.
    """

    def __init__(self) -> None:
        self.begun = False
        self._lacks = False
        self._made_s = float("-inf")
        self._wait_s = FIRST_WAIT_S / 2  # each opening doubles it

    def due(self, now_s: float) -> bool:
        """Tell whether the next push is to be an opening."""
        waited_s = now_s - self._made_s
        if self.begun:
            return self._lacks and waited_s >= REOPENING_S
        return waited_s >= self._wait_s

    def made(self, now_s: float) -> None:
        """Note that the next push is one."""
        self._lacks = False
        self._made_s = now_s
        self._wait_s = min(2 * self._wait_s, MAX_WAIT_S)

    def taken(self) -> None:
        """Note that the page has taken one."""
        self.begun = True

    def lost(self) -> None:
        """Note that the page lacks something."""
        self._lacks = True
