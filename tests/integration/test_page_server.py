"""The server that Reflex runs has our limits: those of `access.page_server`."""

import asyncio
import struct
import time
from contextlib import suppress

import httpx
import pytest

from dashboard.access.places import allow_open_files
from dashboard.access.unfinished import IS_SUPPORTED, MAX_UNFINISHED_BYTES
from tests.integration.raw_client import BINARY, CONTINUATION, TIMEOUT_S, RawClient
from tests.live_server import LiveServer

GRANIAN_TAKES = 1024
"""Places that Granian takes where nobody says otherwise."""


async def test_silent_connections_hang_nobody(server: LiveServer) -> None:
    assert allow_open_files(2 * GRANIAN_TAKES) >= 2 * GRANIAN_TAKES
    writers: list[asyncio.StreamWriter] = []
    try:
        while len(writers) < GRANIAN_TAKES + 100:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writers.append(writer)
            if len(writers) % 2:  # headers that do not end; the others say nothing at all
                writer.write(b"GET /api/health HTTP/1.1\r\nHost: local")
        began = time.monotonic()
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"http://127.0.0.1:{server.port}/api/health")
        assert answer.status_code == 200
        assert time.monotonic() - began < 5
    finally:
        for writer in writers:
            writer.transport.abort()


async def test_it_speaks_http_1_alone(server: LiveServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
    async with asyncio.timeout(TIMEOUT_S):
        answer = await reader.read()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    writer.transport.abort()


@pytest.mark.skipif(not IS_SUPPORTED, reason="only Linux tells the bytes of a connection")
@pytest.mark.parametrize("path", ["/ws", "/ws/openalgo", "/_event/?EIO=4&transport=websocket"])
async def test_a_message_without_an_end_is_cut_off(server: LiveServer, path: str) -> None:
    hostile = await RawClient.connect(server.port)
    await hostile.upgrade(server.port, path)
    part = bytes(256 * 1024)
    sent = 0
    with suppress(ConnectionError):
        while sent < 16 * MAX_UNFINISHED_BYTES:  # half of what Granian would keep
            await hostile.send_or_fail(large_frame(part, first=not sent))
            sent += len(part)
            await asyncio.sleep(0.02)
    assert sent < 16 * MAX_UNFINISHED_BYTES
    hostile.close()


def large_frame(part: bytes, *, first: bool) -> bytes:
    """Give a frame of a message that goes on."""
    mask = bytes(4)  # which leaves the payload as it is
    return struct.pack(">BBQ", BINARY if first else CONTINUATION, 0xFF, len(part)) + mask + part


async def test_headers_are_bounded(server: LiveServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000)
    async with asyncio.timeout(TIMEOUT_S):
        answer = await reader.read()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")
    writer.transport.abort()
