"""What every answer says beside its content: what a page may do, and how long it may be kept.

A page runs the scripts of its build and no others: those in files of ours, and the
inline ones by their hashes. Our host is named in each policy as the browser named it,
because the page's socket may be on another port of it than the page.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Collection, Iterable
from html.parser import HTMLParser
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HASHED = re.compile(r"/assets/[^/]+-[A-Za-z0-9_-]{8}\.[a-z0-9]+")
"""A file of the build whose name changes with its content."""
FOR_EVER = "public, max-age=31536000, immutable"
NAME = re.compile(r"[a-z0-9.-]+")
"""A host that a policy can name; it knows no IPv6."""


class Policy:
    """The Content-Security-Policy of the pages.

    `scripts` are the sources of the build's inline scripts, see `inline_scripts`;
    `frame_ancestors` the origins whose pages may show ours in a frame.
    """

    def __init__(self, *, scripts: Iterable[str], frame_ancestors: Iterable[str] = ()) -> None:
        self._begin = "; ".join(
            (
                "default-src 'self'",
                " ".join(("script-src 'self'", *scripts)),
                "style-src 'self' 'unsafe-inline'",
                "img-src 'self' data: blob:",
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                " ".join(("frame-ancestors 'self'", *frame_ancestors)),
                "connect-src 'self'",
            )
        )

    def of(self, host: str) -> str:
        """Give the policy of a page that was asked for at a host, its port included."""
        name = host.rpartition(":")[0] if re.search(r":\d*$", host) else host
        if not NAME.fullmatch(name):
            return self._begin
        own = (f"{scheme}://{name}:*" for scheme in ("http", "https", "ws", "wss"))
        return " ".join((self._begin, *own))


class ResponseHeaders:
    """ASGI middleware around the whole application; without a `policy` pages have none."""

    def __init__(self, app: ASGIApp, *, policy: Policy | None) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add to the beginning of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        def answer(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._headers(scope, message).raw}
            return send(message)

        await self._app(scope, receive, answer)

    def _headers(self, scope: Scope, start: Message) -> MutableHeaders:
        """Add what an answer lacks."""
        path: str = scope["path"]
        headers = MutableHeaders(raw=list(start.get("headers", ())))
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        if headers.get("content-type", "").startswith("text/html"):
            headers.setdefault("Cache-Control", "no-cache")
            if self._policy is not None:
                host = Headers(scope=scope).get("host", "").lower()
                headers.setdefault("Content-Security-Policy", self._policy.of(host))
        elif path.startswith("/api/") or path == "/metrics":
            headers.setdefault("Cache-Control", "no-store")
        elif start["status"] in {200, 206, 304} and HASHED.fullmatch(path):
            headers.setdefault("Cache-Control", FOR_EVER)
        return headers


def inline_scripts(folder: Path) -> Collection[str]:
    """Give the inline scripts of all pages of a build as sources of a policy: their hashes."""
    found: dict[str, None] = {}
    for page in sorted(folder.rglob("*.html")):
        parser = _Scripts()
        parser.feed(page.read_text(encoding="utf-8"))
        parser.close()
        for script in parser.inline:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            found[f"'sha256-{digest}'"] = None
    return tuple(found)


class _Scripts(HTMLParser):
    """Collects the text of scripts that are in a page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and "src" not in dict(attrs)
        if self._inside:
            self.inline.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline[-1] += data
