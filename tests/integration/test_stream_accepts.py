"""Connections that say nothing to the stream server's port, in numbers."""

import asyncio

from dashboard.access.connection_limits import HANDSHAKES
from dashboard.access.listening_socket import ENDING
from tests.integration.stream import PATIENT, ask, client, streaming

PLACES = 10
SILENT = 1500


async def test_those_who_say_nothing_are_bounded_and_keep_nobody_out() -> None:
    writers: list[asyncio.StreamWriter] = []
    readers: list[asyncio.StreamReader] = []
    async with streaming(limit=PLACES, timeouts=PATIENT) as stream, client(stream) as ann:
        for _ in range(SILENT):
            reader, writer = await asyncio.open_connection("127.0.0.1", stream.server.port)
            readers.append(reader)
            writers.append(writer)
        async with client(stream) as bob:  # while they hold every connection that there may be
            assert (await ask(bob, {"action": "ping"}))["type"] == "pong"
        assert (await ask(ann, {"action": "ping"}))["type"] == "pong"
        left = sum(not reader.at_eof() for reader in readers)
        assert left <= PLACES + HANDSHAKES + ENDING
        assert stream.places.refused >= SILENT - left
        assert stream.services.hub.failures.by_place == {}
    for writer in writers:
        writer.transport.abort()
