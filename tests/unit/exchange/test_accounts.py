import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.exchange.accounts import ClientAccounts
from dashboard.exchange.matching import Fill

CLIENTS = "abcd"
TICK_SIZES = {"AAPL": 0.01, "BTC/USD": 0.5, "DOGE/USD": 0.0001}

trades = st.lists(
    st.tuples(
        st.sampled_from(sorted(TICK_SIZES)),
        st.tuples(st.sampled_from(CLIENTS), st.sampled_from(CLIENTS)).filter(
            lambda p: p[0] != p[1]
        ),
        st.integers(1, 10**7),
        st.integers(1, 10**6),
    ),
    max_size=80,
)
marks = st.fixed_dictionaries({name: st.integers(1, 10**7) for name in TICK_SIZES})


@given(trades, marks)
def test_positions_and_pnl_of_all_clients_sum_to_zero(
    traded: list[tuple[str, tuple[str, str], int, int]], marks: dict[str, int]
) -> None:
    accounts = ClientAccounts(CLIENTS, TICK_SIZES)
    for instrument, (buyer, seller), ticks, volume in traded:
        accounts.apply_fill(instrument, Fill(ticks, volume, buyer, 1, seller, 2))
    for instrument in TICK_SIZES:
        assert sum(accounts.position(client, instrument) for client in CLIENTS) == 0
    pnls = [accounts.pnl(client, marks) for client in CLIENTS]
    assert sum(pnls) == pytest.approx(0, abs=1e-12 * sum(map(abs, pnls)))


def test_pnl_is_cash_plus_position_at_the_mark() -> None:
    accounts = ClientAccounts("ab", TICK_SIZES)
    accounts.apply_fill("AAPL", Fill(10_000, 30, "a", 1, "b", 2))
    accounts.apply_fill("AAPL", Fill(10_100, 10, "b", 3, "a", 4))
    accounts.apply_fill("BTC/USD", Fill(180_000, 2, "b", 5, "a", 6))
    assert accounts.positions("a") == {"AAPL": 20, "BTC/USD": -2}
    marks = {"AAPL": 10_050, "BTC/USD": 180_010}
    expected = (10 * 101.00 - 30 * 100.00) + 20 * 100.50 + 2 * (90_000 - 90_005)
    assert accounts.pnl("a", marks) == pytest.approx(expected)
    assert accounts.pnl("b", marks) == pytest.approx(-expected)


def test_who_has_not_traded_owns_nothing() -> None:
    accounts = ClientAccounts("ab", TICK_SIZES)
    assert accounts.clients == ("a", "b")
    assert accounts.positions("a") == {}
    assert accounts.position("a", "AAPL") == 0
    assert accounts.pnl("a", {}) == 0
