import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dashboard.access.places import Places
from dashboard.access.unfinished import IS_SUPPORTED, UnfinishedMessages

LIMIT = 100_000

pytestmark = pytest.mark.skipif(
    not IS_SUPPORTED, reason="only Linux tells the bytes of a connection"
)


class Served:
    """A WebSocket whose server has read what came, and hands on what the test tells it to."""

    def __init__(self, client: socket.socket, accepted: socket.socket) -> None:
        self.client = client
        self.accepted = accepted
        self.places = Places(limit=10)
        self.got: list[str] = []
        self._whole: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def run(self) -> None:
        async def receive() -> Any:
            return await self._whole.get()

        async def send(_message: Any) -> None: ...

        async def app(_scope: Any, receive: Any, _send: Any) -> None:
            while (message := await receive())["type"] != "websocket.disconnect":
                self.got.append(message["type"])

        host, port = self.accepted.getpeername()
        scope = {"type": "websocket", "client": (host, str(port))}
        await UnfinishedMessages(app, self.places, limit=LIMIT)(scope, receive, send)

    def hand_on(self, kind: str = "websocket.receive") -> None:
        self._whole.put_nowait({"type": kind})

    async def come(self, size: int) -> None:
        """Let bytes come, which the server reads."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self.client, bytes(size))
        while size:
            size -= len(await loop.sock_recv(self.accepted, size))


@asynccontextmanager
async def serving() -> AsyncGenerator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        with client, accepted:
            client.setblocking(False)
            accepted.setblocking(False)
            served = Served(client, accepted)
            task = asyncio.create_task(served.run())
            served.hand_on("websocket.connect")
            yield served
            served.hand_on("websocket.disconnect")
            await task


async def test_who_sends_more_than_a_message_may_have_is_cut_off() -> None:
    async with serving() as served, asyncio.timeout(10):
        for _ in range(4):
            await served.come(LIMIT // 2)
        assert await asyncio.get_running_loop().sock_recv(served.client, 1) == b""
        assert served.places.evicted == 1
        assert served.got == ["websocket.connect"]


async def test_who_sends_whole_messages_may_send_as_many_as_he_likes() -> None:
    async with serving() as served, asyncio.timeout(10):
        end = asyncio.get_running_loop().time() + 0.5  # a few looks
        while asyncio.get_running_loop().time() < end:
            await served.come(LIMIT // 2)
            served.hand_on()
            await asyncio.sleep(0)
        assert served.places.evicted == 0
        assert len(served.got) > 4


async def test_other_requests_pass_without_a_look() -> None:
    passed: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append((scope, receive, send))

    scope, receive, send = {"type": "http", "client": ("127.0.0.1", "1")}, object(), object()
    await UnfinishedMessages(app, Places(limit=1))(scope, receive, send)  # type: ignore[arg-type]
    assert passed == [(scope, receive, send)]
