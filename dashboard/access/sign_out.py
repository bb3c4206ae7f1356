"""Ends a page session at its holder's wish: in the database, in the browser, on its open pages."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from dashboard.access.credentials import is_secure, session_cookie, shown_session
from dashboard.access.keyed_connections import KeyedConnections
from dashboard.access.sign_in import SIGN_IN_PATH
from dashboard.storage.api_keys import ApiKeys

SIGN_OUT_PATH = "/sign-out"


async def sign_out(request: Request, keys: ApiKeys, connections: KeyedConnections) -> Response:
    """End the session that a request shows, if it shows one, and lead to the sign-in.

    Raises:
        StorageError: when the database does not answer.
    """
    if request.method != "POST":
        return PlainTextResponse("POST only\n", status_code=405, headers={"Allow": "POST"})
    token = shown_session(request.scope)
    session = None if token is None else await keys.close_session(token)
    if session is not None:
        connections.end_session(session)
    cookie = session_cookie("", max_age_s=0, secure=is_secure(request.scope))
    headers = {"Cache-Control": "no-store", "Set-Cookie": cookie}
    return RedirectResponse(SIGN_IN_PATH, status_code=303, headers=headers)
