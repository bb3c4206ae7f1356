"""What a request shows to be let in, and from where it comes. Pure.

A request that came through a proxy is told by the headers that proxies add, and by
HTTP/1.0, which proxies still speak to those behind them when they are told nothing else.
"""

from urllib.parse import parse_qsl, unquote_plus

from starlette.datastructures import Headers
from starlette.types import Scope

from dashboard.core.hosts import is_loopback, parse_address

SESSION_COOKIE = "livetape_session"
KEY_PARAMETER = "api_key"
PROXY_HEADERS = frozenset(
    {
        b"cf-connecting-ip",
        b"forwarded",
        b"true-client-ip",
        b"via",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-original-forwarded-for",
        b"x-real-ip",
    }
)
"""And all that begin with X-Forwarded."""
UNKNOWN = "unknown"
OLD_VERSIONS = frozenset({"0.9", "1", "1.0"})


def is_local(scope: Scope) -> bool:
    """Tell whether a request is this machine's own, and nothing says that it was passed on."""
    return is_loopback(_peer(scope)) and not _is_passed_on(scope)


def client_address(scope: Scope) -> str:
    """Give the address whose failures count.

    Behind a proxy on this machine that is the last of X-Forwarded-For, which the
    proxy itself has added; all before it may be invented by the client. What is no
    address there counts for the proxy; who has none at all, for all of its kind.
    """
    peer = _peer(scope) or UNKNOWN
    forwarded = Headers(scope=scope).getlist("x-forwarded-for")
    if forwarded and is_loopback(peer):
        nearest = parse_address(forwarded[-1].rpartition(",")[2])
        return peer if nearest is None else str(nearest)
    return peer


def shown_key(scope: Scope) -> str | None:
    """Give the key that a request shows.

    As `Authorization: Bearer`, or as `?api_key=` where a browser can send no
    header: for a WebSocket and for an event stream under `/sse/`.
    """
    kind, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return key.strip()
    if scope["type"] == "websocket" or scope["path"].startswith("/sse/"):
        query = scope.get("query_string", b"").decode("latin-1")
        return next((value for name, value in parse_qsl(query) if name == KEY_PARAMETER), None)
    return None


def shown_session(scope: Scope) -> str | None:
    """Give the token of the page session that a request shows."""
    for header in Headers(scope=scope).getlist("cookie"):
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == SESSION_COOKIE:
                return value
    return None


def without_credentials(scope: Scope) -> Scope:
    """Give a request's scope without what it showed, so that nothing behind can log or keep it."""
    headers: list[tuple[bytes, bytes]] = []
    for name, value in scope["headers"]:
        if name == b"authorization":
            continue
        kept = _without_session(value) if name == b"cookie" else value
        if kept or name != b"cookie":
            headers.append((name, kept))
    pairs = scope.get("query_string", b"").split(b"&")
    query = b"&".join(pair for pair in pairs if not _shows_key(pair))
    return {**scope, "headers": headers, "query_string": query}


def session_cookie(token: str, *, max_age_s: int, secure: bool) -> str:
    """Give the Set-Cookie header of a page session: out of reach for scripts and other sites."""
    value = f"{SESSION_COOKIE}={token}; Max-Age={max_age_s}; Path=/; HttpOnly; SameSite=Strict"
    return value + ("; Secure" if secure else "")


def is_secure(scope: Scope) -> bool:
    """Tell whether the browser speaks HTTPS, to us or to the proxy before us."""
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "")
    return scope.get("scheme") == "https" or forwarded.lower() == "https"


def _without_session(cookies: bytes) -> bytes:
    pairs = [pair.strip() for pair in cookies.split(b";")]
    return b"; ".join(pair for pair in pairs if pair.partition(b"=")[0] != SESSION_COOKIE.encode())


def _shows_key(pair: bytes) -> bool:
    """Tell whether a pair of a query names the key, in whatever spelling is read as its name."""
    return unquote_plus(pair.partition(b"=")[0].decode("latin-1")) == KEY_PARAMETER


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _is_passed_on(scope: Scope) -> bool:
    if scope.get("http_version") in OLD_VERSIONS:
        return True
    names = (name.lower() for name, _ in scope["headers"])
    return any(name in PROXY_HEADERS or name.startswith(b"x-forwarded") for name in names)
