"""What changes rarely on a page, told when it changes. Pure."""

from collections.abc import Mapping
from typing import Any


class Description:
    """What one page was told so far of what changes rarely; `number` tells one from the next.

    A page takes no market data of a description that it has not: the numbers of the
    instruments may be others.
    """

    def __init__(self) -> None:
        self.number = 0
        self._told: Mapping[str, Any] | None = None

    def told(self, description: dict[str, Any], *, again: bool) -> dict[str, Any]:
        """Give a push's `d` when that has changed, or when it is due `again`."""
        if description != self._told:
            self._told = description
            self.number += 1
        elif not again:
            return {}
        return {"d": description}
