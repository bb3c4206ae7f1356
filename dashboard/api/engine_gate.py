"""What stands before the trading engine's part of the API: how often, how much, and what fails."""

from aiolimiter import AsyncLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access.credentials import client_address
from dashboard.access.refusals import engine_refusal, is_of_engine
from dashboard.core.addresses import network_of
from dashboard.hub.failures import Failures

MAX_BODY_BYTES = 2 * 1024 * 1024
"""The largest code, each of its bytes written as `\\u00xx`, has room in it."""
MAX_ADDRESSES = 10_000
"""Those that are remembered; beyond, the one that asked longest ago is forgotten."""
READS = frozenset({"GET", "HEAD", "OPTIONS"})
PLACE = "engine API"


class Rates:
    """How many requests of each address are let in a second; IPv6 addresses count by their /64.

    After a pause as many may come at once as a second allows.
    """

    def __init__(self, *, writes_per_s: int, reads_per_s: int) -> None:
        self._per_s = {True: writes_per_s, False: reads_per_s}
        self._limiters: dict[tuple[str, bool], AsyncLimiter] = {}

    async def admit(self, address: str, *, writes: bool) -> int | None:
        """Count a request; None where it may pass, else how many of its kind may in a second."""
        key = (network_of(address), writes)
        limiter = self._limiters.pop(key, None) or AsyncLimiter(self._per_s[writes], 1)
        self._limiters[key] = limiter
        if len(self._limiters) > MAX_ADDRESSES:
            del self._limiters[next(iter(self._limiters))]
        if not limiter.has_capacity():
            return self._per_s[writes]
        await limiter.acquire()  # it does not wait: there is room
        return None


class EngineGate:
    """ASGI middleware around the API; what is not the engine's passes untouched."""

    def __init__(self, app: ASGIApp, *, rates: Rates, failures: Failures) -> None:
        self._app = app
        self._rates = rates
        self._survival = failures.at(PLACE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its whole body, or refuse it."""
        if scope["type"] != "http" or not is_of_engine(scope["path"]):
            await self._app(scope, receive, send)
            return
        writes = scope["method"] not in READS
        allowed = await self._rates.admit(client_address(scope), writes=writes)
        if allowed is not None:
            kind = "writes" if writes else "reads"
            problem = f"too many requests from this address; allowed: {allowed} {kind} a second"
            refusal = engine_refusal(problem, 429, headers={"Retry-After": "1"})
            await refusal(scope, receive, send)
            return
        body = await _read(scope, receive)
        if body is None:
            problem = f"the body is too long; allowed: {MAX_BODY_BYTES} bytes"
            await engine_refusal(problem, 400)(scope, receive, send)
            return
        await self._answer(scope, _again(body, receive), send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with an error where nothing was answered before one."""
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        with self._survival:
            await self._app(scope, receive, answer)
            return
        if not begun:
            await engine_refusal("the engine failed; its log says why", 500)(scope, receive, send)


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """Read a body; None where it is too long, which is known before it is whole."""
    told = Headers(scope=scope).get("content-length", "")
    if told.isdecimal() and int(told) > MAX_BODY_BYTES:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give what receives a body that was read already, and then what comes after it."""
    waiting = [body]

    async def received() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return received
