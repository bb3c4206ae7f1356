"""Exports through their route, with pandas reading back what was written."""

import asyncio
import csv
import re
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from io import BytesIO, StringIO
from typing import Any, cast

import httpx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from dashboard.access import revocable
from dashboard.access.places import Places
from dashboard.access.revocable import RevocableRequest
from dashboard.api.exports import AT_ONCE, PART_ROWS, Exports
from dashboard.api.tables import TABLES, TABLES_OF_INSTRUMENT, Column, Row, Table, Type
from dashboard.api.writers import FILES, SIGNS
from tests.unit.accounts import INSTRUMENTS, Running, pnl, positions
from tests.unit.fake_feeds import directory_of, instrument
from tests.unit.fakes import SECOND_NS, trade

NOW = pd.Timestamp(1_700_000_000, unit="s", tz="UTC")


@pytest.fixture
def running() -> Running:
    return Running()


@pytest.fixture
async def client(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    exports = Exports(Places(limit=10))

    async def export(request: Request) -> ASGIApp:
        return serve(exports, running, request.path_params["name"])

    app = Starlette(routes=[Route("/api/export/{name:path}", export)])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/export/") as client:
        yield client


def serve(exports: Exports, running: Running, path: str) -> ASGIApp:
    return partial(exports.serve, running, path)


def written(form: str, columns: list[Column], *rows: Row) -> bytes:
    file = FILES[form].make(columns)
    if rows:
        file.write(rows)
    return b"".join(file.finish())


def read(answer: httpx.Response) -> pd.DataFrame:
    assert answer.status_code == 200
    if "parquet" in answer.headers["content-type"]:
        return pd.read_parquet(BytesIO(answer.content))
    return pd.read_csv(StringIO(answer.text))


async def test_pnl(running: Running, client: httpx.AsyncClient) -> None:
    running.publish(pnl("Ann", 1.25), pnl("Bob", -2.5))
    running.clock.advance(seconds=1.000000001)
    running.publish(pnl("Ann", 1.5))
    table = read(await client.get("pnl.parquet"))
    assert table["timestamp"].dtype == "datetime64[ns, UTC]"
    assert table.to_dict("list") == {
        "timestamp": [NOW, NOW + pd.Timedelta(1_000_000_001, "ns"), NOW],
        "exchange": ["REDIS"] * 3,
        "client": ["Ann", "Ann", "Bob"],
        "pnl": [1.25, 1.5, -2.5],
    }
    answer = await client.get("pnl.csv")
    assert answer.text.splitlines()[:2] == [
        "timestamp,exchange,client,pnl",
        "2023-11-14T22:13:20.000000Z,REDIS,Ann,1.25",
    ]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-disposition"].startswith('attachment; filename="livetape-pnl-2')
    assert answer.headers["content-disposition"].endswith('Z.csv"')


async def test_positions_with_their_limits(running: Running, client: httpx.AsyncClient) -> None:
    running.publish(positions("Ann", AAPL=90, FREE=1))
    for form in ("csv", "parquet"):
        aapl, free = read(await client.get(f"positions.{form}")).to_dict("records")
        assert pd.Timestamp(aapl["timestamp"]) == NOW
        assert {**aapl, "timestamp": 0} == {
            "timestamp": 0,
            "exchange": "REDIS",
            "client": "Ann",
            "instrument": "AAPL",
            "position": 90.0,
            "absolute_limit": 100.0,
            "position_share": 0.9,
            "underlying": "AAPL_STOCK",
            "delta": 90.0,
            "delta_limit": 50.0,
            "delta_share": 1.8,
            "level": "over",
        }
        assert free["level"] == "unlimited"
        missing = ["absolute_limit", "position_share", "underlying", "delta", "delta_share"]
        assert all(pd.isna(free[name]) for name in missing)


async def test_instruments(running: Running, client: httpx.AsyncClient) -> None:
    table = read(await client.get("instruments.csv"))
    assert list(table["instrument"]) == [each.symbol for each in INSTRUMENTS]
    assert list(table["tick_size"]) == [0.01] * 3
    assert table["delta_limit"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("path", ["trades/BTC/USD.csv", "trades/CRYPTO:BTC%2FUSD.csv"])
async def test_trades_of_one_instrument(
    running: Running, client: httpx.AsyncClient, path: str
) -> None:
    running.directory = directory_of(instrument("CRYPTO:BTC/USD"))
    running.publish(trade("BTC/USD", 10.5, ts=10**18), trade("ETH/USD"), trade("BTC/USD", 11.5))
    answer = await client.get(path)
    table = read(answer)
    assert list(table["price"]) == [10.5, 11.5]
    assert table["timestamp"][0] == "2001-09-09T01:46:40.000000Z"
    assert set(table["aggressor_side"]) == {"buy"}
    assert table["buyer"].isna().all()
    assert "BTC-USD" in answer.headers["content-disposition"]


async def test_bars_of_one_instrument(running: Running, client: httpx.AsyncClient) -> None:
    running.directory = directory_of(instrument("CRYPTO:BTC/USD"))
    for second, price in ((0, 10.0), (30, 12.0), (60, 11.0)):
        running.publish(trade("BTC/USD", price, size=2, ts=(1_700_000_000 + second) * SECOND_NS))
    table = read(await client.get("bars/1m/BTC/USD.parquet"))
    assert table["timestamp"].diff()[1] == pd.Timedelta(1, "min")
    assert table[["open", "high", "low", "close", "volume"]].to_numpy().tolist() == [
        [10, 12, 10, 12, 4],
        [11, 11, 11, 11, 2],
    ]


@pytest.mark.parametrize(
    "path",
    [
        "secrets.csv",
        "trades.csv",
        "trades/NONE.csv",
        "bars/2m/AAPL.csv",
        "bars/AAPL.csv",
        "pnl.xlsx",
        "pnl",
        "",
        "pnl/x.csv",
    ],
)
@pytest.mark.usefixtures("running")
async def test_what_there_is_not_names_what_there_is(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {
        "error": f"There is no {path!r}",
        "allowed": "instruments, positions, pnl, trades/{instrument}, bars/1s/{instrument}, "
        "bars/1m/{instrument}, bars/5m/{instrument}; each as .csv or .parquet",
    }


@pytest.mark.parametrize("name", [*TABLES, *TABLES_OF_INSTRUMENT])
def test_an_empty_table_has_its_columns_and_types(name: str) -> None:
    running = Running()
    running.directory = directory_of()
    if name in TABLES:
        table = TABLES[name](running)
    else:
        table = TABLES_OF_INSTRUMENT[name](running, INSTRUMENTS[0])
    assert list(table.rows) == []
    columns = list(table.columns)
    frame = pd.read_parquet(BytesIO(written("parquet", columns)))
    assert len(frame) == 0
    dtypes = {Type.TEXT: "str", Type.NUMBER: "float64", Type.TIME: "datetime64[ns, UTC]"}
    assert [str(each) for each in frame.dtypes] == [dtypes[column.type] for column in columns]
    names = ",".join(column.name for column in columns)
    assert written("csv", columns) == names.encode() + b"\r\n"


CLIENT = Column("client", Type.TEXT)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("\r=1", "\r'=1"),
        ("\n=1", "\n'=1"),
        (" =1", " '=1"),
        (" \n\t \u3000=1", " \n\t \u3000'=1"),
        ("\ufeff=1", "\ufeff'=1"),
        ("\x01=1", "\x01'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20A1", "'\uff20A1"),
        ("\ufe661", "'\ufe661"),
        ("a;=1+1;", "a;'=1+1;"),
        ("a; =1+1", "a; '=1+1"),
        ("a;;\uff1d1;@b", "a;;'\uff1d1;'@b"),
        ('a;"=1+1;', "a;\"'=1+1;"),
        ('"=1', "\"'=1"),
        ("a\t=1+1", "a\t'=1+1"),
        ("a\r\n-1\n+2", "a\r\n'-1\n'+2"),
        ("a\u2028=1", "a\u2028'=1"),
        ("=-1", "'=-1"),
        ("'=1", "'=1"),
        ("a=1", "a=1"),
        ("BTC-USD", "BTC-USD"),
        ("a;b-c", "a;b-c"),
    ],
)
def test_no_text_runs_as_a_formula(name: str, safe: str) -> None:
    _, row = csv.reader(StringIO(written("csv", [CLIENT], [name]).decode(), newline=""))
    assert row == [safe]
    (header,) = csv.reader(StringIO(written("csv", [Column(name, Type.TIME)]).decode(), newline=""))
    assert header == [safe]
    assert pd.read_parquet(BytesIO(written("parquet", [CLIENT], [name])))["client"][0] == name


def test_a_long_text_of_blanks_takes_no_time() -> None:
    text = "\n; " * 300_000
    assert len(written("csv", [CLIENT], [text])) > len(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-1.5, b"-1.5"),
        (100, b"100.0"),
        (float("inf"), b"inf"),
        (float("nan"), b'""'),
        (None, b'""'),
    ],
)
def test_a_number_stays_a_number_and_none_is_empty(value: float | None, text: bytes) -> None:
    column = Column("pnl", Type.NUMBER)
    assert written("csv", [column], [value]) == b"pnl\r\n" + text + b"\r\n"
    frame = pd.read_parquet(BytesIO(written("parquet", [column], [value])))
    assert frame["pnl"].dtype == "float64"


def test_times_are_written_from_before_the_epoch_to_the_last_nanosecond() -> None:
    column = Column("timestamp", Type.TIME)
    rows = [[-1], [0], [1_700_000_000_123_456_789]]
    assert written("csv", [column], *rows).split() == [
        b"timestamp",
        b"1969-12-31T23:59:59.999999Z",
        b"1970-01-01T00:00:00.000000Z",
        b"2023-11-14T22:13:20.123456Z",
    ]
    frame = pd.read_parquet(BytesIO(written("parquet", [column], *rows)))
    assert [each.value for each in frame["timestamp"]] == [row[0] for row in rows]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_texts_come_back_as_they_were(texts: list[str]) -> None:
    rows = [[text] for text in texts]
    assert list(pd.read_parquet(BytesIO(written("parquet", [CLIENT], *rows)))["client"]) == texts
    (_name, *back) = csv.reader(StringIO(written("csv", [CLIENT], *rows).decode(), newline=""))
    marks = re.compile(f"'(?=[{SIGNS}])")
    plain = [[marks.sub("", text) for text in row] for row in back]
    assert plain == [[marks.sub("", text)] for text in texts]


ENDS = ";\t\r\n\v\f\x85\u2028\u2029"
UNSEEN = '" \0\ufeff\u3000'
PIECES = st.sampled_from([*SIGNS, *ENDS, *UNSEEN, "'", ",", "a", "1"])


@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_spreadsheet_finds_a_cell_that_begins_with_a_sign(text: str) -> None:
    whole = written("csv", [Column("name", Type.TEXT)], [text]).decode()
    for cell in re.split(f"[{ENDS}]", whole):
        assert cell.strip(UNSEEN)[:1] not in set(SIGNS)


class Begun:
    """A table of so many rows; notes how often it was begun, and how its rows were read."""

    def __init__(self) -> None:
        self.rows = 1
        self.tables = 0
        self.turns = 0
        self.read_at: list[int] = []
        self.readers: set[int] = set()
        self.reading = threading.Event()

    def begin(self, _running: object) -> Table:
        self.tables += 1
        return Table([CLIENT], self._read())

    def _read(self) -> Iterator[Row]:
        for _ in range(self.rows):
            self.reading.set()
            self.read_at.append(self.turns)
            self.readers.add(threading.get_ident())
            yield ["x"]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    begun = Begun()
    monkeypatch.setitem(TABLES, "pnl", begun.begin)
    return begun


class Downloader:
    """An HTTP client that reads when it is let."""

    def __init__(self, exports: Exports, *, method: str = "GET", reads: bool = True) -> None:
        self.status = 0
        self.body = b""
        self.ended = False
        self.reads = asyncio.Event()
        if reads:
            self.reads.set()
        self.left = asyncio.Event()
        self._exports = exports
        self._method = method

    def ask(self) -> "asyncio.Task[None]":
        scope: dict[str, Any] = {"type": "http", "method": self._method, "headers": []}
        app = serve(self._exports, Running(), "pnl.csv")
        return asyncio.create_task(cast("Any", app(scope, self._receive, self._send)))

    async def _receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        await self.reads.wait()
        self.body += message.get("body", b"")
        self.ended = not message.get("more_body")


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_place_is_taken_before_a_table_is_read(begun: Begun) -> None:
    connections = Places(limit=AT_ONCE + 2)
    exports = Exports(connections)
    slow = [Downloader(exports, reads=False) for _ in range(AT_ONCE)]
    waiting = [Downloader(exports) for _ in range(2)]
    asked = [each.ask() for each in (*slow, *waiting)]
    await settle()
    assert begun.tables == AT_ONCE
    refused = Downloader(exports)
    await refused.ask()
    assert (refused.status, connections.refused) == (503, 1)
    await settle()
    assert begun.tables == AT_ONCE
    for each in slow:
        each.reads.set()
    await asyncio.gather(*asked)
    assert begun.tables == AT_ONCE + 2
    assert [each.status for each in waiting] == [200, 200]
    assert connections.open == 0


async def test_nothing_is_read_for_one_who_left_while_it_waited(begun: Begun) -> None:
    exports = Exports(connections := Places(limit=AT_ONCE + 1))
    slow = [Downloader(exports, reads=False) for _ in range(AT_ONCE)]
    asked = [each.ask() for each in slow]
    await settle()
    left = Downloader(exports)
    leaving = left.ask()
    await settle()
    left.left.set()
    await asyncio.wait_for(leaving, 10)
    for each in slow:
        each.reads.set()
    await asyncio.gather(*asked)
    assert (begun.tables, left.status, connections.open) == (AT_ONCE, 0, 0)


async def test_a_file_is_made_no_further_when_its_client_leaves(begun: Begun) -> None:
    begun.rows = 1000 * PART_ROWS
    exports = Exports(connections := Places(limit=1))
    client = Downloader(exports)
    asked = client.ask()
    await asyncio.to_thread(begun.reading.wait)
    client.left.set()
    await asyncio.wait_for(asked, 10)
    assert len(begun.read_at) < begun.rows / 2
    assert (client.status, connections.open) == (0, 0)


async def test_a_file_that_nobody_reads_ends_with_its_key(
    begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocable, "CLOSE_WITHIN_S", 0.01)
    exports = Exports(connections := Places(limit=1))
    client = Downloader(exports, reads=False)
    scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": []}
    request = RevocableRequest(scope, client._receive, client._send)
    asked = asyncio.create_task(request.serve(serve(exports, Running(), "pnl.csv")))
    async with asyncio.timeout(10):
        while not client.status:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
    request.revoke()
    await asyncio.wait_for(asked, 10)
    assert (client.status, client.body, client.ended) == (200, b"", False)
    assert connections.open == 0


async def test_one_who_does_not_read_is_given_up(begun: Begun) -> None:
    exports = Exports(connections := Places(limit=1), send_timeout_s=0.01)
    slow = Downloader(exports, reads=False)
    await asyncio.wait_for(slow.ask(), 10)
    assert (begun.tables, slow.ended, connections.open) == (1, False, 0)


async def test_rows_are_read_in_a_worker_and_the_loop_has_a_turn_between_parts(
    begun: Begun,
) -> None:
    begun.rows = 10 * PART_ROWS

    async def turn() -> None:
        while True:
            begun.turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    client = Downloader(Exports(Places(limit=1)))
    await client.ask()
    turning.cancel()
    assert client.body.count(b"x\r\n") == begun.rows
    assert threading.get_ident() not in begun.readers
    ends, begins = (
        begun.read_at[PART_ROWS - 1 : -1 : PART_ROWS],
        begun.read_at[PART_ROWS::PART_ROWS],
    )
    assert all(end < begin for end, begin in zip(ends, begins, strict=True))


async def test_head_reads_no_row(begun: Begun) -> None:
    client = Downloader(Exports(Places(limit=1)), method="HEAD")
    await client.ask()
    assert (client.status, client.body, client.ended, begun.readers) == (200, b"", True, set())
