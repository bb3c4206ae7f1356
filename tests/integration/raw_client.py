"""A WebSocket client that may break every rule: it sends the bytes that it is told to.

Its frames are made and read by hand, because a library would refuse to send them.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Self

TIMEOUT_S = 30
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x01\x02\x03\x04"


def handshake(port: int, path: str = "/") -> bytes:
    """Give a valid request to open a WebSocket."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """Make a client's frame, by default a valid one; `length` may lie, in 64 bits if it must."""
    size = len(payload) if length is None else length
    first = fin << 7 | reserved << 4 | opcode
    bit = masked << 7
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 1 << 16:
        head = struct.pack(">BBH", first, bit | 126, size)
    else:
        head = struct.pack(">BBQ", first, bit | 127, size)
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload))


class Frame(NamedTuple):
    """What a server has sent."""

    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int | None:
        """Give the code of a close frame that has one."""
        has_code = self.opcode == CLOSE and len(self.payload) >= 2
        return int.from_bytes(self.payload[:2]) if has_code else None


class RawClient:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Connect, and send nothing."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def upgrade(self, port: int, path: str = "/") -> None:
        """Open the WebSocket."""
        await self.send(handshake(port, path))
        async with asyncio.timeout(TIMEOUT_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")

    async def send(self, sent: bytes) -> None:
        """Send bytes; a server that has hung up already is no error."""
        with suppress(ConnectionError):
            await self.send_or_fail(sent)

    async def send_or_fail(self, sent: bytes) -> None:
        """Send bytes.

        Raises:
            ConnectionError: when the server has hung up.
        """
        self._writer.write(sent)
        async with asyncio.timeout(TIMEOUT_S):
            await self._writer.drain()

    async def receive(self) -> Frame | None:
        """Give the next frame, which has to be one that a server may send; None at the end."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                first, second = await self._reader.readexactly(2)
                size = second
                if second >= 126:
                    size = int.from_bytes(await self._reader.readexactly(2 if second == 126 else 8))
                payload = await self._reader.readexactly(size)
        except (ConnectionError, asyncio.IncompleteReadError):
            return None
        assert first & 0xF0 == 0x80, "a server's frame is whole, and has no reserved bit"
        assert second < 128, "a server's frame is not masked"
        return Frame(first & 0x0F, payload)

    async def rest(self) -> list[Frame]:
        """Give all frames until the server hangs up, which it has to."""
        frames = []
        while (received := await self.receive()) is not None:
            frames.append(received)
        return frames

    async def hung_up(self) -> None:
        """Wait until the server hangs up, whatever it says before."""
        async with asyncio.timeout(TIMEOUT_S):
            try:
                while await self._reader.read(65536):
                    pass
            except ConnectionError:
                pass

    def send_eof(self) -> None:
        """Tell the server that nothing more is sent."""
        if not self._writer.is_closing():
            self._writer.write_eof()

    def reset(self) -> None:
        """Vanish with a TCP reset in place of an orderly end."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def close(self) -> None:
        """End the connection as a program does that ends."""
        self._writer.close()


@asynccontextmanager
async def raw_client(port: int, path: str | None = "/") -> AsyncGenerator[RawClient]:
    """Give a client whose WebSocket is open; with no `path`, one that has only connected."""
    client = await RawClient.connect(port)
    try:
        if path is not None:
            await client.upgrade(port, path)
        yield client
    finally:
        client.close()
