"""Which instruments go to everybody who asks for nothing in particular."""

from collections.abc import Callable

from dashboard.core.directory import Directory
from dashboard.core.instruments import InstrumentKey


class CommonInstruments:
    """Those that stand, and of several with one symbol the first feed's; each is found out once.

    What no feed lists is common too, unless another instrument has its symbol.
    """

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory
        self._known_by: Directory | None = None
        self._known: dict[InstrumentKey, bool] = {}

    def __contains__(self, key: InstrumentKey) -> bool:
        directory = self._directory()
        if directory is not self._known_by:
            self._known_by = directory
            self._known = {}
        common = self._known.get(key)
        if common is None:
            common = self._known[key] = _is_common(key, directory)
        return common


def _is_common(key: InstrumentKey, directory: Directory) -> bool:
    if directory.is_on_demand(key):
        return False
    for namesake in directory.named(key[1]):
        if not directory.is_on_demand(namesake.key):
            return namesake.key == key
    return True
