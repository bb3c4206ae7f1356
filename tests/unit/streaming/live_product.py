"""What the live stream uses of a running product, and the frames that its clients got."""

import json
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from dashboard.core.directory import Catalogue, Directory
from dashboard.core.instruments import Instrument, InstrumentKey
from dashboard.hub.hub import Hub
from dashboard.protocols import live
from tests.unit.fakes import Clock

FREQUENCY_MS = 50


def listed(symbol: str, exchange: str = "CRYPTO") -> Instrument:
    return Instrument(symbol=symbol, exchange=exchange, tick_size=0.01)


class Leases:
    """Holders whose leases stand in `held`; what is in `refused` is not given."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.refused: dict[InstrumentKey, str] = {}

    def holder(self, _name: str) -> "Holder":
        return Holder(self)


class Holder:
    """One client's leases."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._own: dict[InstrumentKey, str] = {}

    async def add(
        self, instruments: Sequence[Instrument], *, depth: int = 0
    ) -> Mapping[InstrumentKey, str]:
        refused = self._leases.refused
        for each in instruments:
            if each.key not in refused and each.key not in self._own:
                self._own[each.key] = f"{each.id} {depth}"
                self._leases.held.append(self._own[each.key])
        return {each.key: refused[each.key] for each in instruments if each.key in refused}

    def drop(self, keys: Iterable[InstrumentKey]) -> None:
        for key in self._own.keys() & set(keys):
            self._leases.held.remove(self._own.pop(key))

    def close(self) -> None:
        self.drop(list(self._own))


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
            encoders={live.DIALECT: encode or live.encoder("e")},
        )
        self.directory = Directory(catalogues)
        self.leases = Leases()
        self.conflates = conflates
        self.frequency_ms = FREQUENCY_MS
        self.frequencies: list[float] = []
        self.settings = SimpleNamespace(ltp_throttle_ms=0)

    def set_frequency(self, frequency_ms: float) -> None:
        self.frequencies.append(frequency_ms)


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
