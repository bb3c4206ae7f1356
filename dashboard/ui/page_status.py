"""The status of a page about an instrument that no feed has: 404, as the page itself says.

Reflex serves one file for the pages of all instruments, known or not.
"""

from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.core.instruments import Instrument
from dashboard.ui.pages.instrument import PREFIX

NOT_FOUND = 404
CONDITIONS = frozenset({b"if-modified-since", b"if-none-match"})


def with_status(inner: ASGIApp, *, find: Callable[[str], Instrument | None]) -> ASGIApp:
    """Put the status of instruments' pages around the application that serves them."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_missing(scope["path"], find):
            await inner(scope, receive, send)
            return

        def answer(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                headers["Cache-Control"] = "no-store"
                message = {**message, "status": NOT_FOUND, "headers": headers.raw}
            return send(message)

        # A browser that has the file already is told the status all the same.
        headers = [pair for pair in scope["headers"] if pair[0] not in CONDITIONS]
        await inner({**scope, "headers": headers}, receive, answer)

    return app


def _is_missing(path: str, find: Callable[[str], Instrument | None]) -> bool:
    name = path.removeprefix(PREFIX)
    return name not in {"", path} and find(name) is None
