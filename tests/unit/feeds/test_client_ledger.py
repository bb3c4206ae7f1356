from dashboard.core.model import Pnl, Positions
from dashboard.feeds.client_ledger import ClientLedger


def pnl(client: str, *, envelope: str = "") -> Pnl:
    return Pnl(client=client, exchange="E", pnl=1.0, envelope=envelope, ts_event=0)


def positions(client: str, count: int) -> Positions:
    held = {str(number): 1.0 for number in range(count)}
    return Positions(client=client, exchange="E", positions=held, ts_event=0)


def test_of_more_clients_than_are_kept_the_known_go_on() -> None:
    ledger = ClientLedger(max_topics=3)
    assert ledger.admit(pnl("a"))
    assert ledger.admit(positions("a", 2))
    assert ledger.admit(pnl("b"))
    for client in (f"c{number}" for number in range(100)):
        assert not ledger.admit(pnl(client))
        assert ledger.admit(pnl("a"))
        assert ledger.admit(pnl("b"))


def test_positions_are_bounded_over_all_clients() -> None:
    ledger = ClientLedger(max_positions=10)
    assert ledger.admit(positions("a", 6))
    assert not ledger.admit(positions("b", 5))
    assert not ledger.admit(positions("a", 11))
    assert ledger.admit(positions("a", 5))
    assert ledger.admit(positions("b", 5))
    assert not ledger.admit(positions("b", 6))
    assert ledger.admit(positions("b", 5))


def test_what_is_kept_is_bounded_in_bytes() -> None:
    ledger = ClientLedger(max_bytes=10_000)
    assert ledger.admit(pnl("a", envelope="x" * 5000))
    assert not ledger.admit(pnl("b", envelope="x" * 5000))
    assert ledger.admit(pnl("a", envelope="x" * 100))
    assert ledger.admit(pnl("b", envelope="x" * 5000))
    assert not ledger.admit(pnl("a", envelope="x" * 5000))
