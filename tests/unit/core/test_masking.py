import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.masking import mask_url, masking, secrets_of

KEY = "lt_" + "aB3-_x7" * 6 + "z"
KNOWN = "p4ss.w*rd"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"/ws?api_key={KEY}&since=1",
        f"Authorization: Bearer {KEY}",
        repr({"api_key": KEY}),
        f'{{"action":"authenticate","apikey":"{KEY}"}}',
        f"x{KEY}x",
        f"connection to postgresql://me:{KNOWN}@db/x failed",
        f"host=db password={KNOWN} user=me",
    ],
)
def test_what_is_secret_is_masked_wherever_it_stands(text: str) -> None:
    masked = masking([KNOWN])(text)
    assert KEY[11:] not in masked
    assert KNOWN not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/ws?api_key=guess&since=1", "/ws?api_key=***&since=1"),
        ("bearer guess", "bearer ***"),
        ("{'api_key': 'guess', 'a': 1}", "{'api_key': '***', 'a': 1}"),
        ("a=1; livetape_session=guess; b=2", "a=1; livetape_session=***; b=2"),
    ],
)
def test_what_is_shown_as_a_secret_is_masked_too(text: str, expected: str) -> None:
    assert masking()(text) == expected


@pytest.mark.parametrize(
    "text", ["", "API key refused", "lt_short", "default_lt_ms", "api_key is a=1"]
)
def test_all_else_stays(text: str) -> None:
    assert masking(["", "a"])(text) == text


def test_of_two_secrets_the_longer_one_is_masked_whole() -> None:
    assert masking(["long", "longer"])("longer long") == "*** ***"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_known_secret_is_left(secret: str, before: str, after: str) -> None:
    masked = masking([secret])(before + secret + after)
    assert secret not in masked.replace("***", "") or secret in (before + after)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://me:secret@h:1/ws", "wss://***@h:1/ws"),
        ("WSS://secret@h", "WSS://***@h"),
        ("wss://a:b@c:secret@h/ws", "wss://***@h/ws"),
        ("ws://h/ws?since=1&api_key=secret", "ws://h/ws?since=1&api_key=***"),
        ("ws://h/ws?API%5Fkey=secret&a=1", "ws://h/ws?API%5Fkey=***&a=1"),
        ("ws://h/ws?%61ccess%54oken=secret", "ws://h/ws?%61ccess%54oken=***"),
        ("wss://h/stream?streams=a@trade/b@depth", "wss://h/stream?streams=a@trade/b@depth"),
        ("wss://h", "wss://h"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, expected: str) -> None:
    assert mask_url(url) == expected


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("redis://127.0.0.1:6379/0", set()),
        ("redis://:one@h/0", {"one"}),
        ("rediss://me:p@ss:w@h/0", {"p@ss:w"}),
        ("unix://me:one@/run/redis.sock?db=1&password=two", {"one", "two"}),
        ("postgresql://me:p%40ss@h/x", {"p%40ss", "p@ss"}),
        ("postgresql:///x?host=/run&%70assword=two&password=", {"two"}),
        ("postgresql://me:a?b/c#d:e@h/x", {"a?b/c#d:e"}),
        ("sqlite:///file", set()),
        ("", set()),
    ],
)
def test_the_secrets_of_a_url_are_known(url: str, secrets: set[str]) -> None:
    assert secrets_of(url) == secrets
