"""The whole server on a file of bars."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.ws_client import live, receive
from tests.live_server import LiveServer

CLOSES = [100.5, 101.25, 102.0]


@pytest.fixture(scope="module")
def replaying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    file: Path = tmp_path_factory.mktemp("bars") / "bars.csv"
    rows = [f"2022-01-01 00:0{n},100,110,90,{close},7" for n, close in enumerate(CLOSES)]
    file.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows, "damage"]))
    options = {"replay_file": file, "replay_symbol": "BTC-PERP", "replay_speed": 1000}
    with LiveServer(page=False, feed="replay", **options) as server:
        yield server


async def test_a_client_gets_a_price_a_bar(replaying: LiveServer) -> None:
    seen: set[float] = set()
    async with live(replaying.ws_url) as socket, asyncio.timeout(60):
        while len(seen) < len(CLOSES):
            frame = await receive(socket)
            if frame["type"] == "price":
                assert (frame["symbol"], frame["exchange"]) == ("BTC-PERP", "CSV")
                assert frame["volume"] == 7
                seen.add(frame["price"])
    assert seen == set(CLOSES)


def test_its_state_is_replayed_and_the_bad_line_is_counted(replaying: LiveServer) -> None:
    address = f"http://127.0.0.1:{replaying.port}/api"
    feed = httpx.get(f"{address}/health").json()["feeds"]["replay"]
    assert (feed["state"], feed["skipped"]) == ("replayed", 1)
    (listed,) = httpx.get(f"{address}/instruments").json()
    assert (listed["exchange"], listed["name"]) == ("CSV", "BTC-PERP")
