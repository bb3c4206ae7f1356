"""What runners tell, on `/ws` and on `/ws/events`, above the sockets."""

import asyncio
import json
from typing import Any

import pytest

from dashboard.access.places import Places
from dashboard.core.conflation import Kept
from dashboard.core.directory import Catalogue
from dashboard.core.model import Channel, Kind, Topic
from dashboard.fanout.outbox import Outbox
from dashboard.hub.ring import FIXED_BOUNDS
from dashboard.protocols.runner_events import EVENT_KINDS, EVENT_TYPES
from dashboard.streaming.live_offers import LIVE, RUNNER_EVENTS, Offer
from dashboard.streaming.live_streams import LiveStreams
from tests.unit.fakes import price, system, trade
from tests.unit.runner_events import action, one_of_each, tick, transition, updated
from tests.unit.streaming.live_product import Product, frames, listed
from tests.unit.streaming.receivers import FakeReceiver, until

LISTED = Catalogue(feed="a", standing=[listed("BTC/USD"), listed("ETH/USD")])
KEPT = FIXED_BOUNDS[Channel.RUNNERS].events


def streams_of(product: Any, offer: Offer = LIVE) -> LiveStreams:
    return LiveStreams(product, places=Places(limit=100), offer=offer)


async def join(streams: LiveStreams, query: str = "") -> FakeReceiver:
    client = FakeReceiver(query)
    streams.open(client)
    await streams.begin(client)
    return client


async def subscribe(live_streams: LiveStreams, client: FakeReceiver, **asked: Any) -> None:
    request = json.dumps({"type": "subscribe", **asked}).encode()
    await live_streams.answer(client, request, address="127.0.0.1")


def spread(streams: LiveStreams) -> None:
    """Let everybody have what has come."""
    streams.dispatch()
    streams.fanout.flush()


def got(client: FakeReceiver) -> list[str]:
    """Say briefly what a client got: `TickReceived r1`, or the type of another frame."""
    return [_brief(frame) for frame in frames(client.got)]


def _brief(frame: dict[str, Any]) -> str:
    if "type" in frame:
        inner = frame.get("data", {})
        return f"{frame['type']} {inner['runner_id']}" if inner else frame["type"]
    [(name, inner)] = frame.items()
    return f"{name} {inner['runner_id']}"


def numbers(client: FakeReceiver) -> list[int]:
    """Give the offsets of the events that a client got."""
    found: list[int] = []
    for frame in frames(client.got):
        [inner] = frame.values() if "type" not in frame else [frame]
        if "id" in inner:
            found.append(int(inner["id"].partition(":")[2]))
    return found


async def test_ws_gives_the_market_and_what_runners_tell() -> None:
    product = Product()
    streams = streams_of(product)
    client = await join(streams)
    for event in (price("A"), tick(), trade("A"), transition()):
        product.hub.publish(event)
    spread(streams)
    assert got(client) == ["price", "TickReceived r1", "trade", "StateTransition r1"]
    assert numbers(client) == [1, 2, 3, 4]


async def test_ws_events_gives_what_runners_tell_alone() -> None:
    product = Product()
    streams = streams_of(product, RUNNER_EVENTS)
    client = await join(streams)
    for event in (price("A"), system(), tick(), *one_of_each("r2")):
        product.hub.publish(event)
    spread(streams)
    assert got(client) == ["TickReceived r1", *(f"{name} r2" for name in EVENT_TYPES)]


async def test_ws_events_gives_more_to_who_asks_for_it() -> None:
    product = Product(LISTED)
    streams = streams_of(product, RUNNER_EVENTS)
    client = await join(streams)
    product.hub.publish(price("BTC/USD"))
    await subscribe(streams, client, streams=["events", "market"])
    product.hub.publish(trade())
    product.hub.publish(tick())
    spread(streams)
    assert got(client) == ["subscribed", "price", "trade", "TickReceived r1"]
    await subscribe(streams, client)
    product.hub.publish(trade())
    product.hub.publish(tick())
    spread(streams)
    assert got(client)[4:] == ["subscribed", "TickReceived r1"]


async def test_a_subscribe_without_streams_means_the_market_on_ws() -> None:
    product = Product()
    streams = streams_of(product)
    client = await join(streams)
    await subscribe(streams, client)
    product.hub.publish(tick())
    product.hub.publish(price("A"))
    spread(streams)
    assert got(client) == ["subscribed", "price"]


NARROWED = [
    ({"runners": ["a"]}, ["TickReceived a", "StateTransition a"]),
    ({"runners": ["a"], "event_types": ["StateTransition"]}, ["StateTransition a"]),
    ({"event_types": ["TickReceived"]}, ["TickReceived a", "TickReceived b"]),
    ({"symbols": ["ETH/USD"]}, ["TickReceived b"]),
    ({"symbols": ["CRYPTO:ETH/USD"]}, ["TickReceived b"]),
    ({"symbols": ["ETH/USD"], "runners": ["a"]}, ["TickReceived a", "StateTransition a"]),
]
ALL_OR_NOTHING = [
    ({}, ["TickReceived a", "TickReceived b", "StateTransition a"]),
    ({"symbols": []}, []),
    ({"runners": []}, []),
    ({"event_types": []}, []),
]


@pytest.mark.parametrize(("asked", "passes"), NARROWED + ALL_OR_NOTHING)
async def test_a_request_filters_events_by_runner_symbol_and_type(
    asked: dict[str, list[str]], passes: list[str]
) -> None:
    product = Product(LISTED)
    streams = streams_of(product, RUNNER_EVENTS)
    client = await join(streams)
    await subscribe(streams, client, **asked)
    for event in (tick("a"), tick("b", symbol="ETH/USD"), transition("a")):
        product.hub.publish(event)
    spread(streams)
    assert got(client) == ["subscribed", *passes]


@pytest.mark.parametrize(("asked", "passes"), NARROWED)
async def test_a_query_filters_the_latest_and_all_that_follows(
    asked: dict[str, list[str]], passes: list[str]
) -> None:
    product = Product(LISTED)
    streams = streams_of(product, RUNNER_EVENTS)
    query = "&".join(f"{name}={','.join(values)}" for name, values in asked.items())
    early = await join(streams, query)
    for event in (tick("a"), tick("b", symbol="ETH/USD"), transition("a")):
        product.hub.publish(event)
    spread(streams)
    late = await join(streams, query)
    assert got(early) == got(late) == ["subscribed", *passes]


async def test_an_answer_says_what_holds_and_which_runners_have_told_nothing() -> None:
    product = Product(LISTED)
    streams = streams_of(product, RUNNER_EVENTS)
    product.hub.publish(tick("a"))
    client = await join(streams, "runners=a,b&event_types=Error,TickReceived&symbols=ETH/USD,X")
    assert frames(client.got)[0] == {
        "type": "subscribed",
        "symbols": ["ETH/USD"],
        "streams": ["events"],
        "runners": ["a", "b"],
        "event_types": ["Error", "TickReceived"],
        "unknown_runners": ["b"],
        "unknown": ["X"],
    }
    assert product.leases.depths == {}, "what runners tell costs no lease"


async def test_a_runner_may_come_after_it_was_asked_for() -> None:
    product = Product()
    streams = streams_of(product, RUNNER_EVENTS)
    client = await join(streams, "runners=new")
    product.hub.publish(tick("new"))
    product.hub.publish(tick("other"))
    spread(streams)
    assert got(client) == ["subscribed", "TickReceived new"]


async def test_the_other_form_is_asked_for_by_the_query() -> None:
    product = Product(LISTED)
    streams = streams_of(product)
    plain, tagged = await join(streams), await join(streams, "format=tagged")
    await subscribe(streams, tagged, streams=["market", "events"])
    for event in (tick(), trade()):
        product.hub.publish(event)
    spread(streams)
    for event in (transition(), trade()):
        product.hub.publish(event)
    await subscribe(streams, tagged, streams=["market", "events"], runners=["r1"])
    assert "TickReceived" in frames(plain.got)[0]
    seen = frames(tagged.got)
    assert [frame["type"] for frame in seen] == [
        "subscribed",
        "TickReceived",
        "trade",
        "StateTransition",
        "trade",
        "subscribed",
    ]
    assert seen[1]["data"]["data"]["close"] == 101.0
    late = await join(streams, "format=tagged&since=e:0")
    assert [frame["type"] for frame in frames(late.got)][:2] == ["TickReceived", "trade"]


@pytest.mark.parametrize(
    ("query", "named"),
    [("streams=events,nothing", "nothing"), ("format=xml", "xml"), ("runners=a%2Fb", "a/b")],
)
async def test_a_query_for_what_there_is_not_is_told_and_closed(query: str, named: str) -> None:
    product = Product()
    streams = streams_of(product)
    client = await join(streams, query)
    [frame] = frames(client.got)
    assert frame["type"] == "error"
    assert named in frame["error"]
    assert client.ended is not None
    assert client.ended.code == 1008
    streams.close(client)


async def test_a_bad_request_leaves_the_filter_as_it_is() -> None:
    product = Product()
    streams = streams_of(product, RUNNER_EVENTS)
    client = await join(streams)
    await subscribe(streams, client, runners=["a/b"])
    product.hub.publish(tick())
    spread(streams)
    assert got(client) == ["error", "TickReceived r1"]


async def test_one_since_serves_all_channels() -> None:
    product = Product()
    streams = streams_of(product)
    for event in (tick(), trade("A"), action(), price("A"), tick(), trade("A"), price("A")):
        product.hub.publish(event)
    client = await join(streams, "since=e:2")
    assert numbers(client) == [3, 5, 6, 7], "all but the price that a newer one stands in for"


async def test_of_what_a_runner_told_a_resume_brings_every_tick() -> None:
    product = Product()
    streams = streams_of(product, RUNNER_EVENTS)
    for _ in range(3000):
        product.hub.publish(tick())
    client = await join(streams, "since=e:100")
    product.hub.publish(tick())
    spread(streams)
    assert numbers(client) == list(range(101, 3002))


async def test_reset_names_the_stream_that_is_too_old_and_the_market_goes_on() -> None:
    product = Product(resume_events=100_000)
    streams = streams_of(product)
    product.hub.publish(trade("A"))
    product.hub.publish(transition("quiet"))
    product.hub.publish(trade("A"))
    for _ in range(KEPT + 1):
        product.hub.publish(tick("busy"))
    product.hub.publish(trade("A"))
    client = await join(streams, "since=e:1")
    reset, *rest = frames(client.got)
    assert (reset["type"], reset["streams"]) == ("reset", ["events"])
    newest = product.hub.published
    assert [_brief(frame) for frame in rest] == [
        "StateTransition quiet",
        "trade",
        "TickReceived busy",
        "trade",
    ]
    assert numbers(client) == [2, 3, newest - 1, newest]
    product.hub.publish(tick("busy"))
    spread(streams)
    assert numbers(client)[-1] == newest + 1


async def test_a_client_of_the_market_resumes_however_much_runners_tell() -> None:
    product = Product(resume_events=100_000)
    streams = streams_of(product)
    for _ in range(3):
        product.hub.publish(trade("A"))
    for _ in range(KEPT + 1):
        product.hub.publish(tick())
    client = await join(streams, "since=e:1&streams=market")
    assert [_brief(frame) for frame in frames(client.got)] == ["subscribed", "trade", "trade"]


async def test_what_falls_out_while_it_is_resumed_is_told_and_the_rest_comes_once() -> None:
    product = Product(resume_events=100_000)
    streams = streams_of(product)
    for _ in range(1500):
        product.hub.publish(trade("A"))
        product.hub.publish(tick())
    client, reads = FakeReceiver("since=e:0"), asyncio.Event()
    client.drained = reads.wait  # type: ignore[method-assign] - it reads slowly
    reads.set()
    streams.open(client)
    beginning = asyncio.create_task(streams.begin(client))
    await until(lambda: bool(client.got))
    reads.clear()
    for _ in range(KEPT + 1):
        product.hub.publish(tick())
    reads.set()
    await beginning
    spread(streams)
    kinds = [each for each in got(client) if not each.startswith("TickReceived")]
    assert kinds.count("reset") == 1
    assert kinds.count("trade") == 1500
    came = numbers(client)
    assert len(came) == len(set(came))
    assert came[-1] == product.hub.published


async def test_on_ws_events_the_frequency_conflates_nothing() -> None:
    product = Product(conflates=True)
    prompt, paced = streams_of(product, RUNNER_EVENTS), streams_of(product)
    ann, bob = await join(prompt), await join(paced)
    for _ in range(3):
        product.hub.publish(tick())
        product.hub.publish(action())
    spread(prompt)
    spread(paced)
    assert numbers(ann) == [1, 2, 3, 4, 5, 6]
    assert numbers(bob) == [2, 4, 5, 6], "there it does what it does to prices"


async def test_who_lags_loses_no_trade_to_what_runners_tell() -> None:
    product = Product()
    streams = streams_of(product)
    client = FakeReceiver()
    client.outbox = Outbox(
        capacity=10, notice=lambda *missed: json.dumps({"type": "missed", "n": missed}).encode()
    )
    streams.open(client)
    await streams.begin(client)
    spread(streams)
    client.writable = False
    streams.fanout.pause(client)
    for _ in range(10):
        product.hub.publish(trade("A"))
    for number in range(30):
        product.hub.publish(tick("a"))
        product.hub.publish(updated("a", number))
        product.hub.publish(action("a"))
        spread(streams)
    client.writable = True
    streams.fanout.release(client)
    notice, *rest = frames(client.got)
    assert notice["n"] == [58, 0, 20]
    brief = [_brief(frame) for frame in rest]
    assert brief.count("trade") == 10
    assert brief.count("TickReceived a") == brief.count("PositionUpdated a") == 1
    assert brief.count("ActionExecuted a") == 10


async def test_a_notice_counts_the_events_that_were_lost() -> None:
    product = Product()
    client = FakeReceiver()
    outbox = streams_of(product).outbox(client.wire)
    outbox.offer([(Kept.EVENT, b"{}")] * 501)
    [frame] = frames([outbox.take()[0]])
    assert frame == {"type": "conflated", "count": 1, "lost_trades": 0, "lost_events": 1}


async def test_events_are_taken_from_the_hub_only_where_somebody_may_want_them() -> None:
    product = Product()
    streams = streams_of(product, RUNNER_EVENTS)
    [subscription] = [each for each in product.hub.subscriptions if each.name == "events"]
    product.hub.publish(tick())
    client = await join(streams)
    product.hub.publish(tick())
    product.hub.publish(price("A"))
    assert subscription.offered == 1
    streams.close(client)
    product.hub.publish(tick())
    assert subscription.offered == 1


async def test_a_client_of_the_market_costs_no_event_of_runners() -> None:
    product = Product()
    streams = streams_of(product)
    [subscription] = [each for each in product.hub.subscriptions if each.name == "stream"]
    client = await join(streams, "streams=market")
    product.hub.publish(tick())
    product.hub.publish(price("A"))
    assert subscription.offered == 1
    await subscribe(streams, client, streams=["market", "events"])
    product.hub.publish(tick())
    assert subscription.offered == 2


async def test_the_end_of_a_runner_s_topics_leaves_nothing_of_it_to_who_comes() -> None:
    product = Product()
    streams = streams_of(product, RUNNER_EVENTS)
    client = await join(streams)
    product.hub.publish(tick())
    for kind in EVENT_KINDS:
        product.hub.end(Topic(kind, "", "r1"))
    spread(streams)
    assert got(client) == ["TickReceived r1"]
    assert got(await join(streams)) == []
    assert frames((await join(streams, "runners=r1")).got)[0]["unknown_runners"] == ["r1"]
    assert product.hub.latest_of(Topic(Kind.TICK_RECEIVED, "", "r1")) is None
