"""Exports through their route, with pandas reading back what was written."""

import csv
from collections.abc import AsyncIterator
from io import BytesIO, StringIO
from typing import cast

import httpx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from dashboard.bootstrap import Services
from dashboard.core.model import Instrument
from dashboard.endpoints import exports
from dashboard.endpoints.tables import TABLES, TABLES_OF_INSTRUMENT, Column, Type
from dashboard.endpoints.writers import FORMULA_STARTS, write_csv, write_parquet
from tests.unit.accounts import INSTRUMENTS, Running, pnl, positions
from tests.unit.fakes import SECOND_NS, trade

NOW = pd.Timestamp(1_700_000_000, unit="s", tz="UTC")


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Running:
    running = Running()
    monkeypatch.setattr(exports, "services", lambda: running)
    return running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/api/export/{name:path}", exports.export)])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/export/") as client:
        yield client


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
    running.listings.append(Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=0.01))
    running.publish(trade("BTC/USD", 10.5, ts=10**18), trade("ETH/USD"), trade("BTC/USD", 11.5))
    answer = await client.get(path)
    table = read(answer)
    assert list(table["price"]) == [10.5, 11.5]
    assert table["timestamp"][0] == "2001-09-09T01:46:40.000000Z"
    assert set(table["aggressor_side"]) == {"buy"}
    assert table["buyer"].isna().all()
    assert "BTC-USD" in answer.headers["content-disposition"]


async def test_bars_of_one_instrument(running: Running, client: httpx.AsyncClient) -> None:
    running.listings.append(Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=0.01))
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
    running.listings.clear()
    services = cast("Services", running)
    if name in TABLES:
        table = TABLES[name](services)
    else:
        table = TABLES_OF_INSTRUMENT[name](services, INSTRUMENTS[0])
    frame = pd.read_parquet(BytesIO(write_parquet(table)))
    assert len(frame) == 0
    dtypes = {Type.TEXT: "str", Type.NUMBER: "float64", Type.TIME: "datetime64[ns, UTC]"}
    assert [str(each) for each in frame.dtypes] == [dtypes[column.type] for column in table]
    assert write_csv(table) == ",".join(column.name for column in table).encode() + b"\r\n"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_runs_as_a_formula(name: str) -> None:
    table = [Column("client", Type.TEXT, [name])]
    assert pd.read_csv(BytesIO(write_csv(table)))["client"][0] == f"'{name}"
    assert pd.read_parquet(BytesIO(write_parquet(table)))["client"][0] == name


def test_a_negative_number_stays_a_number() -> None:
    assert write_csv([Column("pnl", Type.NUMBER, [-1.5])]) == b"pnl\r\n-1.5\r\n"


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_texts_come_back_as_they_were(texts: list[str]) -> None:
    table = [Column("client", Type.TEXT, texts)]
    assert list(pd.read_parquet(BytesIO(write_parquet(table)))["client"]) == texts
    (_name, *rows) = csv.reader(StringIO(write_csv(table).decode(), newline=""))
    assert rows == [[f"'{text}" if text.startswith(FORMULA_STARTS) else text] for text in texts]
