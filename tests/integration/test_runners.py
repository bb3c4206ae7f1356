"""Runners of the real product: made over the API, fed by the simulator, kept over restarts."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live_server import LiveServer

TIMEOUT_S = 60
TICKS_OF_A_SECOND = 200
"""More than the simulator makes of an instrument."""
COUNTER = """
function detect_opportunity(market_data, context)
  context.ticks = (context.ticks or 0) + 1
  return {signal = "always"}
end

function filter_commitment(market_data, context)
  context.ticks = context.ticks + 1
  return {action = "enter_long", quantity = 0.5, stop_loss = market_data.close / 2}
end

function manage_position(market_data, context)
  context.ticks = context.ticks + 1
end
"""
"""Buys on its second tick, and holds."""


@pytest.fixture(scope="module")
def product() -> Iterator[LiveServer]:
    with LiveServer(page=False, simulator_seed=7) as running:
        yield running


@pytest.fixture
def api(product: LiveServer) -> Iterator[httpx.Client]:
    with client(product) as api:
        yield api
        for each in api.get("/runners").json()["runners"]:
            api.delete(f"/runners/{each['runner_id']}")


def client(product: LiveServer) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{product.port}/api", timeout=30)


def create(api: httpx.Client, runner_id: str = "one", **changed: Any) -> None:
    asked = {"runner_id": runner_id, "symbol": "BTC/USD", "strategy_name": "counter"}
    answer = api.post("/runners", json=asked | changed)
    assert answer.status_code == 201, answer.text


def save(api: httpx.Client, name: str = "counter", code: str = COUNTER) -> None:
    answer = api.post("/strategies", json={"name": name, "code": code})
    assert answer.status_code == 201, answer.text


def until(ask: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """Ask until an answer is as it is to be; give it."""
    deadline = time.monotonic() + TIMEOUT_S
    while not holds(answer := ask()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


def snapshot(api: httpx.Client, runner_id: str = "one") -> dict[str, Any]:
    return api.get(f"/runners/{runner_id}/snapshot").json()


def in_position(api: httpx.Client, runner_id: str = "one") -> dict[str, Any]:
    """Wait until a runner has bought, and has had some ticks since."""
    return until(
        lambda: snapshot(api, runner_id),
        lambda told: told["state"] == "InPosition" and told["stats"]["ticks_processed"] > 5,
    )


def test_a_runner_on_the_simulator_trades_and_is_closed_when_it_is_stopped(
    api: httpx.Client,
) -> None:
    save(api)
    create(api, window_size=3)
    told = in_position(api)
    assert told["context"]["ticks"] == told["stats"]["ticks_processed"]
    assert (told["window_len"], told["feed_state"], told["paper"]) == (3, "live", True)
    assert told["stats"]["avg_tick_us"] > 0
    bars = api.get("/runners/one/history").json()
    assert len(bars) == 3
    assert bars[-1]["symbol"] == "BTC/USD"
    assert abs(bars[-1]["timestamp"] / 1000 - time.time_ns() / 1e9) < 60
    assert api.post("/runners/one/stop").json()["success"]
    (trade,) = api.get("/runners/one/trades").json()["trades"]
    assert (trade["reason"], trade["stale"]) == ("runner stopped", False)


@pytest.mark.parametrize("name", ["ema_crossover", "rsi_mean_reversion", "range_breakout"])
def test_every_example_runs_without_errors(api: httpx.Client, name: str) -> None:
    create(api, name, strategy_name=name, symbol="ETH/USD")
    told = until(lambda: snapshot(api, name), lambda told: told["stats"]["ticks_processed"] > 30)
    assert told["stats"]["errors"] == 0, told["log"]


def test_bars_of_a_second_come_each_second(api: httpx.Client) -> None:
    save(api)
    create(api, bar="1s")
    told = until(lambda: snapshot(api), lambda told: told["window_len"] >= 3)
    times = [each["timestamp"] for each in api.get("/runners/one/history").json()]
    assert all(each % 1000 == 0 for each in times)
    assert told["bar"] == "1s"


def test_prices_are_ticks_of_what_is_not_traded(api: httpx.Client) -> None:
    save(api)
    create(api, symbol="NASDAQ:AAPL")
    until(lambda: snapshot(api), lambda told: told["stats"]["ticks_processed"] > 3)


def test_one_on_demand_is_delivered_while_its_runner_is_there(api: httpx.Client) -> None:
    save(api)
    create(api, symbol="TCS", exchange="NSE")
    until(lambda: snapshot(api), lambda told: told["stats"]["ticks_processed"] > 3)


def test_health_counts_the_runners(api: httpx.Client) -> None:
    save(api)
    create(api)
    health = until(lambda: api.get("/health").json(), lambda health: health["healthy_runners"] == 1)
    assert health["runners_count"] == 1
    assert isinstance(health["sandbox_lacks"], list)


def test_code_that_is_not_lua_is_named_with_its_line(api: httpx.Client) -> None:
    code = "function detect_opportunity()\n  retrun 1\nend"
    answer = api.post("/strategies", json={"name": "typo", "code": code})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "STRATEGY_ERROR"
    assert "line 2" in answer.json()["error"]["message"]
    assert "typo" not in api.get("/strategies").text
    answer = api.post("/strategies/typo/validate", json={"code": code})
    assert answer.json()["errors"][0]["line"] == 2
    answer = api.post("/strategies/typo/validate", json={"code": "x = 1"})
    (first, *_) = answer.json()["errors"]
    assert first["message"] == ("Strategy error: Missing required function: detect_opportunity")


def test_runners_go_on_in_another_worker_when_theirs_is_killed(
    api: httpx.Client, product: LiveServer
) -> None:
    save(api)
    for runner_id in ("one", "two"):
        create(api, runner_id)
    before = {each: in_position(api, each) for each in ("one", "two")}
    for worker in product.worker().children():
        worker.kill()
    for runner_id, held in before.items():
        after = until(
            lambda runner_id=runner_id: snapshot(api, runner_id),
            lambda told, held=held: told["context"]["ticks"] > held["context"]["ticks"] + 50,
        )
        assert (after["status"], after["position"]["entry_price"]) == (
            "running",
            held["position"]["entry_price"],
        )
        assert after["context"]["ticks"] == after["stats"]["ticks_processed"]


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGKILL])
def test_an_open_position_outlives_the_product(tmp_path: Path, ended_by: signal.Signals) -> None:
    product = LiveServer(page=False, data_dir=tmp_path)
    with product, client(product) as api:
        save(api)
        create(api, window_size=5)
        create(api, "paused")
        api.post("/runners/paused/pause")
        create(api, "stopped")
        api.post("/runners/stopped/stop")
        before = in_position(api)
        at_last = until(
            lambda: snapshot(api),
            lambda told: told["context"]["ticks"] > before["context"]["ticks"] + 20,
        )
        product.stop(by=ended_by)
        product.start()
        after = until(lambda: snapshot(api), lambda told: told["away_ms"] is not None)
        assert after["position"]["entry_price"] == before["position"]["entry_price"]
        assert after["context"]["ticks"] > before["context"]["ticks"]
        if ended_by is signal.SIGTERM:
            assert after["context"]["ticks"] >= at_last["context"]["ticks"]
        assert after["context"]["ticks"] >= at_last["context"]["ticks"] - TICKS_OF_A_SECOND
        assert after["window_len"] == 5
        assert 0 < after["away_ms"] < 120_000
        until(
            lambda: snapshot(api),
            lambda told: told["context"]["ticks"] > after["context"]["ticks"],
        )
        assert snapshot(api, "paused")["status"] == "paused"
        assert snapshot(api, "stopped")["status"] == "stopped"
