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
from dashboard.endpoints.connections import Connections
from dashboard.endpoints.security import Guard, problem_with
from dashboard.endpoints.shutdown import before_termination
from dashboard.endpoints.stream_server import StreamServer
from dashboard.logs import configure_logging
from dashboard.ui.page_socket import event_failed, guard_socket, only_page_messages, page_failed
from dashboard.ui.pages import instrument, instruments, market, pnl

settings = settings_or_exit()
configure_logging(settings.log_level)
check_feeds_or_exit(settings)
prepare_storage_or_exit(settings)
connections = Connections(limit=settings.max_clients)
allowed_origins = get_config().cors_allowed_origins
stream_server = StreamServer(
    settings,
    refusal=partial(problem_with, hosts=settings.allowed_hosts, origins=allowed_origins),
)


@asynccontextmanager
async def lifespan() -> AsyncGenerator[None]:
    """Run the services; when the process is asked to end, tell every API client first."""
    async with run_services(settings) as running, stream_server.running(running):

        async def farewell() -> None:
            running.hub.close()
            await asyncio.gather(connections.drained(), stream_server.places.drained())

        before_termination(farewell)
        yield


def guarded(inner: ASGIApp) -> ASGIApp:
    """Put the checks around everything, the page's own socket included: Host, Origin, key."""
    return Guard(
        KeyGuard(inner, required=settings.require_key, keys=lambda: services().keys),
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=allowed_origins,
    )


app = rx.App(
    api_transformer=[create_api(connections, stream_server), only_page_messages, guarded],
    frontend_exception_handler=page_failed,
    backend_exception_handler=event_failed,
)
guard_socket(app)
app.register_lifespan_task(lifespan)  # pyright: ignore[reportUnknownMemberType] - its keywords
market.add_page(app)
instruments.add_page(app)
instrument.add_page(app)
pnl.add_page(app)
