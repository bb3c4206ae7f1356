"""Clients that flood the stream server's port: no turn of the loop is theirs alone."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from picows import WSTransport
from structlog.testing import capture_logs

from dashboard.access.turns import ANSWER_BYTES, TURN_BYTES
from dashboard.protocols.openalgo import session
from dashboard.streaming.closing import Timeouts
from dashboard.streaming.connection import MAX_WAITING, StreamConnection
from dashboard.streaming.messages import Message, Messages
from dashboard.streaming.reads import LEAST_READ_BYTES, READ_BYTES
from tests.integration.raw_client import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    TIMEOUT_S,
    RawClient,
    frame,
    raw_client,
)
from tests.integration.stream import AAPL, Stream, client, data, streaming
from tests.integration.test_stream_hostile import AUTHENTICATE, close_code, many_files, reply

__all__ = ["many_files"]  # a fixture

EMPTY = frame(b"")
SMALLEST_FRAME = len(EMPTY)
MIB = 1024 * 1024
MAX_UNSENT_BYTES = 256 * 1024
"""A transport is full at 64 KiB; then it gets no more than what was being written."""
READ_FRAMES = READ_BYTES // SMALLEST_FRAME + 1


class Watch:
    """Counts, turn by turn of the loop, the frames that were read and the requests answered."""

    def __init__(self) -> None:
        self.turn = 0
        self.frames = Counter[int]()
        self.answers = Counter[int]()
        self.waiting = 0
        self.most_waiting = 0
        self.transports: list[WSTransport] = []

    def unsent_bytes(self) -> list[int]:
        """Tell what waits to be sent to each client that ever came."""
        return [each.underlying_transport.get_write_buffer_size() for each in self.transports]

    async def run(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def watched(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, *, path: str = "/"
) -> AsyncGenerator[Watch]:
    """Give a watch on all that clients of the port send."""
    watch = Watch()
    streams = stream.streams.choose(path)
    take, answer = Messages.take, streams.answer

    def counting_take(self: Messages, kind: Any, sent: Any) -> Any:
        watch.frames[watch.turn] += 1
        taken = take(self, kind, sent)
        watch.waiting += isinstance(taken, Message)
        watch.most_waiting = max(watch.most_waiting, watch.waiting)
        return taken

    async def counting_answer(client: Any, raw: bytes, *, address: str) -> None:
        watch.answers[watch.turn] += 1
        watch.waiting -= 1
        await answer(client, raw, address=address)

    def noting_connected(self: StreamConnection, transport: WSTransport) -> None:
        watch.transports.append(transport)
        connected(self, transport)

    connected = StreamConnection.on_ws_connected
    monkeypatch.setattr(StreamConnection, "on_ws_connected", noting_connected)
    monkeypatch.setattr(Messages, "take", counting_take)
    monkeypatch.setattr(streams, "answer", counting_answer)
    async with asyncio.TaskGroup() as group:
        counting = group.create_task(watch.run())
        yield watch
        counting.cancel()


FLOODS = {
    "empty texts": (EMPTY * 5_000, 5_000),
    "empty texts and bytes": ((EMPTY + frame(b"", BINARY)) * 2_500, 5_000),
    "pieces of nothing": (frame(b"", fin=False) + frame(b"", CONTINUATION, fin=False) * 5_000, 0),
    "pieces of an empty text": (
        (frame(b"", fin=False) + frame(b"", CONTINUATION)) * 2_500,
        2_500,
    ),
}


@pytest.mark.parametrize("path", ["/", "/ws"])
@pytest.mark.parametrize(("sent", "answers"), FLOODS.values(), ids=FLOODS)
async def test_no_turn_takes_on_more_than_its_share_of_a_flood(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, answers: int, path: str
) -> None:
    clients = 4
    async with (
        streaming() as stream,
        watched(stream, monkeypatch, path=path) as watch,
        asyncio.TaskGroup() as group,
    ):
        floods: list[RawClient] = []
        for _ in range(clients):
            flood = await RawClient.connect(stream.server.port)
            await flood.upgrade(stream.server.port, path)
            floods.append(flood)
        reading = [group.create_task(each.rest()) for each in floods]
        await asyncio.gather(*(each.send(sent) for each in floods))
        async with asyncio.timeout(60):
            while watch.answers.total() < clients * answers:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0)
        assert watch.answers.total() == clients * answers
        for each in floods:
            await each.send(frame(b"\x03\xe8", CLOSE))
        await asyncio.gather(*reading)
        for each in floods:
            each.close()
    share = TURN_BYTES + clients * LEAST_READ_BYTES + READ_BYTES
    assert max(watch.frames.values()) <= 2 * share / SMALLEST_FRAME
    assert max(watch.answers.values(), default=0) <= 2 * TURN_BYTES / ANSWER_BYTES
    if answers:
        assert watch.most_waiting <= clients * (MAX_WAITING + READ_FRAMES)


PIECES = {
    "empty texts": EMPTY * 500,
    "pings": frame(b"x" * 20, PING) * 200,
    "pieces": (frame(b"", fin=False) + frame(b"", CONTINUATION)) * 200,
    "requests": frame(b'{"action":"ping"}') * 200,
    "a large request": frame(b"[" * 200_000),
    "a key and a subscription": AUTHENTICATE
    + frame(json.dumps({"action": "subscribe", "mode": 2, **AAPL}).encode()),
    "wrong keys": frame(b'{"action":"authenticate","api_key":"x"}') * 20,
}


@pytest.mark.parametrize("seed", range(3))
async def test_every_queue_keeps_its_bounds_whatever_clients_do(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(seed)
    clients, rounds = 12, 6
    most_unsent = 0

    async def behave(port: int, choices: list[str], *, reads: bool) -> None:
        for _ in range(rounds):  # each time it comes back
            async with raw_client(port) as hostile, asyncio.TaskGroup() as group:
                reading = group.create_task(hostile.hung_up()) if reads else None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.3):
                        for choice in choices:
                            await hostile.send(PIECES[choice])
                if reading is not None:
                    reading.cancel()

    async with (
        streaming(frequency_ms=10, limit=clients // 2) as stream,
        watched(stream, monkeypatch) as watch,
    ):
        async with asyncio.TaskGroup() as group:
            behaving = [
                group.create_task(
                    behave(
                        stream.server.port,
                        rng.choices(list(PIECES), k=20),
                        reads=rng.random() < 0.5,
                    )
                )
                for _ in range(clients)
            ]
            while not all(each.done() for each in behaving):
                most_unsent = max([most_unsent, *watch.unsent_bytes()])
                await asyncio.sleep(0)
        async with asyncio.timeout(TIMEOUT_S):
            while stream.places.open:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
    share = TURN_BYTES + clients * (LEAST_READ_BYTES + READ_BYTES)
    assert max(watch.frames.values()) <= 2 * share / SMALLEST_FRAME
    assert max(watch.answers.values()) <= 2 * TURN_BYTES / ANSWER_BYTES
    assert most_unsent <= MAX_UNSENT_BYTES


async def test_of_the_pings_of_a_read_the_last_one_is_answered() -> None:
    async with streaming() as stream, raw_client(stream.server.port) as hostile:
        pings = [frame(b"%d" % number, PING) for number in range(20_000)]
        await hostile.send(b"".join(pings) + frame(b'{"action":"ping"}'))
        pongs: list[bytes] = []
        while (received := await hostile.receive()) is not None and received.opcode == PONG:
            pongs.append(received.payload)
        assert received is not None
        assert received.opcode == TEXT
        assert pongs[-1] == b"19999"
        assert sorted(pongs, key=int) == pongs
        assert len(pongs) <= sum(map(len, pings)) / LEAST_READ_BYTES


async def test_what_a_keyless_client_sends_is_not_decoded_where_it_is_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    parse = session.parse_message
    monkeypatch.setattr(session, "parse_message", lambda raw: read.append(len(raw)) or parse(raw))
    large = frame(b"[" * MIB)
    subscribe = json.dumps({"action": "subscribe", "mode": 2, **AAPL}).ljust(MIB).encode()
    async with streaming() as stream, raw_client(stream.server.port) as keyless:
        await keyless.send(large * 5)
        for _ in range(5):
            assert (await reply(keyless))["code"] == "NOT_AUTHENTICATED"
        assert read == []
        await keyless.send(AUTHENTICATE + frame(subscribe))  # right behind, in one go
        assert (await reply(keyless))["type"] == "auth"
        assert (await reply(keyless))["status"] == "success"


async def test_others_are_served_while_clients_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        streaming(frequency_ms=10) as stream,
        client(stream) as healthy,
        watched(stream, monkeypatch) as watch,
    ):
        await healthy.send(json.dumps({"action": "subscribe", "mode": 2, **AAPL}))
        await data(healthy, 2)
        async with raw_client(stream.server.port) as hostile, asyncio.TaskGroup() as group:
            reading = group.create_task(hostile.rest())
            await hostile.send(EMPTY * 10_000)
            got = 0
            while watch.answers.total() < 10_000:
                await data(healthy, 2)
                got += 1
            assert got
            await hostile.send(frame(b"\x03\xe8", CLOSE))
            await reading


@pytest.mark.parametrize(("interval_s", "timeout_s"), [(0.2, 1), (1, 0.2), (0.5, 0.5)])
async def test_whatever_the_ping_settings_a_handshake_is_answered_and_pings_are_sent(
    interval_s: float, timeout_s: float
) -> None:
    timeouts = Timeouts(ping_interval_s=interval_s, ping_timeout_s=timeout_s)
    async with (
        streaming(timeouts=timeouts) as stream,
        client(stream, ping_interval=None) as answering,
        raw_client(stream.server.port) as silent,
    ):
        await silent.send(AUTHENTICATE)
        ends = await silent.rest()
        assert [each.opcode for each in ends] == [TEXT, PING, CLOSE]
        assert close_code(ends) == 1001
        await answering.send('{"action":"ping"}')  # its library has answered all pings
        assert json.loads(await answering.recv())["type"] == "pong"


async def test_a_failure_of_ours_is_told_and_a_client_s_is_no_news(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_self: StreamConnection, _kind: object, _frame: object) -> None:
        raise RuntimeError("a mistake")

    async with streaming() as stream, client(stream):
        with capture_logs() as logs:
            async with raw_client(stream.server.port) as hostile:
                await hostile.send(frame(b"{}", masked=False))
                assert close_code(await hostile.rest()) == 1002
        assert logs == []
        monkeypatch.setattr(StreamConnection, "_take", fail)
        with capture_logs() as logs:
            async with raw_client(stream.server.port) as unlucky:
                await unlucky.send(frame(b"{}"))
                assert close_code(await unlucky.rest()) == 1011
        assert [each["log_level"] for each in logs] == ["error"]
        assert "on_ws_frame" in logs[0]["problem"]
