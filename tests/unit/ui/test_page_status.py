import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dashboard.core.instruments import Instrument
from dashboard.ui.page_status import with_status

KNOWN = Instrument(symbol="BTC/USD", exchange="CRYPTO", tick_size=0.01)
NAMES = {"BTC/USD", "CRYPTO:BTC/USD"}


async def page(request: Request) -> Response:
    """Answer as the server of the built pages: one file, known by its tag."""
    known = request.headers.get("if-none-match") == '"tag"'
    return Response(status_code=304) if known else HTMLResponse("page", headers={"ETag": '"tag"'})


async def answer(path: str, method: str = "GET", **headers: str) -> httpx.Response:
    served = Starlette(routes=[Route("/{path:path}", page)])
    app = with_status(served, find=lambda name: KNOWN if name in NAMES else None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://testserver"
    ) as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/instruments/NONE", "/instruments/CRYPTO:NO%2FSUCH", "/instruments/CRYPTO:"]
)
async def test_the_page_of_an_unknown_instrument_is_not_found(path: str, method: str) -> None:
    found = await answer(path, method)
    assert (found.status_code, found.headers["cache-control"]) == (404, "no-store")
    assert found.text == ("page" if method == "GET" else "")


@pytest.mark.parametrize(
    "path",
    ["/", "/instruments", "/instruments/", "/instruments/BTC/USD", "/instruments/CRYPTO:BTC%2FUSD"],
)
async def test_other_pages_have_the_status_that_they_had(path: str) -> None:
    found = await answer(path)
    assert found.status_code == 200
    assert "cache-control" not in found.headers


async def test_a_browser_that_kept_the_page_is_told_that_the_instrument_is_gone() -> None:
    assert (await answer("/instruments/BTC/USD", **{"If-None-Match": '"tag"'})).status_code == 304
    assert (await answer("/instruments/NONE", **{"If-None-Match": '"tag"'})).status_code == 404
