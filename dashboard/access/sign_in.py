"""The page that asks a browser for a key once, and opens a page session for it."""

import asyncio
from html import escape
from string import Template
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from dashboard.access.credentials import client_address, is_secure, session_cookie
from dashboard.storage.api_keys import SESSION_NS, ApiKeys

SIGN_IN_PATH = "/sign-in"
FONT_PATH = "/fonts/inter-latin.woff2"
"""The one file of the pages that needs no key, so that the sign-in looks like them."""
MAX_FORM_BYTES = 8192
FORM_TIMEOUT_S = 10
DAY_NS = 86_400_000_000_000
ASKED = (
    f"This page needs an API key, once: this browser is remembered for {SESSION_NS // DAY_NS} days."
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
}

# The colours are those of the pages in `ui/theme.py`, whose styles nobody gets without a key.
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Livetape</title>
<link rel="preload" href="$font" as="font" type="font/woff2" crossorigin>
<style>
:root {
  color-scheme: light dark;
  --bg: #f2f4f7; --panel: #ffffff; --line: #dbe0e6; --strong-line: #7e8a97;
  --text: #11161c; --muted: #45505c; --down: #bd1c38; --accent: #1a5bc8;
  font: 15px/1.5 'Inter', 'Noto Sans', 'Segoe UI', 'Helvetica Neue', sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0b0e11; --panel: #12161b; --line: #252c35; --strong-line: #5b6773;
    --text: #e8ecf0; --muted: #a6b0bb; --down: #fa6a7b; --accent: #639fff;
  }
}
@font-face {
  font-family: 'Inter'; src: url('$font') format('woff2');
  font-weight: 100 900; font-display: swap;
}
body {
  display: grid; grid-template-rows: 44px 1fr; min-height: 100dvh; margin: 0;
  background: var(--bg); color: var(--text);
}
header {
  display: flex; align-items: center; padding: 0 16px;
  border-bottom: 1px solid var(--line); font-weight: 700;
}
header::before {
  content: ""; width: 8px; height: 8px; margin-right: 8px;
  background: var(--accent); forced-color-adjust: none;
}
main { display: grid; place-items: center; padding: 12px; }
form {
  display: grid; gap: 12px; box-sizing: border-box; width: min(26rem, 100%);
  padding: 24px; border: 1px solid var(--line); border-radius: 4px; background: var(--panel);
}
h1 { margin: 0; font-size: 20px; }
p { margin: 0; }
label { font-weight: 600; margin-bottom: -6px; }
input, button {
  box-sizing: border-box; width: 100%; min-height: 44px; padding: 8px 12px;
  border: 1px solid var(--strong-line); border-radius: 4px; font: inherit;
  background: var(--bg); color: var(--text);
}
input { font-size: 16px; } /* with less, a phone zooms in */
button { border-color: var(--accent); background: var(--accent); color: var(--panel); }
button { font-weight: 600; cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[role="alert"] { padding-left: 10px; border-left: 3px solid var(--down); color: var(--down); }
.note { color: var(--muted); font-size: 13px; }
code { overflow-wrap: anywhere; font-family: ui-monospace, 'DejaVu Sans Mono', 'Menlo', monospace; }
</style>
</head>
<body>
<header>Livetape</header>
<main>
<form method="post" action="$action">
<h1>Sign in</h1>
$said
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<input name="next" type="hidden" value="$next">
<button>Continue</button>
<p class="note">On the server, the first key is in <code>api-key</code> in the data folder.
Make more with <code>python -m dashboard.keys create NAME</code></p>
</form>
</main>
</body>
</html>
""")


class SignIn:
    """Answers the form: with a session cookie and the way back, or with the form again."""

    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    async def answer(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            StorageError: when the database does not answer.
        """
        if request.method == "GET":
            return sign_in_page("/")
        if request.method != "POST":
            return PlainTextResponse("POST only\n", status_code=405, headers={"Allow": "GET, POST"})
        try:
            async with asyncio.timeout(FORM_TIMEOUT_S):
                form = await _read_form(request)
        except TimeoutError:
            return PlainTextResponse("the form did not come in time\n", status_code=408)
        if form is None:
            return PlainTextResponse("the form is too large\n", status_code=413)
        key, path = form.get("key", "").strip(), form.get("next", "/")
        address = client_address(request.scope)
        token = await self._keys.open_session(key, address=address)
        if token is None:
            wait_s = self._keys.retry_after_s(address, key)
            if wait_s:
                problem = f"Too many wrong keys from this address. Try again in {wait_s} s."
                return sign_in_page(path, problem=problem, status=429, wait_s=wait_s)
            return sign_in_page(path, problem="This key does not hold: unknown or revoked.")
        cookie = session_cookie(
            token, max_age_s=SESSION_NS // 1_000_000_000, secure=is_secure(request.scope)
        )
        headers = {"Cache-Control": "no-store", "Set-Cookie": cookie}
        return RedirectResponse(own_path(path), status_code=303, headers=headers)


def sign_in_page(
    path: str,
    *,
    problem: str = "",
    status: int = 401,
    wait_s: int = 0,
) -> Response:
    """Give the form, which leads back to a path of ours and says what was wrong, if anything."""
    said = f'<p role="alert">{escape(problem)}</p>' if problem else f"<p>{ASKED}</p>"
    page = _PAGE.substitute(
        action=SIGN_IN_PATH, font=FONT_PATH, said=said, next=escape(own_path(path))
    )
    headers = HEADERS | ({"Retry-After": str(wait_s)} if wait_s else {})
    return HTMLResponse(page, status_code=status, headers=headers)


def own_path(path: str) -> str:
    """Give a path where it is one of ours, or else the front page: never another site.

    >>> own_path("/pnl"), own_path("//evil.example")
    ('/pnl', '/')
    """
    ours = path.startswith("/") and path[1:2] not in {"/", "\\"} and path.isprintable()
    return path if ours and path != SIGN_IN_PATH else "/"


async def _read_form(request: Request) -> dict[str, str] | None:
    """Read a form of 8 KiB at most; None when it is larger."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            return None
    fields = parse_qs(body.decode(errors="replace"))
    return {name: values[-1] for name, values in fields.items()}
