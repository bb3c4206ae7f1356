"""`GET /api/export/{table}.{csv|parquet}`: what is known now as a file.

The services are read on the event loop, which copies plain columns; pandas
makes the file in a worker thread, two at a time.
"""

import re
import time
from datetime import UTC, datetime
from http import HTTPStatus

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboard.bootstrap import Services, services
from dashboard.endpoints.tables import TABLES, TABLES_OF_INSTRUMENT, Table
from dashboard.endpoints.writers import WRITERS

NAMES = (*TABLES, *(f"{name}/{{instrument}}" for name in TABLES_OF_INSTRUMENT))
ALLOWED = f"{', '.join(NAMES)}; each as .{' or .'.join(WRITERS)}"
CONCURRENT = 2
MAX_NAMED = 200
"""Characters of a path that an error repeats."""
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
"""What no file name should have."""

_places = anyio.CapacityLimiter(CONCURRENT)


async def export(request: Request) -> Response:
    """Answer with a table; 404 names what there is.

    The path is `{table}.{form}`, the table itself may contain slashes and points.
    """
    path: str = request.path_params["name"]
    name, _, form = path.rpartition(".")
    table = await _table(services(), name) if form in WRITERS else None
    if table is None:
        problem = {"error": f"There is no {path[:MAX_NAMED]!r}", "allowed": ALLOWED}
        return JSONResponse(problem, HTTPStatus.NOT_FOUND)
    media_type, write = WRITERS[form]
    body = await run_sync(write, table, limiter=_places)
    now = datetime.fromtimestamp(time.time_ns() // 1_000_000_000, UTC)
    file = f"livetape-{UNSAFE.sub('-', name)}-{now:%Y%m%dT%H%M%SZ}.{form}"
    return Response(
        body,
        media_type=media_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{file}"',
        },
    )


async def _table(running: Services, name: str) -> Table | None:
    """Read a table; None when there is none of this name, or no such instrument."""
    if name in TABLES:
        return TABLES[name](running)
    for kind, read in TABLES_OF_INSTRUMENT.items():
        if name.startswith(f"{kind}/"):
            instrument = await running.open(name.removeprefix(f"{kind}/"))
            return None if instrument is None else read(running, instrument)
    return None
