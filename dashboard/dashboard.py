"""The application: pages, lifespan and API, wired together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import reflex as rx
from reflex.config import get_config
from starlette.types import ASGIApp

from dashboard.bootstrap import (
    check_feeds_or_exit,
    prepare_storage_or_exit,
    run_services,
    services,
)
from dashboard.config import settings_or_exit
from dashboard.endpoints.access import KeyGuard
from dashboard.endpoints.api import create_api
from dashboard.endpoints.connection_limits import connection_limits
from dashboard.endpoints.connections import Connections
from dashboard.endpoints.security import Guard, problem_with
from dashboard.endpoints.shutdown import before_termination, no_life_after
from dashboard.endpoints.stream_server import StreamServer
from dashboard.endpoints.unfinished import UnfinishedMessages
from dashboard.logs import configure_logging
from dashboard.ui.pages import instrument, instruments, market, pnl

settings = settings_or_exit()
configure_logging(settings.log_level)
check_feeds_or_exit(settings)
prepare_storage_or_exit(settings)
connections = Connections(limit=connection_limits(settings).clients)
allowed_origins = get_config().cors_allowed_origins
stream_server = StreamServer(
    settings,
    refusal=partial(problem_with, hosts=settings.allowed_hosts, origins=allowed_origins),
)


@asynccontextmanager
async def lifespan() -> AsyncGenerator[None]:
    """Run the services; before the process ends, asked to or by an error, tell every API client."""

    async def drained() -> None:
        await asyncio.gather(connections.drained(), stream_server.places.drained())

    async with (
        no_life_after(drained),
        run_services(settings) as running,
        stream_server.running(running),
    ):

        async def farewell() -> None:
            running.hub.close()
            await drained()

        before_termination(farewell)
        yield


def guarded(inner: ASGIApp) -> ASGIApp:
    """Put the checks around everything, the page's own socket included: Host, Origin, key."""
    guard = Guard(
        KeyGuard(inner, required=settings.require_key, keys=lambda: services().keys),
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=allowed_origins,
    )
    return UnfinishedMessages(guard, connections)


app = rx.App(api_transformer=[create_api(connections, stream_server), guarded])
app.register_lifespan_task(lifespan)  # pyright: ignore[reportUnknownMemberType] - its keywords
market.add_page(app)
instruments.add_page(app)
instrument.add_page(app)
pnl.add_page(app)
