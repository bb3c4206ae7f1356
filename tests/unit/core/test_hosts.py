import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.hosts import is_loopback, is_own_host, parse_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", "10.0.0.1"),
        (" 10.0.0.1 ", "10.0.0.1"),
        ("10.0.0.1:80", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("example.org", "None"),
        ("unknown", "None"),
        ("", "None"),
        ("[", "None"),
        ("10.0.0.1:80:80", "None"),
    ],
)
def test_an_address_is_read_in_all_forms(text: str, expected: str) -> None:
    assert str(parse_address(text)) == expected


@pytest.mark.parametrize(
    "own", ["localhost", "LOCALHOST:3000", "a.localhost", "127.8.8.8", "[::1]"]
)
def test_who_asks_for_this_machine_is_on_it(own: str) -> None:
    assert is_own_host(own)


@pytest.mark.parametrize(
    "other",
    ["example.org", "localhost.example.org", "notlocalhost", "10.0.0.1", "192.0.2.1", "[::]"],
)
def test_all_others_may_be_elsewhere(other: str) -> None:
    assert not is_own_host(other)


def test_no_name_is_an_address_of_this_machine() -> None:
    assert not is_loopback("localhost")


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    parse_address(text)
    is_own_host(text)
