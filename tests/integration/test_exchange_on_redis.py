"""The whole server on an exchange: its start, its state and its metrics."""

import json
import signal
import time
from collections.abc import Callable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.ws_client import live, receive
from tests.live_server import LiveServer
from tests.redis_server import RedisServer
from tests.unit.feeds.parsing.test_exchange import BOOK, EVERY_TYPE

DEADLINE_S = 20


def test_the_metrics_count_skips_by_cause(on_redis: LiveServer, redis: RedisServer) -> None:
    publish(redis, "garbage", EVERY_TYPE["trade"] | {"instrument": 'a "quoted" name'})
    wait_for(lambda: feed(on_redis)["skipped"] == 2)
    counts = {
        (sample.labels["feed"], sample.labels["cause"]): sample.value
        for family in text_string_to_metric_families(httpx.get(f"{on_redis.url}/metrics").text)
        for sample in family.samples
        if sample.name == "livetape_feed_skipped_by_cause_total"
    }
    assert counts == {("redis", "malformed JSON"): 1, ("redis", "unknown instrument"): 1}


async def test_clients_stay_while_redis_is_gone(on_redis: LiveServer, redis: RedisServer) -> None:
    assert feed(on_redis)["state"] == "live"
    async with live(on_redis.ws_url) as socket:
        redis.stop(by=signal.SIGKILL)
        wait_for(lambda: feed(on_redis)["state"] == "stale")
        assert health(on_redis)["status"] == "degraded"
        redis.start()
        with redis.client() as client:
            client.set("orderbook:AAPL", json.dumps(BOOK))
        wait_for(lambda: feed(on_redis)["state"] == "live")
        publish(redis, EVERY_TYPE["trade"])
        frame = await receive(socket)
        while frame["type"] != "trade":
            frame = await receive(socket)
        assert (frame["symbol"], frame["price"]) == ("AAPL", 10.25)


def test_without_a_key_the_start_ends_with_one_line_that_names_it() -> None:
    with RedisServer() as incomplete:
        incomplete.fill()
        with incomplete.client() as client:
            client.delete("static_data:AAPL_absolute_limit")
        line = refusal(incomplete.url)
    assert line == (
        "livetape: static_data:AAPL_absolute_limit: found nothing; "
        "expected a number from 0 as text, such as 100"
    )


def test_without_redis_the_start_ends_with_one_line_that_names_the_setting() -> None:
    with RedisServer() as gone:
        gone.stop()
        line = refusal(gone.url)
    assert line.startswith(f"livetape: DASHBOARD_REDIS_URL='{gone.url}' is not allowed; allowed: ")


def refusal(url: str) -> str:
    """Give the one line with which a start ends."""
    with pytest.raises(RuntimeError) as caught:
        LiveServer(page=False, feed="redis", redis_url=url).start()
    log = str(caught.value)
    assert "Traceback" not in log
    lines = [line for line in log.splitlines() if "livetape" in line]
    assert len(lines) == 1
    return lines[0]


def health(server: LiveServer) -> dict[str, object]:
    return httpx.get(f"{server.url}/api/health").json()


def feed(server: LiveServer) -> dict[str, object]:
    return health(server)["feeds"]["redis"]  # pyright: ignore[reportIndexIssue] - JSON


def publish(exchange: RedisServer, *messages: object) -> None:
    with exchange.client() as client:
        for message in messages:
            client.publish(
                "market_data", message if isinstance(message, str) else json.dumps(message)
            )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
