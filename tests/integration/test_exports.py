"""Exports from the real server, fed by a real Redis."""

import json
import time
from io import BytesIO, StringIO

import httpx
import pandas as pd

from tests.live_server import LiveServer
from tests.redis_server import RedisServer

CHANNEL = "market_data"
TIMEOUT_S = 30
SKEW = "livetape_feed_clock_skew"


def envelope(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, "timestamp": "2024-11-20T12:00:00.5Z", **fields})


def test_tables_hold_what_the_exchange_said(redis: RedisServer, on_redis: LiveServer) -> None:
    said = [
        envelope("position_update", client="=Ann", data={"AAPL": 90, "AAPL/DEC": -60}),
        envelope("pnl_update", client="=Ann", data={"pnl": -1234.56}),
        envelope(
            "trade",
            instrument="AAPL/DEC",
            data={
                "buyer": "=Ann",
                "buyer_order_id": 1,
                "instrument": "AAPL/DEC",
                "price": 150.05,
                "seller": "Bob",
                "seller_order_id": 2,
                "timestamp": "2024-11-20T12:00:00.5Z",
                "volume": 3,
            },
        ),
    ]
    with redis.client() as client:
        for message in said:
            assert client.publish(CHANNEL, message) == 1
    wait_for_rows(on_redis, "trades/AAPL/DEC.csv")

    positions = csv(on_redis, "positions.csv").set_index("instrument")
    assert positions.loc["AAPL", "client"] == "'=Ann"
    assert positions.loc["AAPL", "absolute_limit"] == 100
    assert positions.loc["AAPL/DEC", "level"] == "over"
    assert set(positions["delta"]) == {30}

    pnl = pd.read_parquet(BytesIO(get(on_redis, "pnl.parquet").content))
    assert pnl[["client", "pnl"]].to_dict("list") == {"client": ["=Ann"], "pnl": [-1234.56]}
    assert pnl["timestamp"].dtype == "datetime64[ns, UTC]"

    (trade,) = csv(on_redis, "trades/REDIS:AAPL%2FDEC.csv").to_dict("records")
    assert (trade["buyer"], trade["seller"]) == ("'=Ann", "Bob")
    assert (trade["price"], trade["size"]) == (150.05, 3)
    assert trade["timestamp"] == "2024-11-20T12:00:00.500000Z"

    (bar,) = csv(on_redis, "bars/1m/AAPL/DEC.csv").to_dict("records")
    assert (bar["open"], bar["close"], bar["volume"]) == (150.05, 150.05, 3)
    assert bar["timestamp"] == "2024-11-20T12:00:00.000000Z"

    instruments = csv(on_redis, "instruments.csv")
    assert list(instruments["instrument"]) == ["AAPL", "AAPL/DEC", "GOOGL"]
    assert list(instruments["delta_limit"]) == [20, 20, 40]


def test_impossible_times_are_replaced_by_those_of_the_receipt(
    redis: RedisServer, on_redis: LiveServer
) -> None:
    before = skews(on_redis)
    times = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"]
    with redis.client() as client:
        for price, text in enumerate(times, 1):
            data = {"price": price, "volume": 1, "timestamp": text}
            client.publish(CHANNEL, envelope("trade", instrument="GOOGL", data=data))
    wait_for_rows(on_redis, "trades/GOOGL.csv", len(times))
    now = pd.Timestamp.now(tz="UTC")
    for form, read in (("csv", read_csv), ("parquet", read_parquet)):
        trades = read(get(on_redis, f"trades/GOOGL.{form}"))
        assert list(trades["price"]) == [1, 2, 3]
        assert all(abs(pd.to_datetime(trades["timestamp"]) - now) < pd.Timedelta(1, "min"))
        for interval in ("1s", "1m", "5m"):
            bars = read(get(on_redis, f"bars/{interval}/GOOGL.{form}"))
            assert bars["volume"].sum() == 3
    deadline = time.monotonic() + TIMEOUT_S
    while skews(on_redis) - before < len(times):  # feeds tell of their counts once a second
        assert time.monotonic() < deadline
    assert skews(on_redis) - before == len(times)


def test_what_there_is_not_is_named(on_redis: LiveServer) -> None:
    answer = httpx.get(f"{on_redis.url}/api/export/secrets.csv")
    assert answer.status_code == 404
    assert "instruments, positions, pnl" in answer.json()["allowed"]


def get(server: LiveServer, path: str) -> httpx.Response:
    return httpx.get(f"{server.url}/api/export/{path}").raise_for_status()


def read_csv(answer: httpx.Response) -> pd.DataFrame:
    return pd.read_csv(StringIO(answer.text))


def read_parquet(answer: httpx.Response) -> pd.DataFrame:
    return pd.read_parquet(BytesIO(answer.content))


def csv(server: LiveServer, path: str) -> pd.DataFrame:
    return read_csv(get(server, path))


def wait_for_rows(server: LiveServer, path: str, rows: int = 1) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while len(csv(server, path)) < rows:
        assert time.monotonic() < deadline


def skews(server: LiveServer) -> float:
    """Give how many times of the exchange were impossible."""
    text = httpx.get(f"{server.url}/metrics").text
    line = next(each for each in text.splitlines() if each.startswith(f"{SKEW}_total{{"))
    assert 'feed="redis"' in line
    return float(line.split()[-1])
