"""A client of `/ws` that is cut off again and again under load, beside one that never is."""

import asyncio
import random
from collections.abc import Iterable

from websockets.asyncio.client import ClientConnection

from tests.integration.ws_client import Message, ask, live, offset, receive
from tests.live_server import LiveServer

CUTS = 500
SETTLED = 60
"""Frames after which a resumed client is past what it had missed: topics and some trades."""

Topic = tuple[str, str | None]


def topic(message: Message) -> Topic:
    return message["type"], message.get("symbol")


async def test_500_cuts_lose_no_trade_and_leave_the_latest_values(server: LiveServer) -> None:
    rng = random.Random(7)
    witnessed: list[Message] = []
    seen: list[Message] = []
    settled_at: list[int] = []
    async with live(server.ws_url, max_queue=None) as witness:
        await ask(witness, {"frequency_ms": 10})
        witnessing = asyncio.create_task(witness_all(witness, witnessed))
        await asyncio.sleep(0.5)
        since = witnessed[-1]["id"]
        for _ in range(CUTS):
            async with live(f"{server.ws_url}?since={since}") as socket:
                frames = rng.choice((1, 2, 5, 20, SETTLED + 20))
                got = [await receive(socket) for _ in range(frames)]
                assert not {"reset", "conflated", "error"} & {each["type"] for each in got}
                seen += got
                since = seen[-1]["id"]
                if frames > SETTLED:
                    settled_at.append(len(seen))
                socket.transport.abort()
        await asyncio.sleep(0.5)
        witnessing.cancel()
    assert len(settled_at) > CUTS / 10
    begin, end = offset(seen[0]), offset(seen[-1])
    trades = [offset(each) for each in seen if each["type"] == "trade"]
    assert trades == [
        offset(each)
        for each in witnessed
        if each["type"] == "trade" and begin <= offset(each) <= end
    ]
    assert len(trades) > CUTS / 10
    truth = LatestValues(witnessed)
    for length in settled_at:
        last = {topic(each): each for each in seen[:length] if each["type"] in {"price", "book"}}
        assert last == truth.at(offset(seen[length - 1]), last.keys())


async def witness_all(socket: ClientConnection, witnessed: list[Message]) -> None:
    while True:
        message = await receive(socket)
        if "id" in message:
            witnessed.append(message)


class LatestValues:
    """The newest event of each topic at any offset, found by going through a full record."""

    def __init__(self, record: list[Message]) -> None:
        self._record = record
        self._taken = 0
        self._latest: dict[Topic, Message] = {}

    def at(self, end: int, topics: Iterable[Topic]) -> dict[Topic, Message]:
        """Give the newest events up to `end`; it must not fall from call to call."""
        while self._taken < len(self._record) and offset(self._record[self._taken]) <= end:
            self._latest[topic(self._record[self._taken])] = self._record[self._taken]
            self._taken += 1
        return {each: self._latest[each] for each in topics}
