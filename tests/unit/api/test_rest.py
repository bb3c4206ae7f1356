"""`/api/instruments…` in one process, with names that look like its own paths."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from dashboard.access.turns import TURN_BYTES, Turns
from dashboard.api import rest
from dashboard.api.engine_gate import Rates
from dashboard.core.instruments import Instrument, InstrumentKind, Sent
from dashboard.core.leases import WHOLE_BOOK
from tests.unit.accounts import Running
from tests.unit.fake_feeds import directory_of, instrument
from tests.unit.fakes import trade

BARS, SNAPSHOT, DETAILS = "bars", "snapshot", "details"


class Named(Running):
    """A product that has instruments of some names."""

    def __init__(self) -> None:
        super().__init__()
        self.has()

    def has(self, *symbols: str) -> None:
        self.directory = directory_of(*(instrument(f"CRYPTO:{each}") for each in symbols))


@pytest.fixture
def running() -> Named:
    return Named()


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
async def client(running: Named, turns: Turns) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(
        routes=[
            Mount("/api", rest.create_rest(running, turns, Rates(writes_per_s=1, reads_per_s=1)))
        ]
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/") as client:
        yield client


def kind(answer: httpx.Response) -> tuple[str, str]:
    """Tell what an answer is, and of which instrument."""
    assert answer.status_code == 200
    content = answer.json()
    if isinstance(content, list):
        return BARS, str(int(content[0]["open"]))
    if "bbo" in content:
        return SNAPSHOT, content["instrument"]
    return DETAILS, content["name"]


@pytest.mark.parametrize("of", [BARS, SNAPSHOT])
@pytest.mark.parametrize("prefix", ["", "CRYPTO:", "CRYPTO%3A"])
async def test_a_name_may_end_like_a_path_of_ours(
    running: Named, client: httpx.AsyncClient, of: str, prefix: str
) -> None:
    path = f"instruments/{prefix}foo"
    running.has(f"foo/{of}")
    for slash in ("/", "%2F", "%2f"):
        assert kind(await client.get(f"{path}{slash}{of}")) == (DETAILS, f"foo/{of}")
    assert kind(await client.get(f"{path}/{of}/snapshot")) == (SNAPSHOT, f"foo/{of}")
    assert kind(await client.get(f"{path}%2F{of}/snapshot")) == (SNAPSHOT, f"foo/{of}")


async def test_where_both_exist_the_way_the_slash_is_written_decides(
    running: Named, client: httpx.AsyncClient
) -> None:
    running.has("foo", "foo/bars", "foo/snapshot", "foo/bars/bars")
    running.publish(trade("foo", 1.0), trade("foo/bars", 2.0))
    assert kind(await client.get("instruments/foo%2Fsnapshot")) == (DETAILS, "foo/snapshot")
    assert kind(await client.get("instruments/foo/snapshot")) == (SNAPSHOT, "foo")
    assert kind(await client.get("instruments/foo%2Fbars")) == (DETAILS, "foo/bars")
    assert kind(await client.get("instruments/foo%2Fbars/snapshot")) == (SNAPSHOT, "foo/bars")
    assert kind(await client.get("instruments/foo%2Fbars%2Fbars")) == (DETAILS, "foo/bars/bars")
    assert kind(await client.get("instruments/foo/bars")) == (BARS, "1")
    assert kind(await client.get("instruments/foo/bars/bars")) == (BARS, "2")
    assert kind(await client.get("instruments/foo%2Fbars/bars")) == (BARS, "2")


@pytest.mark.parametrize(
    ("path", "missing"),
    [("nope/bars", "nope"), ("foo/bar", "foo/bar"), ("foo/bars/x", "foo/bars/x")],
)
async def test_a_path_to_nothing_names_what_was_not_found(
    running: Named, client: httpx.AsyncClient, path: str, missing: str
) -> None:
    running.has("foo")
    answer = await client.get(f"instruments/{path}")
    assert answer.status_code == 404
    assert answer.json()["error"] == f"Instrument '{missing}' not found"


@pytest.mark.parametrize("path", ["", "/foo/snapshot", "/foo/bars"])
async def test_what_is_long_waits_for_a_turn(
    running: Named, client: httpx.AsyncClient, turns: Turns, path: str
) -> None:
    running.has("foo")
    before_ours = [asyncio.create_task(turns.take(TURN_BYTES)) for _ in range(100)]
    await asyncio.sleep(0)
    assert (await client.get(f"instruments{path}")).status_code == 200
    assert all(task.done() for task in before_ours)


async def test_what_is_asked_for_once_in_a_while_is_lent(
    running: Named, client: httpx.AsyncClient
) -> None:
    running.has("foo")
    for path in ("", "/foo", "/foo/snapshot", "/foo/bars"):
        assert (await client.get(f"instruments{path}")).status_code == 200
    assert running.leases.lent == [("CRYPTO:foo", WHOLE_BOOK), ("CRYPTO:foo", 0)]


@pytest.mark.parametrize("of", [BARS, SNAPSHOT])
async def test_a_refusal_is_told_with_the_reason(
    running: Named, client: httpx.AsyncClient, of: str
) -> None:
    running.has("foo")
    running.leases.refusals["CRYPTO", "foo"] = "not in your plan"
    answer = await client.get(f"instruments/foo/{of}")
    assert answer.status_code == 503
    assert answer.json() == {
        "error": "its feed does not deliver it: not in your plan",
        "allowed": "an instrument that its feed delivers",
    }


async def test_details_say_what_it_is_and_what_its_feed_sends(
    running: Named, client: httpx.AsyncClient
) -> None:
    future = Instrument(
        symbol="foo",
        exchange="NFO",
        tick_size=0.05,
        kind=InstrumentKind.FUTURE,
        sends=(Sent.TRADES, Sent.BOOK),
    )
    running.directory = directory_of(future)
    details = (await client.get("instruments/foo")).json()
    assert (details["kind"], details["sends"]) == ("future", ["trades", "book"])
    assert (await client.get("instruments")).json() == [
        {"name": "foo", "underlying": None, "exchange": "NFO"}
    ]
