"""No secret in any log, whatever fails: a run at the most talkative, with its database lost."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from dashboard.storage.database import FILE_NAME
from tests.integration.raw_client import raw_client
from tests.live_server import LiveServer, free_port, run_keys
from tests.postgres_server import PostgresServer, missing

KNOWN = "p4ss-of-a-database"
GUESSED = "lt_" + "w" * 43
ANYTHING = "any-string-that-is-no-key"
ASKED_S = 30
ANSWERED_S = 0.2
LOST_S = 60
TALKATIVE = {
    "REFLEX_LOGLEVEL": "debug",
    "GRANIAN_LOG_LEVEL": "debug",
    "GRANIAN_LOG_ACCESS_ENABLED": "true",
}


class Run:
    """A product whose database can be lost."""

    def __init__(self, server: LiveServer, lose_database: Callable[[], None]) -> None:
        self.server = server
        self.lose_database = lose_database
        self.stream_url = f"ws://127.0.0.1:{server.settings['DASHBOARD_STREAM_PORT']}"

    @property
    def log(self) -> str:
        return self.server.log.read_text()


@pytest.fixture(params=["sqlite", "postgresql"])
def run(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    for name, value in TALKATIVE.items():
        monkeypatch.setenv(name, value)
    chosen: dict[str, Any] = {
        "data_dir": tmp_path / "data",
        "stream_port": free_port(),
        "require_key": "always",
        "log_level": "debug",
        "redis_url": f"redis://:{KNOWN}@127.0.0.1:9/0",
    }
    with contextlib.ExitStack() as stack:
        if request.param == "postgresql":
            if reason := missing():
                pytest.skip(reason)
            postgres = stack.enter_context(PostgresServer())
            chosen["db_url"] = postgres.url.replace("@", f":{KNOWN}@")
            lose = postgres.stop
        else:

            def lose() -> None:
                with contextlib.closing(sqlite3.connect(tmp_path / "data" / FILE_NAME)) as file:
                    file.execute("DROP TABLE page_session")

        server = stack.enter_context(LiveServer(page=False, **chosen))
        yield Run(server, lose)


async def show_everywhere(run: Run, secret: str) -> list[int]:
    """Show a secret at every door and in every place of a request; give the HTTP statuses."""
    url = run.server.url
    named = secret if secret.startswith("lt_") else "else"  # what is no key has no name to know
    bearer = {"Authorization": f"Bearer {secret}"}
    requests = [
        ("GET", "/api/instruments", bearer),
        ("GET", f"/api/instruments?api_key={secret}", {}),
        ("GET", f"/api/nowhere/{named}", bearer),
        ("GET", f"/sse/NOPE%3Fapi_key={secret}?api_key={secret}", {}),
        ("GET", f"/pnl?api_key={secret}", {"Accept": "text/html"}),
        ("GET", "/", {"Cookie": f"livetape_session={secret}; a=1"}),
        ("GET", f"/ws?api_key={secret}", bearer),
        ("PUT", "/sign-in", bearer),
        ("GET", f"/{named}", {"Host": "evil.example"} | bearer),
        ("GET", "/api/instruments", {"Origin": f"http://{named[:40]}"} | bearer),
    ]
    async with httpx.AsyncClient(timeout=ASKED_S) as client:
        answers = [
            await client.request(method, url + path, headers=headers)
            for method, path, headers in requests
        ]
        form = {"key": secret, "next": f"/?api_key={secret}"}
        answers.append(await client.post(f"{url}/sign-in", data=form))
    page_socket = run.server.ws_url.removesuffix("/ws") + "/_event/?EIO=4&transport=websocket"
    unknown_event = f'42/_event,["event",{{"name":"{secret}","token":"{secret}"}}]'
    authenticate = json.dumps({"action": "authenticate", "api_key": secret})
    for address, said in (
        (f"{run.server.ws_url}?api_key={secret}", f'{{"since":"{secret}"}}'),
        (f"{page_socket}&api_key={secret}", "40/_event,"),
        (f"{page_socket}&api_key={secret}", unknown_event),
        (f"{run.server.ws_url}/openalgo", authenticate),
        (run.stream_url, authenticate),
        (f"{run.stream_url}/ws?api_key={secret}", authenticate),
    ):
        await converse(address, said, bearer)
    async with raw_client(int(run.stream_url.rpartition(":")[2]), path=None) as garbage:
        await garbage.send(f"GET /{secret} HTTP/9\r\nAuthorization: {secret}\r\n\r\n".encode())
        await garbage.hung_up()
    return [answer.status_code for answer in answers]


async def converse(url: str, said: str, headers: dict[str, str]) -> None:
    """Open a WebSocket and say something; to be refused is no error."""
    with contextlib.suppress(WebSocketException, TimeoutError):
        async with connect(url, additional_headers=headers, open_timeout=ASKED_S) as socket:
            await socket.send(said)
            async with asyncio.timeout(ANSWERED_S):
                await socket.recv()


async def test_no_log_of_a_run_holds_a_secret(run: Run) -> None:
    first = (run.server.data_dir / "api-key").read_text().strip()
    other = run_keys(run.server, "create", "robot", "--scope", "trade")
    async with httpx.AsyncClient(base_url=run.server.url) as browser:
        await browser.post("/sign-in", data={"key": first, "next": "/"})
        token = browser.cookies["livetape_session"]
    secrets = (first, other, token, GUESSED, ANYTHING)
    for statuses in await asyncio.gather(*(show_everywhere(run, each) for each in secrets)):
        assert 500 not in statuses
    before = run.log
    assert "request refused" in before  # it does hold what happened
    run.lose_database()
    async with asyncio.timeout(LOST_S):  # what was read a moment ago holds for 2 s
        while 200 in await show_everywhere(run, first):
            pass
    for statuses in await asyncio.gather(*(show_everywhere(run, each) for each in secrets)):
        assert 500 not in statuses
        assert not {200, 303} & set(statuses)
    run.server.stop()
    log = run.log
    assert log[len(before) :].count("API keys cannot be checked") == 1
    assert "Traceback" not in log
    for secret in (*secrets, KNOWN):
        assert secret not in log
