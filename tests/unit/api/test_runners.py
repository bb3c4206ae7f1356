"""The trading engine's API in one process, with a fake host."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.access.principals import PRINCIPAL
from dashboard.access.turns import Turns
from dashboard.api.engine_gate import MAX_BODY_BYTES, Rates
from dashboard.api.engine_models import MAX_CODE_BYTES
from dashboard.api.rest import create_rest
from dashboard.core.principal import LOCAL, STRANGER, Principal
from tests.unit.accounts import Running
from tests.unit.trading.fake_host import BROKEN, PARAMETERS, TRADER
from tests.unit.trading.parts import Parts, running, trade

RUNNER = {"runner_id": "one", "symbol": "BTCUSDT", "strategy_name": "trader"}


class Served(Running):
    """A product with an engine; who asks is `principal`."""

    def __init__(self, parts: Parts, rates: Rates | None = None) -> None:
        super().__init__()
        self.hub = parts.hub
        self.commands = parts.commands
        self.directory = parts.directory
        self.principal: Principal = LOCAL
        rates = rates or Rates(writes_per_s=10_000, reads_per_s=10_000)
        app = Starlette(routes=[Mount("/api", create_rest(self, Turns(), rates))])
        self.app = self._known(app)

    def _known(self, app: ASGIApp) -> ASGIApp:
        async def known(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, PRINCIPAL: self.principal}, receive, send)

        return known

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test/api/")


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with running(tmp_path) as parts:
        yield parts


@pytest.fixture
def served(parts: Parts) -> Served:
    return Served(parts)


@pytest.fixture
async def api(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with served.client() as client:
        yield client


def problem(answer: httpx.Response, status: int, code: str) -> str:
    """See that an answer is an error of the API; give its message."""
    assert answer.status_code == status
    body = answer.json()
    assert set(body) == {"status", "error", "timestamp"}
    assert body["status"] == "error"
    assert body["timestamp"] > 1_700_000_000_000
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["code"] == code
    return body["error"]["message"]


async def made(api: httpx.AsyncClient, **changed: Any) -> httpx.Response:
    return await api.post("runners", json=RUNNER | changed)


async def test_a_runner_is_made_listed_watched_and_removed(
    api: httpx.AsyncClient, parts: Parts
) -> None:
    answer = await made(api, config={"stop_on_error": True, "log_actions": True})
    assert answer.status_code == 201
    assert answer.json() == {
        "runner_id": "one",
        "symbol": "BTCUSDT",
        "message": "the runner is running",
    }
    parts.publish(trade(100.0, ms=1), trade(101.0, ms=2), trade(102.0, ms=3))
    (entry,) = (await api.get("runners")).json()["runners"]
    assert entry["runner_id"] == "one"
    assert (entry["state"], entry["has_position"]) == ("InPosition", True)
    snapshot = (await api.get("runners/one/snapshot")).json()
    assert snapshot["position"]["entry_price"] == 102
    assert (await api.get("runners/one")).json() == snapshot
    assert snapshot["stats"]["ticks_processed"] == 3
    history = (await api.get("runners/one/history?count=2")).json()
    assert [each["close"] for each in history] == [101, 102]
    assert (await api.get("symbols")).json() == {
        "symbols": [{"symbol": "BTCUSDT", "exchange": "CRYPTO", "runners": 1}]
    }
    for name in ("BTCUSDT", "CRYPTO:BTCUSDT"):
        (of_symbol,) = (await api.get(f"symbols/{name}/runners")).json()["runners"]
        assert of_symbol["runner_id"] == "one"
    assert (await api.get("symbols/AAPL/runners")).json() == {"runners": []}
    answer = await api.get("symbols/NOPE/runners")
    assert "'NOPE' is not known" in problem(answer, 400, "INVALID_REQUEST")
    for action, message in (
        ("pause", "the runner is paused"),
        ("pause", "the runner is paused"),
        ("resume", "the runner is running"),
        ("stop", "the runner is stopped"),
    ):
        answer = await api.post(f"runners/one/{action}")
        assert answer.json() == {"success": True, "message": message}
    (closed,) = (await api.get("runners/one/trades")).json()["trades"]
    assert closed["reason"] == "runner stopped"
    answer = await api.delete("runners/one")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.get("runners")).json() == {"runners": []}
    problem(await api.delete("runners/one"), 404, "RUNNER_NOT_FOUND")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"symbol": "NOPE"}, ["'NOPE'", "GET /api/instruments"]),
        ({"runner_id": "a/b"}, ["runner_id='a/b'", "A-Za-z0-9_.-"]),
        ({"runner_id": ".."}, ["runner_id='..'", "not of dots alone"]),
        ({"runner_id": ""}, ["runner_id=''"]),
        ({"runner_id": "x" * 65}, ["runner_id=", "64"]),
        ({"runner_id": "x\n"}, ["runner_id=", "A-Za-z0-9_.-"]),
        ({"runner_id": 5}, ["runner_id=5", "string"]),
        ({"color": "red"}, ["'color'", "allowed: runner_id, symbol, strategy_name"]),
        ({"config": {"stop_at_error": True}}, ["'stop_at_error'", "stop_on_error", "config"]),
        ({"config": {"stop_on_error": "yes"}}, ["config.stop_on_error='yes'", "boolean"]),
        ({"window_size": 0}, ["window_size=0", "greater than or equal to 1"]),
        ({"window_size": 10_001}, ["window_size=10001", "less than or equal to 10000"]),
        ({"window_size": 5.5}, ["window_size=5.5", "integer"]),
        ({"window_size": "100"}, ["window_size='100'", "integer"]),
        ({"capital": 0}, ["capital=0", "greater than 0"]),
        ({"bar": "5 minutes"}, ["bar='5 minutes'", "5m"]),
        ({"version": 0}, ["version=0"]),
        ({"version": 2**40}, ["version="]),
        ({"parameters": {"slow": 1}}, ["'slow'", "any, fast"]),
        ({"parameters": {"fast": 1000}}, ["fast=1000", "from 2 to 50"]),
        ({"parameters": {"fast": "x"}}, ["parameters.fast='x'", "number"]),
        ({"symbol": None}, ["symbol=None", "string"]),
        ({"exchange": "NASDAQ"}, ["'BTCUSDT' on exchange 'NASDAQ'"]),
        ({"exchange": "\ud800"}, ["exchange='\\ud800'"]),
    ],
)
async def test_bad_input_is_named_with_what_is_allowed_and_nothing_is_kept(
    api: httpx.AsyncClient, parts: Parts, changed: dict[str, Any], words: list[str]
) -> None:
    body = json.dumps(RUNNER | changed)
    answer = await api.post("runners", content=body, headers={"Content-Type": "application/json"})
    message = problem(answer, 400, "INVALID_REQUEST")
    assert all(word in message for word in words), message
    assert parts.repository.runners() == []
    assert (await api.get("runners")).json() == {"runners": []}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "body"),
        (b"{", "JSON"),
        (b"[]", "the body"),
        (b'"text"', "the body"),
        (b"\xff\xfe{}", "JSON"),
        (b'{"runner_id":"\xff"}', "UTF-8"),
        (b'{"capital":NaN}', "'runner_id' is missing"),
        (b"[" * 100_000, "JSON"),
        (json.dumps(RUNNER).encode()[:-1] + b',"capital":NaN}', "capital=nan"),
        (json.dumps(RUNNER).encode()[:-1] + b',"capital":1e999}', "capital=inf"),
        (json.dumps(RUNNER).encode()[:-1] + b',"window_size":1' + b"0" * 5000 + b"}", ""),
    ],
)
async def test_a_body_that_is_none_is_refused(
    api: httpx.AsyncClient, parts: Parts, body: bytes, word: str
) -> None:
    answer = await api.post("runners", content=body, headers={"Content-Type": "application/json"})
    assert word in problem(answer, 400, "INVALID_REQUEST")
    assert parts.repository.runners() == []


async def test_an_unknown_strategy_or_version_is_named(api: httpx.AsyncClient) -> None:
    answer = await made(api, strategy_name="nope")
    assert "'nope'" in problem(answer, 404, "STRATEGY_NOT_FOUND")
    assert "1 to 1" in problem(await made(api, version=9), 404, "STRATEGY_NOT_FOUND")


async def test_a_duplicate_is_refused(api: httpx.AsyncClient) -> None:
    assert (await made(api)).status_code == 201
    assert "already" in problem(await made(api), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("runners/one/history?count=0", "count='0'"),
        ("runners/one/history?count=10001", "count='10001'"),
        ("runners/one/history?count=x", "count='x'"),
        ("runners/a%20b", "runner_id='a b'"),
        ("strategies/a%20b", "name='a b'"),
        ("strategies/trader?version=0", "version='0'"),
    ],
)
async def test_a_wrong_path_or_query_is_named(api: httpx.AsyncClient, path: str, word: str) -> None:
    assert word in problem(await api.get(path), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "runners/a/b/c", 404, ""),
        ("GET", "strategies/a/b", 404, ""),
        ("POST", "runners/one/fly", 404, ""),
        ("PUT", "runners", 405, "GET, POST"),
        ("PATCH", "runners/one", 405, "DELETE, GET"),
        ("GET", "runners/one/pause", 405, "POST"),
        ("DELETE", "strategies/trader", 405, "GET"),
    ],
)
async def test_what_is_not_served_is_told_in_the_same_form(
    api: httpx.AsyncClient, method: str, path: str, status: int, allow: str
) -> None:
    answer = await api.request(method, path)
    message = problem(answer, status, "INVALID_REQUEST")
    assert message.startswith(f"{method} /api/{path}")
    if status == 405:
        assert answer.headers["allow"] == allow


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
async def test_an_unknown_runner_is_told(api: httpx.AsyncClient, action: str) -> None:
    for answer in (
        await api.get("runners/nope"),
        await api.get("runners/nope/snapshot"),
        await api.get("runners/nope/history"),
        await api.post(f"runners/nope/{action}"),
        await api.delete("runners/nope"),
    ):
        assert "'nope'" in problem(answer, 404, "RUNNER_NOT_FOUND")


async def test_strategies_are_kept_in_versions(api: httpx.AsyncClient) -> None:
    answer = await api.post("strategies", json={"name": "mine", "code": TRADER})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["name"], told["category"], told["version"]) == ("mine", "custom", 1)
    answer = await api.post("strategies", json={"name": "mine", "code": "idle"})
    assert answer.json()["version"] == 2
    newest = (await api.get("strategies/mine")).json()
    assert (newest["version"], newest["code"], newest["category"]) == (2, "idle", "custom")
    first = (await api.get("strategies/mine?version=1")).json()
    assert (first["code"], set(first["parameters"])) == (TRADER, set(PARAMETERS))
    listed = (await api.get("strategies")).json()["strategies"]
    assert {"name": "mine", "category": "custom", "version": 2} in listed
    assert {"name": "ema_crossover", "category": "examples", "version": 1} in listed
    assert "'nope'" in problem(await api.get("strategies/nope"), 404, "STRATEGY_NOT_FOUND")


async def test_code_that_is_no_strategy_is_not_kept(api: httpx.AsyncClient, parts: Parts) -> None:
    answer = await api.post("strategies", json={"name": "bad", "code": BROKEN})
    assert problem(answer, 400, "STRATEGY_ERROR") == "unexpected symbol near 'broken'"
    answer = await api.post("strategies", json={"name": "ema_crossover", "code": TRADER})
    assert "is an example" in problem(answer, 400, "INVALID_REQUEST")
    assert parts.repository.strategies() == {"trader": 1}
    answer = await api.post("strategies/bad/validate", json={"code": BROKEN})
    assert answer.json() == {
        "valid": False,
        "errors": [{"message": "unexpected symbol near 'broken'", "line": 1}],
        "parameters": {},
    }
    answer = await api.post("strategies/bad/validate", json={"code": TRADER})
    assert answer.json()["valid"] is True


@pytest.mark.parametrize(
    "code", ["x" * (MAX_CODE_BYTES + 1), "ü" * (MAX_CODE_BYTES // 2 + 1), "x" * 1_000_000]
)
async def test_code_is_256_kb_at_most(api: httpx.AsyncClient, parts: Parts, code: str) -> None:
    answer = await api.post("strategies", json={"name": "long", "code": code})
    message = problem(answer, 400, "INVALID_REQUEST")
    assert message.startswith("code")
    assert "256" in message or str(MAX_CODE_BYTES) in message
    assert len(message) < 300
    assert parts.repository.strategies() == {"trader": 1}


async def test_a_body_is_bounded_whether_it_tells_its_length_or_not(
    api: httpx.AsyncClient,
) -> None:
    async def parts_of_it() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b" " * (MAX_BODY_BYTES // 2)

    for content in (b" " * (MAX_BODY_BYTES + 1), parts_of_it()):
        answer = await api.post("strategies", content=content)
        assert str(MAX_BODY_BYTES) in problem(answer, 400, "INVALID_REQUEST")


async def test_to_write_takes_the_scope_trade(api: httpx.AsyncClient, served: Served) -> None:
    served.principal = STRANGER
    for answer in (
        await made(api),
        await api.post("runners/one/stop"),
        await api.delete("runners/one"),
        await api.post("strategies", json={"name": "mine", "code": TRADER}),
        await api.post("strategies/mine/validate", json={"code": TRADER}),
    ):
        assert "'trade'" in problem(answer, 403, "FORBIDDEN")
    for path in ("runners", "symbols", "strategies", "strategies/trader"):
        assert (await api.get(path)).status_code == 200


async def test_who_made_a_runner_is_told(api: httpx.AsyncClient, served: Served) -> None:
    served.principal = Principal(
        user_id="ann", scopes=frozenset({"stream", "trade"}), key_id=1, key_name="laptop"
    )
    await made(api)
    assert (await api.get("runners/one")).json()["created_by"] == "laptop"


async def test_each_address_may_ask_so_often_a_second(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served(parts, Rates(writes_per_s=2, reads_per_s=3))
    now = asyncio.get_running_loop().time()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    async with served.client() as api:
        assert [(await api.get("runners")).status_code for _ in range(3)] == [200] * 3
        answer = await api.get("runners")
        assert "3 reads a second" in problem(answer, 429, "RATE_LIMITED")
        assert answer.headers["retry-after"] == "1"
        assert [(await api.post("runners/x/stop")).status_code for _ in range(2)] == [404] * 2
        assert "2 writes a second" in problem(await made(api), 429, "RATE_LIMITED")
        assert (await api.get("instruments")).status_code == 200
        now += 0.5
        assert [(await made(api)).status_code for _ in range(2)] == [201, 429]
        assert [(await api.get("runners")).status_code for _ in range(2)] == [200, 429]


async def test_what_fails_is_an_error_of_the_engine_and_counted(
    api: httpx.AsyncClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(parts.repository), "strategies", fail)
    message = problem(await api.get("strategies"), 500, "ENGINE_ERROR")
    assert "secret" not in message
    assert parts.hub.failures.by_place == {"engine API": 1}


async def test_health_counts_runners(api: httpx.AsyncClient, parts: Parts) -> None:
    await made(api)
    parts.publish(trade(100.0))
    health = (await api.get("health")).json()
    assert (health["runners_count"], health["healthy_runners"]) == (1, 1)
    assert health["sandbox_lacks"] == []


async def test_the_description_has_every_call_with_examples(api: httpx.AsyncClient) -> None:
    paths = (await api.get("openapi.json")).json()["paths"]
    described = {
        (path, method): call
        for path, calls in paths.items()
        if not path.startswith("/instruments")
        for method, call in calls.items()
    }
    assert set(described) == {
        ("/health", "get"),
        ("/runners", "get"),
        ("/runners", "post"),
        ("/runners/{runner_id}", "get"),
        ("/runners/{runner_id}", "delete"),
        ("/runners/{runner_id}/snapshot", "get"),
        ("/runners/{runner_id}/history", "get"),
        ("/runners/{runner_id}/trades", "get"),
        ("/runners/{runner_id}/pause", "post"),
        ("/runners/{runner_id}/resume", "post"),
        ("/runners/{runner_id}/stop", "post"),
        ("/symbols", "get"),
        ("/symbols/{symbol}/runners", "get"),
        ("/strategies", "get"),
        ("/strategies", "post"),
        ("/strategies/{name}", "get"),
        ("/strategies/{name}/validate", "post"),
    }
    for (path, method), call in described.items():
        answers = call["responses"]
        if path == "/health":
            continue
        assert "422" not in answers
        assert answers["4XX"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/ErrorAnswer"
        }
        done = next(each for each in ("200", "201", "204") if each in answers)
        if method != "delete":
            assert answers[done]["content"]["application/json"]["example"]
