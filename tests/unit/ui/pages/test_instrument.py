import pytest

from dashboard.ui.pages.instrument import name_in


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/instruments/AAPL", "AAPL"),
        ("/instruments/CRYPTO:BTC/USD", "CRYPTO:BTC/USD"),
        ("/instruments/BTC%2FUSD", "BTC/USD"),
        ("/instruments/REDIS%3Aa%20b%3F", "REDIS:a b?"),
        ("/instruments/", ""),
        ("/instruments", ""),
    ],
)
def test_name_in_an_address_may_have_slashes_raw_or_escaped(path: str, name: str) -> None:
    assert name_in(path) == name
