"""`GET /api/export/{table}.{csv|parquet}`: what is known now as a file.

Whoever asks has a place among the connections before anything is read. A few files
at a time are in the making or on their way, since each is held in memory; the next
ones wait, and hold nothing. Nothing is made for one who has left. A file is made in a
worker thread, part by part and one part at a time for all: between two parts the event
loop has the interpreter to itself.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import TypeVar, TypeVarTuple

import anyio
import structlog
from anyio.to_thread import run_sync
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Receive, Scope, Send

from dashboard.access.places import Places
from dashboard.api.tables import TABLES, TABLES_OF_INSTRUMENT, Row, Table
from dashboard.api.writers import FILES, File
from dashboard.bootstrap import Services

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

log = structlog.get_logger(__name__)

NAMES = (*TABLES, *(f"{name}/{{instrument}}" for name in TABLES_OF_INSTRUMENT))
ALLOWED = f"{', '.join(NAMES)}; each as .{' or .'.join(FILES)}"
AT_ONCE = 4
"""Files that are in the making or on their way."""
PART_ROWS = 500
"""Rows that the worker thread handles before the event loop has its turn."""
SEND_TIMEOUT_S = 120.0
"""How long a client may take to read its file."""
MAX_NAMED = 200
"""Characters of a path that an error repeats."""
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
"""What no file name should have."""


class Exports:
    """The exports of one server; who asks takes a place in `connections`."""

    def __init__(self, connections: Places, *, send_timeout_s: float = SEND_TIMEOUT_S) -> None:
        self._connections = connections
        self._places = asyncio.Semaphore(AT_ONCE)
        self._worker = anyio.CapacityLimiter(1)
        self._send_timeout_s = send_timeout_s

    async def serve(
        self, running: Services, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer with a table; 404 names what there is, 503 says that all places are taken.

        `path` is `{table}.{form}`, the table itself may contain slashes and points.
        HEAD gets the headers alone.
        """
        if not self._connections.admit():
            refusal = f"All {self._connections.limit} places are taken\n"
            await PlainTextResponse(refusal, status_code=503)(scope, receive, send)
            return
        try:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(
                    self._serve(running, path, scope, receive, send), name="export"
                )
                leaving = group.create_task(_leave(receive), name="export's client")
                await asyncio.wait((serving, leaving), return_when=asyncio.FIRST_COMPLETED)
                serving.cancel()
                leaving.cancel()
        finally:
            self._connections.release()

    async def _serve(
        self, running: Services, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        name, _, form = path.rpartition(".")
        async with self._places:
            table = _table(running, name) if form in FILES else None
            if table is None:
                problem = {"error": f"There is no {path[:MAX_NAMED]!r}", "allowed": ALLOWED}
                await JSONResponse(problem, HTTPStatus.NOT_FOUND)(scope, receive, send)
                return
            headers = _headers(name, form)
            pieces: Sequence[bytes] = ()
            if scope["method"] != "HEAD":
                pieces = await self._make(table, form)
                headers["content-length"] = str(sum(map(len, pieces)))
            try:
                async with asyncio.timeout(self._send_timeout_s):
                    await _send(pieces, headers, send)
            except TimeoutError:
                seconds = self._send_timeout_s
                log.warning("export given up", path=path[:MAX_NAMED], after_s=seconds)

    async def _make(self, table: Table, form: str) -> Sequence[bytes]:
        """Make a file in the worker thread, where the rows are read too."""
        file = await self._work(FILES[form].make, table.columns)
        while await self._work(_write_part, file, table.rows):
            pass
        return await self._work(file.finish)

    async def _work(self, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        return await run_sync(work, *arguments, limiter=self._worker)


def _write_part(file: File, rows: Iterator[Row]) -> bool:
    """Write the next rows; tell whether there were any."""
    part = list(islice(rows, PART_ROWS))
    if part:
        file.write(part)
    return bool(part)


async def _send(pieces: Sequence[bytes], headers: MutableHeaders, send: Send) -> None:
    """Send a file piece by piece, each when the client has taken those before."""
    await send({"type": "http.response.start", "status": 200, "headers": headers.raw})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def _leave(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass  # a body, which means nothing here


def _headers(name: str, form: str) -> MutableHeaders:
    now = datetime.fromtimestamp(time.time_ns() // 1_000_000_000, UTC)
    file = f"livetape-{UNSAFE.sub('-', name)}-{now:%Y%m%dT%H%M%SZ}.{form}"
    return MutableHeaders(
        {
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="{file}"',
            "content-type": FILES[form].media_type,
        }
    )


def _table(running: Services, name: str) -> Table | None:
    """Begin a table; None when there is none of this name, or no such instrument."""
    if name in TABLES:
        return TABLES[name](running)
    for kind, read in TABLES_OF_INSTRUMENT.items():
        if name.startswith(f"{kind}/"):
            instrument = running.directory.find(name.removeprefix(f"{kind}/"))
            return None if instrument is None else read(running, instrument)
    return None
