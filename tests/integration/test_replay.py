"""The whole server on a recording of real traffic, and a recording of the server."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dashboard.feeds.recording import Recording
from tests.integration.ws_client import live, receive
from tests.live_server import ROOT, LiveServer
from tests.recordings import COINBASE, needs_recordings

pytestmark = needs_recordings


@pytest.fixture(scope="module")
def replaying() -> Iterator[LiveServer]:
    with LiveServer(page=False, feed="replay", replay_file=COINBASE, replay_speed=10) as server:
        yield server


async def test_a_client_sees_prices_and_books_of_all_ten_products(replaying: LiveServer) -> None:
    seen: dict[str, set[str]] = {"price": set(), "book": set()}
    async with live(replaying.ws_url) as socket, asyncio.timeout(60):
        while any(len(symbols) < 10 for symbols in seen.values()):
            frame = await receive(socket)
            if frame["type"] in seen:
                seen[frame["type"]].add(frame["symbol"])
            if frame["type"] == "book":
                assert frame["bids"][0][0] < frame["asks"][0][0]
    assert seen["price"] == seen["book"]


def test_its_state_is_replayed_and_nothing_is_skipped(replaying: LiveServer) -> None:
    health = httpx.get(f"http://127.0.0.1:{replaying.port}/api/health").json()
    feed = health["feeds"]["replay"]
    assert (health["status"], feed["state"]) == ("ok", "replayed")
    assert (feed["gaps"], feed["skipped"]) == (0, 0)


async def test_our_own_stream_can_be_recorded(replaying: LiveServer, tmp_path: Path) -> None:
    path = tmp_path / "own.wslog.gz"
    arguments = [replaying.ws_url, "--output", str(path), "--seconds", "2"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dashboard.feeds.record", *arguments, cwd=ROOT
    )
    assert await process.wait() == 0
    original = {each.symbol: each.tick_size for each in Recording(COINBASE).instruments}
    recorded = {each.symbol: each.tick_size for each in Recording(path).instruments}
    assert recorded.keys() == original.keys()
    assert all(recorded[symbol] >= tick_size for symbol, tick_size in original.items())
