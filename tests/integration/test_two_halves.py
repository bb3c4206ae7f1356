"""The owner's half, and one that serves clients from a hub of its own, with a link between them.

What the owner's hub publishes goes to the other one as bytes, and commands come back: so
nothing can reach a client that a second process would not have.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.places import Places
from dashboard.access.principals import PRINCIPAL
from dashboard.access.turns import Turns
from dashboard.bootstrap.owner import Owner
from dashboard.bootstrap.product import new_hub
from dashboard.bootstrap.web import Web
from dashboard.config import load_settings
from dashboard.core.bars import Interval
from dashboard.core.codec import MSGPACK
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Kind, Published
from dashboard.core.principal import LOCAL
from dashboard.feeds.registry import build_feeds
from dashboard.hub.failures import kept_running
from dashboard.hub.hub import Hub
from dashboard.storage.api_keys import create_key
from dashboard.storage.database import database_url, open_database
from dashboard.storage.repository import Repository
from dashboard.storage.trading import TradingRepository
from dashboard.streaming.routes import stream_routes
from dashboard.streaming.server import StreamServer
from dashboard.ui.tab import Tab
from tests.integration.sse_client import stream
from tests.integration.stream import listening
from tests.integration.ws_client import TIMEOUT_S, ask, live, until
from tests.live_server import free_port

LINK_EVENTS = 100_000


class Halves(NamedTuple):
    owner: Owner
    owner_hub: Hub
    web: Web
    key: str
    port: int


async def follow(owner: Hub, web: Hub, linked: asyncio.Event) -> None:
    """Bring all that the owner's hub has, the latest values first, to the other one."""
    subscription = owner.subscribe(
        name="link",
        wants=lambda _topic: True,
        capacity=LINK_EVENTS,
        policy=OverflowPolicy.DISCONNECT,
    )

    def bring(published: Published) -> None:
        sent = MSGPACK.encode_published(published, epoch=owner.epoch)
        epoch, received = MSGPACK.decode_published(sent)
        web.adopt(received, epoch=epoch)

    for published in owner.latest_of_kinds(Kind):
        bring(published)
    linked.set()
    while not subscription.closed:
        await subscription.ready()
        for published in subscription.take():
            bring(published)


def local(app: ASGIApp) -> ASGIApp:
    """Let everybody be of this machine, as the guard of the product does."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, PRINCIPAL: LOCAL}, receive, send)

    return guarded


async def holds(found: Callable[[], Any]) -> Any:
    """Wait for what comes over the link, which has no event to tell of it."""
    async with asyncio.timeout(TIMEOUT_S):
        while not (value := found()):  # noqa: ASYNC110 - it is another's state
            await asyncio.sleep(0.01)
    return value


@asynccontextmanager
async def halves() -> AsyncGenerator[Halves]:
    """Run both; the second one joins when the owner has bars already."""
    with TemporaryDirectory() as folder:
        changed = {"data_dir": Path(folder), "stream_port": 0, "feed": ("simulator",)}
        settings = load_settings().model_copy(update=changed)
        database = open_database(database_url(settings))
        repository = Repository(database)
        repository.migrate()
        key = create_key(repository, "test", now=time.time_ns())
        owner_hub, web_hub = new_hub(settings), new_hub(settings)
        feeds = build_feeds(settings, clock=time.time_ns, monotonic=time.monotonic_ns)
        owner = Owner(settings, owner_hub, feeds, TradingRepository(database))
        web = Web(settings, web_hub, owner.handlers, repository)
        places = Places(limit=10)
        server = StreamServer(
            settings, clients=places, keyed=KeyedConnections(), refusal=lambda _headers: None
        )
        async with asyncio.TaskGroup() as group:
            linked = asyncio.Event()
            runs = owner.runs | web.runs
            tasks = [
                group.create_task(kept_running(name, run, failures=owner_hub.failures))
                for name, run in runs.items()
            ]
            tasks.append(group.create_task(follow_later(owner, owner_hub, web_hub, linked)))
            await linked.wait()
            await web.accounts.load()
            app = Starlette(routes=stream_routes(web, places, Turns(), server))
            port = free_port()
            granian = Server(local(app), port=port, interface=Interfaces.ASGINL, log_enabled=False)
            async with server.running(web):
                serving = group.create_task(granian.serve())
                await listening(port)
                yield Halves(owner, owner_hub, web, key, port)
                owner_hub.close()
                web_hub.close()
                await asyncio.gather(places.drained(), server.places.drained())
                granian.stop()
                await serving
            await owner.close()
            for task in tasks:
                task.cancel()
        repository.close()


async def follow_later(owner: Owner, owner_hub: Hub, web: Hub, linked: asyncio.Event) -> None:
    btc = await holds(lambda: listed(owner_hub, "BTC/USD"))
    await holds(lambda: owner.bars.of(btc, Interval.S1, 1))
    await follow(owner_hub, web, linked)


def listed(hub: Hub, symbol: str) -> Any:
    """Find an instrument in what a hub has been told of."""
    for published in hub.latest_of_kinds((Kind.FEED_CATALOGUE,)):
        catalogue: Any = published.event
        for each in catalogue.catalogue.standing:
            if each.symbol == symbol:
                return each
    return None


async def test_every_client_is_served_from_a_hub_that_only_adopts() -> None:
    async with halves() as both, asyncio.timeout(2 * TIMEOUT_S):
        await serves_the_live_stream(both)
        await serves_event_streams(both)
        await serves_openalgo(both)
        await serves_pages(both)
        assert both.web.hub.failures.by_place == {}
        assert both.owner_hub.failures.by_place == {}


async def serves_the_live_stream(both: Halves) -> None:
    """See that leases and the frequency go to the owner, and what follows comes back."""
    async with live(f"ws://127.0.0.1:{both.port}/ws") as socket:
        await ask(socket, {"type": "subscribe", "symbols": ["NSE:TCS"], "streams": ["market"]})
        seen = await until(socket, lambda message: message.get("symbol") == "TCS")
        assert seen[-1]["id"].startswith(f"{both.owner_hub.epoch}:")
        assert both.owner.leases_held["ws"] == 1
        await ask(socket, {"frequency_ms": 20})
        seen = await until(socket, lambda message: message["type"] == "control")
        assert seen[-1]["frequency_ms"] == 20
        assert both.web.frequency_ms == 20
    await holds(lambda: not both.owner.leases_held["ws"])


async def serves_event_streams(both: Halves) -> None:
    async with stream(both.port, "/sse/BTC%2FUSD") as events:
        event = await events.next()
        assert event.id.startswith(f"{both.owner_hub.epoch}:")
        assert json.loads(event.data)["instrument"] == "BTC/USD"


async def serves_openalgo(both: Halves) -> None:
    async with live(f"ws://127.0.0.1:{both.port}/ws/openalgo") as socket:
        await ask(socket, {"action": "authenticate", "api_key": both.key})
        await until(socket, lambda message: message.get("status") == "success")
        symbols = [{"symbol": "BTC/USD", "exchange": "CRYPTO"}]
        await ask(socket, {"action": "subscribe", "symbols": symbols, "mode": 3})
        seen = await until(socket, lambda message: message["type"] == "market_data")
        assert seen[-1]["data"]["depth"]["buy"]
        assert seen[-1]["broker"] == "simulator"


async def serves_pages(both: Halves) -> None:
    """See that a page has prices, how the feed stands, and bars from before the hub was there."""
    btc = both.web.directory.find("CRYPTO:BTC/USD")
    assert btc is not None
    await both.web.bars.load(btc)
    tab = Tab(both.web, watched=[btc], detailed=True)
    got: dict[str, Any] = {}

    async def send(_slot: str, batch: dict[str, Any]) -> None:
        got.update(batch)
        tab.took(tab.generation)
        told = [(each["name"], each["state"]) for each in got.get("f", ())]
        if {"p", "b", "a", "q"} <= got.keys() and told == [("simulator", "live")]:
            tab.close()

    async with asyncio.timeout(TIMEOUT_S):
        await tab.run(send)
    kept = both.owner.bars.of(btc, Interval.S1, 600)
    assert both.web.bars.of(btc, Interval.S1, 600) == kept
