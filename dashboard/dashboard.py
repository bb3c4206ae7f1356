"""The application: pages, lifespan and API, wired together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import reflex as rx
from reflex import constants
from reflex.config import environment, get_config
from reflex.utils.exec import is_prod_mode
from reflex.utils.prerequisites import get_web_dir
from starlette.types import ASGIApp

from dashboard.access.connection_limits import connection_limits
from dashboard.access.key_guard import KeyGuard
from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.origins import Guard, problem_with
from dashboard.access.places import Places
from dashboard.access.response_headers import Policy, ResponseHeaders, inline_scripts
from dashboard.access.unfinished import UnfinishedMessages
from dashboard.bootstrap.checks import check_feeds_or_exit, prepare_storage_or_exit
from dashboard.bootstrap.product import Product
from dashboard.config import settings_or_exit
from dashboard.logs import configure_logging
from dashboard.routes import create_api
from dashboard.streaming.server import StreamServer
from dashboard.streaming.shutdown import before_termination, no_life_after
from dashboard.ui import bridge
from dashboard.ui.page_socket import event_failed, guard_socket, only_page_messages, page_failed
from dashboard.ui.page_status import with_status
from dashboard.ui.pages import instrument, instruments, lost, market, pnl, runners

settings = settings_or_exit()
configure_logging(settings.log_level, secrets=settings.secrets)
check_feeds_or_exit(settings)
prepare_storage_or_exit(settings)
product = Product(settings)
keyed = KeyedConnections()
places = Places(limit=connection_limits(settings).clients)
allowed_origins = get_config().cors_allowed_origins
stream_server = StreamServer(
    settings,
    clients=places,
    refusal=partial(problem_with, hosts=settings.allowed_hosts, origins=allowed_origins),
    keyed=keyed,
)


@asynccontextmanager
async def lifespan() -> AsyncGenerator[None]:
    """Run the product; before the process ends, asked to or by an error, tell every API client."""

    async def drained() -> None:
        await asyncio.gather(places.drained(), stream_server.places.drained())

    async with (
        no_life_after(drained),
        product.running(),
        keyed.following(product.hub, product.web.keys.watch),
        stream_server.running(product.web),
    ):

        async def farewell() -> None:
            product.hub.close()
            await drained()

        before_termination(farewell)
        yield


def guarded(inner: ASGIApp) -> ASGIApp:
    """Put the checks around everything, the page's own socket included: Host, Origin, key."""
    key_guard = KeyGuard(
        inner,
        required=settings.key_rule,
        keys=lambda: product.web.keys,
        connections=keyed,
    )
    guard = Guard(
        key_guard,
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=allowed_origins,
        framed=bool(settings.frame_ancestors),
    )
    headed = ResponseHeaders(guard, policy=page_policy())
    return UnfinishedMessages(headed, places)


def page_policy() -> Policy | None:
    """Give the policy of the built pages; `make dev` builds none."""
    if not is_prod_mode():
        return None
    serves_pages = environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.get()
    built = get_web_dir() / constants.Dirs.STATIC
    return Policy(
        scripts=inline_scripts(built) if serves_pages else (),
        frame_ancestors=settings.frame_ancestors,
    )


app = rx.App(
    api_transformer=[
        create_api(product, places, stream_server),
        only_page_messages,
        partial(with_status, find=bridge.find),
        guarded,
    ],
    frontend_exception_handler=page_failed,
    backend_exception_handler=event_failed,
)
guard_socket(app)
bridge.serve(product.web)
app.register_lifespan_task(lifespan)  # pyright: ignore[reportUnknownMemberType] - its keywords
market.add_page(app)
instruments.add_page(app)
instrument.add_page(app)
pnl.add_page(app)
runners.add_page(app)
lost.add_page(app)
