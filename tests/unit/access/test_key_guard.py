from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import structs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Scope
from starlette.websockets import WebSocket

from dashboard.access.key_guard import KeyCheck, KeyGuard, problem_with_key
from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.principals import principal_of
from dashboard.config import RequireKey
from dashboard.core.principal import LOCAL, NOBODY, SCOPES, STRANGER, Principal
from dashboard.storage.api_keys import ApiKeys, create_key
from dashboard.storage.database import migrate, open_database
from dashboard.storage.repository import Repository
from tests.unit.clocks import Clocks

LOCAL_ADDRESS, FOREIGN = "127.0.0.1", "203.0.113.7"
PAGE = {"Accept": "text/html"}


class Client(httpx.AsyncClient):
    """An HTTP client that seems to come from an address, and opens WebSockets too."""

    def __init__(self, app: ASGIApp, address: str) -> None:
        self.app = app
        self.address = (address, 1)
        transport = httpx.ASGITransport(app, client=self.address)
        super().__init__(transport=transport, base_url="http://testserver")

    async def socket(self, path: str, headers: dict[str, str]) -> int:
        """Give 101 when a WebSocket opens and serves, or the status that refused it."""
        request = self.build_request("GET", path, headers=headers)
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: Scope = {
            "type": "websocket",
            "path": request.url.path,
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self.address,
            "extensions": {"websocket.http.response": {}},
        }
        await self.app(scope, receive, send)
        if sent[0]["type"] == "websocket.accept":
            assert sent[1]["text"] == "in"
            return 101
        return sent[0]["status"]


class Product:
    """A guarded app that notes what reaches it, and the keys that open it."""

    def __init__(self, repository: Repository) -> None:
        self.clock = Clocks()
        self.keys = ApiKeys(repository, clock=self.clock.wall, monotonic=self.clock.monotonic)
        self.key = create_key(repository, "laptop", now=1)
        self.trade_key = create_key(repository, "robot", now=2, scopes=["trade"])
        self.repository = repository
        self.connections = KeyedConnections()
        self.seen: list[str] = []
        self.principals: list[Principal] = []

        async def page(request: Request) -> Response:
            self.principals.append(principal_of(request.scope))
            self.seen.append(str((request.url, request.headers)))
            return PlainTextResponse("in")

        async def socket(socket: WebSocket) -> None:
            self.principals.append(principal_of(socket.scope))
            self.seen.append(str((socket.url, socket.headers)))
            await socket.accept()
            await socket.send_text("in")

        self.app = Starlette(
            routes=[WebSocketRoute("/ws", socket), Route("/{path:path}", page, methods=["GET"])]
        )

    def client(self, address: str = FOREIGN, required: RequireKey = "auto") -> Client:
        """Give a client that seems to come from this address."""
        guard = KeyGuard(
            self.app, required=required, keys=lambda: self.keys, connections=self.connections
        )
        return Client(guard, address)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    engine = open_database(f"sqlite:///{tmp_path / 'livetape.db'}")
    migrate(engine)
    repository = Repository(engine)
    yield Product(repository)
    repository.close()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("required", "address", "headers", "needed"),
    [
        ("auto", LOCAL_ADDRESS, {}, False),
        ("auto", "::1", {}, False),
        ("auto", LOCAL_ADDRESS, {"X-Forwarded-For": "10.0.0.1"}, True),
        ("auto", LOCAL_ADDRESS, {"Forwarded": "for=127.0.0.1"}, True),
        ("auto", LOCAL_ADDRESS, {"X-Forwarded-Server": "a"}, True),
        ("auto", LOCAL_ADDRESS, {"Via": "1.1 a"}, True),
        ("auto", FOREIGN, {}, True),
        ("auto", FOREIGN, {"X-Forwarded-For": "127.0.0.1"}, True),
        ("always", LOCAL_ADDRESS, {}, True),
        ("always", FOREIGN, {}, True),
        ("never", LOCAL_ADDRESS, {}, False),
        ("never", FOREIGN, {}, False),
        ("never", LOCAL_ADDRESS, {"X-Forwarded-For": "10.0.0.1"}, False),
    ],
)
async def test_who_needs_a_key(
    product: Product,
    required: RequireKey,
    address: str,
    headers: dict[str, str],
    needed: bool,
) -> None:
    client = product.client(address, required)
    expected = 401 if needed else 200
    assert (await client.get("/api/instruments", headers=headers)).status_code == expected
    assert (await client.get("/metrics", headers=headers)).status_code == expected
    assert await client.socket("/ws", headers) == (401 if needed else 101)
    assert (await client.get("/api/health", headers=headers)).status_code == 200
    with_key = headers | bearer(product.key)
    assert (await client.get("/api/instruments", headers=with_key)).status_code == 200
    assert await client.socket("/ws", with_key) == 101
    assert await client.socket(f"/ws?api_key={product.key}", headers) == 101
    assert (await client.get(f"/sse/A?api_key={product.key}", headers=headers)).status_code == 200


async def test_a_refusal_says_what_to_do(product: Product) -> None:
    answer = await product.client().get("/api/instruments")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.text.startswith("an API key is needed: send 'Authorization: Bearer KEY'")
    assert product.seen == []


@pytest.mark.parametrize("path", ["/api/health/", "/api/health/x", "//api/health", "/x/api/health"])
async def test_nothing_beside_health_is_open(product: Product, path: str) -> None:
    assert (await product.client().get("http://testserver" + path)).status_code == 401
    assert product.seen == []


async def test_a_key_without_the_scope_is_refused(product: Product) -> None:
    answer = await product.client().get("/api/instruments", headers=bearer(product.trade_key))
    assert answer.status_code == 401
    assert "without the scope 'stream'" in answer.text
    for n in range(12):
        await product.client().get("/api/instruments", headers=bearer(f"lt_wrong{n}"))
    answer = await product.client().get("/api/instruments", headers=bearer(product.trade_key))
    assert answer.status_code == 401  # not for what others have shown


async def test_a_wrong_key_is_refused_and_said_nowhere(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "lt_" + "x" * 43
    client = product.client()
    answers = [
        await client.get("/api/instruments", headers=bearer(wrong)),
        await client.get(f"/sse/A?api_key={wrong}"),
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert product.seen == []
    logged = capsys.readouterr()
    assert "API key refused" in logged.out + logged.err
    assert wrong not in logged.out + logged.err + "".join(answer.text for answer in answers)


async def test_a_key_in_the_address_opens_no_other_path(product: Product) -> None:
    assert (await product.client().get(f"/api/x?api_key={product.key}")).status_code == 401


@pytest.mark.parametrize("address", [LOCAL_ADDRESS, FOREIGN])
async def test_a_key_goes_no_further_than_the_guard(product: Product, address: str) -> None:
    client = product.client(address)
    client.cookies.set("livetape_session", product.key)
    assert (await client.get("/api/x?a=1", headers=bearer(product.key))).status_code == 200
    assert (await client.get(f"/sse/A?api_key={product.key}&a=1")).status_code == 200
    assert await client.socket(f"/ws?api_key={product.key}&a=1", {}) == 101
    assert len(product.seen) == 3
    assert all("a=1" in seen and product.key not in seen for seen in product.seen)


async def test_a_preflight_needs_no_key(product: Product) -> None:
    client = product.client()
    asked = {"Origin": "http://testserver", "Access-Control-Request-Method": "GET"}
    assert (
        await client.options("/api/x", headers=asked)
    ).status_code == 405  # the app's own answer
    assert (await client.options("/api/x")).status_code == 401
    assert (await client.get("/api/x", headers=asked)).status_code == 401


async def test_too_many_wrong_keys_are_refused_by_address(product: Product) -> None:
    client = product.client()
    wrong = bearer("lt_wrong")
    statuses = [(await client.get("/api/x", headers=wrong)).status_code for _ in range(12)]
    assert statuses == [401] * 9 + [429] * 3
    refused = await client.get("/api/x", headers=wrong)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "6")
    product.clock.set_wall(seconds=-7200)
    assert (await client.get("/api/x", headers=wrong)).headers["retry-after"] == "6"
    product.clock.advance(seconds=12)
    assert (await client.get("/api/x", headers=wrong)).status_code == 401


async def test_the_trading_engine_is_refused_in_the_form_of_its_errors(product: Product) -> None:
    client = product.client()
    answers = [await client.get("/api/runners")]
    answers += [await client.get("/api/runners", headers=bearer("lt_wrong")) for _ in range(10)]
    codes = [(each.status_code, each.json()["error"]["code"]) for each in answers]
    assert codes[:2] == [(401, "UNAUTHORIZED")] * 2
    assert codes[-1] == (429, "RATE_LIMITED")
    assert answers[-1].headers["retry-after"] == "6"
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert "an API key is needed" in answers[0].json()["error"]["message"]


async def test_a_valid_key_gets_in_whatever_others_of_its_address_show(product: Product) -> None:
    client = product.client()
    for n in range(40):
        assert not (await client.get("/api/x", headers=bearer(f"lt_wrong{n}"))).is_success
        assert (await client.get("/api/x", headers=bearer(product.key))).is_success
        assert await client.socket("/ws", bearer("lt_stale")) in {401, 429}
        assert await client.socket(f"/ws?api_key={product.key}", {}) == 101
        assert (await sign_in(client, "lt_stale")).status_code in {401, 429}
        assert (await sign_in(client, product.key)).status_code == 303
        client.cookies.clear()
        product.clock.advance(seconds=1)
    assert product.keys.retry_after_s(FOREIGN) > 0


async def test_behind_a_local_proxy_clients_are_limited_apart(product: Product) -> None:
    client = product.client(LOCAL_ADDRESS)
    for n in range(12):
        forwarded = {"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.7"}
        await client.get("/api/x", headers=bearer("lt_wrong") | forwarded)
    for last, status in (("203.0.113.7", 429), ("203.0.113.8", 401)):
        headers = bearer("lt_wrong") | {"X-Forwarded-For": last}
        assert (await client.get("/api/x", headers=headers)).status_code == status


async def test_without_a_database_nobody_gets_in(product: Product, tmp_path: Path) -> None:
    product.repository.close()
    (tmp_path / "livetape.db").write_text("no database" * 1000)
    answer = await product.client().get("/api/x", headers=bearer(product.key))
    assert (answer.status_code, answer.text) == (503, "API keys cannot be checked at the moment\n")
    assert (await product.client(LOCAL_ADDRESS).get("/api/x")).is_success


def laptop(*, is_local: bool) -> Principal:
    scopes = SCOPES if is_local else ("stream",)
    return Principal(
        user_id="owner",
        scopes=frozenset(scopes),
        key_id=1,
        key_name="laptop",
        is_local=is_local,
    )


@pytest.mark.parametrize(
    ("required", "address", "without_key", "with_key"),
    [
        ("auto", LOCAL_ADDRESS, LOCAL, laptop(is_local=True)),
        ("auto", FOREIGN, None, laptop(is_local=False)),
        ("always", LOCAL_ADDRESS, None, laptop(is_local=False)),
        ("always", FOREIGN, None, laptop(is_local=False)),
        ("never", LOCAL_ADDRESS, LOCAL, laptop(is_local=True)),
        ("never", FOREIGN, STRANGER, laptop(is_local=False)),
    ],
)
async def test_a_handler_is_told_who_asks(
    product: Product,
    required: RequireKey,
    address: str,
    without_key: Principal | None,
    with_key: Principal,
) -> None:
    client = product.client(address, required)
    told = product.principals
    await client.get("/api/x")
    await client.socket("/ws", {})
    assert told == ([without_key] * 2 if without_key else [])
    told.clear()
    await client.get("/api/x", headers=bearer(product.key))
    await client.get(f"/sse/A?api_key={product.key}")
    await client.socket(f"/ws?api_key={product.key}", {})
    await sign_in(client, product.key)
    await client.get("/pnl")
    await client.socket("/ws", {})
    assert [structs.replace(each, session=None) for each in told] == [with_key] * 5
    assert [each.session is not None for each in told] == [False] * 3 + [True] * 2


async def test_whose_protocol_asks_for_the_key_is_nobody_yet(product: Product) -> None:
    for path in ("/ws/openalgo", "/api/health"):
        await product.client().get(path)
        await product.client(LOCAL_ADDRESS).get(path)
    assert product.principals == [NOBODY, LOCAL] * 2


async def test_a_wrong_key_makes_nobody_of_who_needs_none(product: Product) -> None:
    for _ in range(12):
        answer = await product.client(LOCAL_ADDRESS).get("/api/x", headers=bearer("lt_wrong"))
        assert answer.is_success
    assert product.principals == [LOCAL] * 12


async def test_a_handshake_of_another_server_is_told_who_asks(product: Product) -> None:
    check = KeyCheck(required="auto", keys=lambda: product.keys)
    scope: Scope = {"type": "websocket", "path": "/ws", "headers": [], "client": (FOREIGN, 1)}
    assert "an API key is needed" in str(await problem_with_key(check, scope))
    assert principal_of(scope) == NOBODY
    scope["query_string"] = f"api_key={product.key}".encode()
    assert await problem_with_key(check, scope) is None
    assert principal_of(scope) == laptop(is_local=False)


async def sign_in(client: Client, key: str, path: str = "/pnl", **headers: str) -> Any:
    return await client.post("/sign-in", data={"key": key, "next": path}, headers=headers)


async def test_a_browser_is_asked_for_a_key_once(product: Product) -> None:
    client = product.client()
    asked = await client.get("/pnl", headers=PAGE)
    assert asked.status_code == 401
    assert '<form method="post" action="/sign-in">' in asked.text
    assert 'value="/pnl"' in asked.text
    assert "www-authenticate" not in asked.headers
    answer = await sign_in(client, product.key)
    assert (answer.status_code, answer.headers["location"]) == (303, "/pnl")
    cookie = answer.headers["set-cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert product.key not in cookie
    assert (await client.get("/pnl", headers=PAGE)).text == "in"
    assert await client.socket("/ws", {}) == 101


async def test_a_session_ends_with_its_key(product: Product) -> None:
    client = product.client()
    await sign_in(client, product.key)
    assert (await client.get("/", headers=PAGE)).is_success
    product.repository.revoke("laptop", now=3)
    product.clock.advance(seconds=3)
    assert (await client.get("/", headers=PAGE)).status_code == 401


async def test_signing_out_ends_the_session_and_its_open_pages(product: Product) -> None:
    client, other = product.client(), product.client()
    await sign_in(client, product.key)
    await sign_in(other, product.key)
    assert await client.socket("/ws", {}) == 101
    ended: list[str] = []
    for name, each in (("its page", client), ("another's", other)):
        await each.get("/", headers=PAGE)
        product.connections.enter(name, product.principals[-1], partial(ended.append, name))
    stolen = dict(client.cookies)
    answer = await client.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert ended == ["its page"]
    assert (await client.get("/", headers=PAGE)).status_code == 401
    client.cookies.update(stolen)
    assert (await client.get("/", headers=PAGE)).status_code == 401, "wherever the cookie went"
    assert (await other.get("/", headers=PAGE)).is_success


async def test_who_has_no_session_signs_out_of_nothing(product: Product) -> None:
    client = product.client()
    assert (await client.post("/sign-out")).status_code == 303
    assert (await client.get("/sign-out")).status_code == 405
    client.cookies.set("livetape_session", "x" * 43)
    assert (await client.post("/sign-out")).status_code == 303


async def test_the_font_of_the_sign_in_needs_no_key(product: Product) -> None:
    assert (await product.client().get("/fonts/inter-latin.woff2")).text == "in"
    assert (await product.client().get("/fonts/other.woff2")).status_code == 401


async def test_over_https_the_cookie_stays_there(product: Product) -> None:
    answer = await sign_in(product.client(), product.key, **{"X-Forwarded-Proto": "https"})
    assert answer.headers["set-cookie"].endswith("; Secure")


async def test_a_wrong_key_gets_the_form_again(product: Product) -> None:
    client = product.client()
    answers = [await sign_in(client, "<wrong>") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 9 + [429] * 2
    assert "This key does not hold" in answers[0].text
    assert "Try again in 6 s" in answers[-1].text
    assert all("set-cookie" not in answer.headers for answer in answers)
    assert all("wrong>" not in answer.text for answer in answers)


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "", "/\r\nX: y", "/sign-in"],
)
async def test_signing_in_leads_to_no_other_site(product: Product, path: str) -> None:
    answer = await sign_in(product.client(), product.key, path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_the_form_shows_nothing_as_markup(product: Product) -> None:
    answer = await product.client().get('/"><script>alert(1)</script>', headers=PAGE)
    assert "<script" not in answer.text


async def test_a_form_that_is_too_large_is_not_read(product: Product) -> None:
    assert (await sign_in(product.client(), "x" * 10_000)).status_code == 413


async def test_the_form_is_posted(product: Product) -> None:
    assert (await product.client().get("/sign-in")).status_code == 401
    answer = await product.client().put("/sign-in")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
