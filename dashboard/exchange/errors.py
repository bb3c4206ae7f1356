"""Why the demonstration exchange ends."""

from dashboard.core.errors import LivetapeError


class ExchangeError(LivetapeError):
    """The exchange cannot do its work. Terminal: the program ends with this line."""
