"""Who may change runners from where, and pages of another port, as in development."""

from collections.abc import Iterator

import httpx
import pytest

from tests.live_server import LiveServer, run_keys

PAGE = "http://localhost:3123"
PROXIED = {"X-Forwarded-For": "203.0.113.7"}
RUNNER = {"runner_id": "one", "symbol": "BTC/USD", "strategy_name": "ema_crossover"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    data_dir = tmp_path_factory.mktemp("access") / "data"
    changed = {"allowed_origins": PAGE, "api_writes_per_s": 20}
    with LiveServer(page=False, data_dir=data_dir, **changed) as running:
        yield running


@pytest.fixture
def api(product: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{product.port}/api", timeout=30) as client:
        yield client
        client.delete("/runners/one")


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/runners"),
        ("POST", "/runners/one/pause"),
        ("DELETE", "/runners/one"),
        ("POST", "/strategies"),
        ("POST", "/strategies/one/validate"),
    ],
)
def test_a_page_of_another_port_may_write_after_a_preflight(
    api: httpx.Client, method: str, path: str
) -> None:
    asked = {
        "Origin": PAGE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type, authorization",
    }
    preflight = api.options(path, headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert method in preflight.headers["access-control-allow-methods"]
    assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
    foreign = api.options(path, headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers


def test_such_a_page_reads_answers_and_errors(api: httpx.Client) -> None:
    page = {"Origin": PAGE}
    assert api.post("/runners", json=RUNNER, headers=page).status_code == 201
    for answer in (
        api.get("/runners", headers=page),
        api.post("/runners", json=RUNNER, headers=page),
        api.get("/runners/two", headers=page),
        api.delete("/runners/one", headers=page),
    ):
        assert answer.headers["access-control-allow-origin"] == PAGE


def test_a_foreign_page_changes_nothing(api: httpx.Client) -> None:
    answer = api.post("/runners", json=RUNNER, headers={"Origin": "https://evil.example"})
    assert code(answer) == (403, "FORBIDDEN")
    assert api.get("/runners").json() == {"runners": []}


def test_from_elsewhere_writing_takes_a_key_with_the_scope(
    api: httpx.Client, product: LiveServer
) -> None:
    assert code(api.post("/runners", json=RUNNER, headers=PROXIED)) == (401, "UNAUTHORIZED")
    assert code(api.get("/runners", headers=PROXIED)) == (401, "UNAUTHORIZED")
    reader = run_keys(product, "create", "reader")
    reading = PROXIED | {"Authorization": f"Bearer {reader}"}
    assert api.get("/runners", headers=reading).is_success
    assert code(api.post("/runners", json=RUNNER, headers=reading)) == (403, "FORBIDDEN")
    assert code(api.delete("/runners/one", headers=reading)) == (403, "FORBIDDEN")
    trader = run_keys(product, "create", "trader", "--scope", "stream", "--scope", "trade")
    trading = PROXIED | {"Authorization": f"Bearer {trader}"}
    assert api.post("/runners", json=RUNNER, headers=trading).status_code == 201
    assert api.get("/runners/one").json()["created_by"] == "trader"
    other = run_keys(product, "create", "other", "--scope", "stream", "--scope", "trade")
    removing = PROXIED | {"Authorization": f"Bearer {other}"}
    assert api.delete("/runners/one", headers=removing).status_code == 204


def test_an_address_that_writes_too_often_is_told_when_to_come_again(api: httpx.Client) -> None:
    answers = [api.post("/runners/none/stop") for _ in range(200)]
    refused = next(each for each in answers if each.status_code == 429)
    assert code(refused) == (429, "RATE_LIMITED")
    assert refused.headers["retry-after"] == "1"
    assert "20 writes a second" in refused.json()["error"]["message"]
