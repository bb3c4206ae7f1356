"""Read a stream of Server-Sent Events, as the HTML standard describes it."""

from typing import Any, NamedTuple

import msgspec


class Event(NamedTuple):
    """One event: its type, its data, and the id it was sent with, which may be empty."""

    type: str
    data: str
    id: str

    @property
    def offset(self) -> int:
        """Give the number in the id."""
        return int(self.id.rpartition(":")[2])

    @property
    def content(self) -> Any:
        """Give the data as JSON."""
        return msgspec.json.decode(self.data)


class Reader:
    """Take bytes in as they come and give the events that they complete.

    Only the line end that we send is known: LF. `comments` counts heartbeats.
    """

    def __init__(self) -> None:
        self.comments = 0
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, data: bytes) -> list[Event]:
        """Give the events that end within `data`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for line in lines if (event := self._line(line.decode())) is not None]

    def _line(self, line: str) -> Event | None:
        if not line:
            fields, self._fields = self._fields, {}
            if "data" not in fields:
                return None
            return Event(fields.get("event", "message"), fields["data"], fields.get("id", ""))
        name, colon, value = line.partition(":")
        if not name:
            self.comments += 1
            return None
        assert colon, line
        assert name in {"id", "event", "data"}, line
        assert name not in self._fields, line
        self._fields[name] = value.removeprefix(" ")
        return None
