"""All that is served beside the pages, put together."""

from starlette.applications import Starlette

from dashboard.access.places import Places
from dashboard.access.turns import Turns
from dashboard.api.engine_gate import Rates
from dashboard.api.metrics import create_registry
from dashboard.api.routes import api_routes
from dashboard.bootstrap.product import Product
from dashboard.streaming.routes import stream_routes
from dashboard.streaming.server import StreamServer


def create_api(product: Product, places: Places, stream_server: StreamServer) -> Starlette:
    """Build it; clients of `/ws` and `/sse` and exports take their places in `places`."""
    turns, web, settings = Turns(), product.web, product.settings
    rates = Rates(
        writes_per_s=settings.api_writes_per_s,
        reads_per_s=settings.api_reads_per_s,
    )
    registry = create_registry(
        web, places, stream_server.places, stream_server.figures, lambda: product.owner.leases_held
    )
    return Starlette(
        routes=[
            *stream_routes(web, places, turns, stream_server),
            *api_routes(web, places, turns, rates, registry),
        ]
    )
