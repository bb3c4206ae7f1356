"""What the live stream uses of a running product, and the frames that its clients got."""

import json
from collections.abc import Iterable
from typing import Any

from dashboard.commands.door import Commands, Handlers
from dashboard.commands.requests import SetFrequency
from dashboard.config import load_settings
from dashboard.core.directory import Catalogue, Directory
from dashboard.core.instruments import Instrument
from dashboard.history.quotes import Quotes
from dashboard.hub.hub import Hub
from dashboard.hub.reports import FeedReports
from dashboard.protocols import live
from tests.unit.fake_feeds import FakeLeases
from tests.unit.fakes import Clock

FREQUENCY_MS = 50


def listed(symbol: str, exchange: str = "CRYPTO") -> Instrument:
    return Instrument(symbol=symbol, exchange=exchange, tick_size=0.01)


class Product:
    """A product whose events the test publishes."""

    def __init__(
        self,
        *catalogues: Catalogue,
        conflates: bool = False,
        encode: Any = None,
        resume_events: int = 1000,
    ) -> None:
        self.hub = Hub(
            epoch="e",
            clock=Clock(),
            resume_events=resume_events,
            encoders=live.ENCODERS if encode is None else {live.DIALECT: lambda _epoch: encode},
        )
        self.directory = Directory(catalogues)
        self.quotes = Quotes(self.hub)
        self.feeds = FeedReports(self.hub, ("feed",), monotonic=Clock())
        self.settings = load_settings().model_copy(update={"ltp_throttle_ms": 0})
        self.leases = FakeLeases()
        self.conflates = conflates
        self.frequency_ms = FREQUENCY_MS
        self.frequencies: list[float] = []
        handlers = Handlers()
        handlers.does(SetFrequency, self._set_frequency)
        self.commands = Commands(handlers)

    async def _set_frequency(self, asked: SetFrequency) -> int:
        self.frequencies.append(asked.frequency_ms)
        return round(asked.frequency_ms)


def frames(written: Iterable[bytes]) -> list[dict[str, Any]]:
    """Give the frames of what was written; a fake's have no header, so they stand in a row."""
    text, decoder, found, at = b"".join(written).decode(), json.JSONDecoder(), [], 0
    while at < len(text):
        frame, at = decoder.raw_decode(text, at)
        found.append(frame)
    return found


def offsets(got: Iterable[dict[str, Any]]) -> list[int]:
    """Give the offsets of the events among some frames."""
    return [int(frame["id"].partition(":")[2]) for frame in got if "id" in frame]
