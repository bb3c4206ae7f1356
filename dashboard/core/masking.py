"""What is secret is not shown, in whatever text it stands. Pure."""

import re
from collections.abc import Callable, Collection
from urllib.parse import unquote, unquote_plus

MASK = "***"
SHORTEST_SECRET = 4
"""A shorter one is no secret, and masking it would mask half of the text."""

_KEY = re.compile(r"(lt_[\w-]{8})[\w-]{9,}")
"""An API key, beyond the beginning that lists show too."""
_NAMED = re.compile(
    r"""(\bbearer\s+|\b(?:api_?key|livetape_session)["']?\s*[:=]\s*["']?)[^\s"',;&}]+""",
    re.IGNORECASE,
)
"""What stands where a client shows a secret, known or not: `api_key=…`, `Bearer …`."""


def masking(secrets: Collection[str] = ()) -> Callable[[str], str]:
    """Make what masks these secrets, every API key, and whatever a client shows as one.

    >>> masking(["hunter2"])("postgresql://me:hunter2@db, api_key=guessed, lt_12345678abcdefghi")
    'postgresql://me:***@db, api_key=***, lt_12345678***'
    """
    long_enough = sorted({each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len)
    known = re.compile("|".join(re.escape(each) for each in reversed(long_enough)) or r"(?!)")

    def mask(text: str) -> str:
        text = known.sub(MASK, text)
        text = _KEY.sub(rf"\1{MASK}", text)
        return _NAMED.sub(rf"\1{MASK}", text)

    return mask


def secrets_of(url: str) -> frozenset[str]:
    """Give the password and the other secrets in a URL, as they stand there and as they are meant.

    >>> sorted(secrets_of("postgresql://me:p%40ss@db/x?host=/run&sslpassword=word"))
    ['p%40ss', 'p@ss', 'word']
    """
    # What stands before the last @ is taken whole: a password may be written unquoted.
    _, _, password = re.sub(r"^[^/]*//", "", url).rpartition("@")[0].partition(":")
    _, _, query = url.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")]
    written = {password, *(value for name, _, value in pairs if _tells_of_secret(name))} - {""}
    return frozenset(written | {unquote(each) for each in written})


def mask_url(url: str) -> str:
    """Give a valid URL as it may be shown: no user, password, key or token.

    >>> mask_url("wss://user:secret@example.org/ws?streams=a@trade&api_key=secret")
    'wss://***@example.org/ws?streams=a@trade&api_key=***'
    """
    return mask_query(re.sub(r"^([^/?#]*//)[^/?#]*@", rf"\1{MASK}@", url))


def mask_query(url: str) -> str:
    """Give a URL without the values of those parameters whose names tell of a secret.

    >>> mask_query("postgresql:///x?host=/run&sslpassword=secret")
    'postgresql:///x?host=/run&sslpassword=***'
    """
    address, mark, query = url.partition("?")
    return address + mark + "&".join(_masked_pair(pair) for pair in query.split("&"))


_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|sign|auth|credential", re.IGNORECASE)


def _tells_of_secret(name: str) -> bool:
    return _SECRET_NAME.search(unquote_plus(name)) is not None


def _masked_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={MASK}" if equals and _tells_of_secret(name) else pair
