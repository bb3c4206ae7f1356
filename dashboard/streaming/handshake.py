"""The handshakes of the stream server: what a client asks for, and what it is answered."""

from http import HTTPStatus

from picows import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from starlette.datastructures import Headers
from starlette.types import Scope

VERSION = "13"
DEFLATE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
ONE_OF_A_LIST = {"Connection": "upgrade", "Upgrade": "websocket"}
"""Headers that are lists, in one line or in several, and what a handshake has in them."""


def simplify(request: WSUpgradeRequest) -> None:
    """Leave of `Connection` and `Upgrade` what opens a WebSocket, if it is among what they list.

    picows compares the whole of the first such line, and checks it after the request was
    accepted; but Firefox asks to `keep-alive, Upgrade`, and others offer h2c beside.
    """
    for name, wanted in ONE_OF_A_LIST.items():
        lines = request.headers.getall(name, [])
        if wanted in (token.strip(" \t").lower() for line in lines for token in line.split(",")):
            request.headers[name] = wanted


def scope_of(request: WSUpgradeRequest) -> Scope:
    """Describe a handshake as ASGI does; `client` is added once it is known."""
    path, _, query = request.path.partition(b"?")
    headers = [
        (name.lower().encode(), value.encode(errors="replace"))
        for name, value in request.headers.items()
    ]
    return {
        "type": "websocket",
        "path": path.decode(errors="replace"),
        "query_string": query,
        "headers": headers,
    }


def accepted(*, deflate: bool) -> WSUpgradeResponse:
    """Make the answer to who may in; `deflate` says that compression is agreed on."""
    headers = {"Sec-WebSocket-Extensions": DEFLATE} if deflate else None
    return WSUpgradeResponse.create_101_response(headers)


def refused(status: HTTPStatus, problem: str) -> WSUpgradeResponseWithListener:
    """Make the answer to who may not in."""
    response = WSUpgradeResponse.create_error_response(
        status, problem.encode() + b"\n", {"Sec-WebSocket-Version": VERSION}
    )
    return WSUpgradeResponseWithListener(response, None)


def offers_deflate(headers: Headers) -> bool:
    """Tell whether a client offers a compression that we can agree to.

    It is each message for itself; an offer that asks for a smaller window than ours is not taken.
    """
    for header in headers.getlist("sec-websocket-extensions"):
        for offer in header.lower().split(","):
            name, *parameters = (part.strip() for part in offer.split(";"))
            if name == "permessage-deflate" and not any(
                each.startswith("server_max_window_bits") for each in parameters
            ):
                return True
    return False
