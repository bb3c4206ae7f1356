"""The page that asks a browser for a key once, and opens a page session for it."""

from html import escape
from string import Template
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from dashboard.endpoints.credentials import client_address, is_secure, session_cookie
from dashboard.storage.api_keys import SESSION_NS, ApiKeys

SIGN_IN_PATH = "/sign-in"
MAX_FORM_BYTES = 8192
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
}

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Livetape: key needed</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; min-height: 100vh; margin: 0; place-items: center; }
form { display: grid; gap: 0.75rem; width: min(22rem, calc(100vw - 3rem)); }
h1 { margin: 0; font-size: 1.25rem; }
p { margin: 0; }
input, button { box-sizing: border-box; width: 100%; padding: 0.6rem; font: inherit; }
code { font-size: 0.9em; overflow-wrap: anywhere; }
</style>
</head>
<body>
<form method="post" action="$action">
<h1>Livetape</h1>
<p role="alert">$problem</p>
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<input name="next" type="hidden" value="$next">
<button>Continue</button>
<p>On the server, the first key is in <code>api-key</code> in the data folder; more are made with
<code>python -m dashboard.keys create NAME</code>.</p>
</form>
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
        form = await _read_form(request)
        if form is None:
            return PlainTextResponse("the form is too large\n", status_code=413)
        key, path = form.get("key", "").strip(), form.get("next", "/")
        address = client_address(request.scope)
        token = await self._keys.open_session(key, address=address)
        if token is None:
            wait_s = self._keys.retry_after_s(address)
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
    problem: str = "From another machine, this page needs a key once.",
    status: int = 401,
    wait_s: int = 0,
) -> Response:
    """Give the form, which leads back to a path of ours."""
    page = _PAGE.substitute(
        action=SIGN_IN_PATH, problem=escape(problem), next=escape(own_path(path))
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
