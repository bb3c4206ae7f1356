import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from dashboard.access import revocable
from dashboard.access.revocable import RevocableRequest

SOCKET: Scope = {"type": "websocket", "path": "/ws", "headers": []}
REQUEST: Scope = {"type": "http", "method": "GET", "path": "/sse/A", "headers": []}
CLOSED = {"type": "websocket.close", "code": 4401, "reason": "its API key was revoked"}


class Client:
    """A client that stays, and notes what it gets; `blocks` makes it read nothing."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.blocks = asyncio.Event()
        self.blocks.set()

    async def receive(self) -> Message:
        return await self.inbox.get()

    async def send(self, message: Message) -> None:
        await self.blocks.wait()
        self.got.append(message)

    def begin(self, scope: Scope, app: Any) -> tuple[RevocableRequest, "asyncio.Task[None]"]:
        request = RevocableRequest(scope, self.receive, self.send)
        return request, asyncio.create_task(request.serve(app))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a WebSocket until it ends; and say once more what nobody hears any more."""
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
    await send({"type": "websocket.send", "text": f"left with {message.get('code')}"})


async def stream(_scope: Scope, receive: Receive, send: Send) -> None:
    """Serve events until the client leaves."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"event", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_messages_pass_while_the_key_holds() -> None:
    client = Client()
    _, serving = client.begin(SOCKET, echo)
    for text in ("a", "b"):
        client.inbox.put_nowait({"type": "websocket.receive", "text": text})
    client.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await serving
    assert [each.get("text") for each in client.got] == [None, "a", "b", "left with 1000"]


async def test_a_revoked_websocket_is_closed_with_4401_after_who_served_it_has_ended() -> None:
    client = Client()
    request, serving = client.begin(SOCKET, echo)
    await settle()
    request.revoke()
    request.revoke()
    await serving
    assert client.got == [{"type": "websocket.accept"}, CLOSED]
    request.revoke()


async def test_one_that_is_not_served_yet_is_not_served_at_all() -> None:
    client = Client()
    request = RevocableRequest(SOCKET, client.receive, client.send)
    request.revoke()
    await request.serve(echo)
    assert client.got == [CLOSED]


async def test_one_that_has_been_closed_is_closed_once() -> None:
    async def closes(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": 1001})
        await receive()

    client = Client()
    request, serving = client.begin(SOCKET, closes)
    await settle()
    request.revoke()
    await serving
    assert client.got == [{"type": "websocket.close", "code": 1001}]


async def test_a_client_that_reads_nothing_holds_up_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def pours(_scope: Scope, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(send({"type": "websocket.send", "text": "x"}))  # pyright: ignore[reportArgumentType] - it is a coroutine
            await receive()
            writer.cancel()

    monkeypatch.setattr(revocable, "CLOSE_WITHIN_S", 0.01)
    client = Client()
    client.blocks.clear()
    request, serving = client.begin(SOCKET, pours)
    await settle()
    request.revoke()
    await serving
    assert client.got == []


async def test_a_revoked_stream_of_events_ends() -> None:
    client = Client()
    request, serving = client.begin(REQUEST, stream)
    await settle()
    request.revoke()
    await serving
    assert client.got[1:] == [
        {"type": "http.response.body", "body": b"event", "more_body": True},
        {"type": "http.response.body"},
    ]


async def test_a_response_that_has_not_begun_is_refused() -> None:
    async def waits(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    client = Client()
    request, serving = client.begin(REQUEST, waits)
    client.inbox.put_nowait({"type": "http.request", "body": b""})
    await settle()
    request.revoke()
    await serving
    assert client.got[0]["status"] == 401
    assert client.got[1]["body"] == b"its API key was revoked\n"


async def test_a_response_that_is_whole_stays_as_it_is() -> None:
    async def answers(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"all"})
        await receive()

    client = Client()
    request, serving = client.begin(REQUEST, answers)
    await settle()
    request.revoke()
    await serving
    assert [each.get("body") for each in client.got] == [None, b"all"]


async def test_a_cancellation_is_not_taken_for_the_end_of_the_key() -> None:
    client = Client()
    _, serving = client.begin(SOCKET, echo)
    await settle()
    serving.cancel()
    await settle()
    assert serving.cancelled()
    assert client.got == [{"type": "websocket.accept"}]
