import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.core.instruments import Instrument
from dashboard.core.limits import Exposure, Level, expose
from dashboard.core.model import Positions
from dashboard.ui import accounts
from dashboard.ui.components.positions_table import COLUMNS
from dashboard.ui.formatting import MINUS, NONE, THIN_SPACE
from tests.unit.accounts import INSTRUMENTS, NOW, Running, heard, pnl, positions
from tests.unit.fake_feeds import directory_of


def test_latest_pnl_with_its_change() -> None:
    known = heard({"Ann": [(400, 10), (299, 40), (2, -5)], "Bob": [(30, 1000), (10, 1234.5)]})
    ann_last = accounts.pnl_rows(known, known, minutes=5, now_ns=NOW)
    assert [row.client for row in ann_last] == ["Bob", "Ann"]
    bob, ann = ann_last
    assert (bob.pnl, bob.change, bob.direction) == (
        f"+1{THIN_SPACE}234.50",
        "+234.50 in 30 s",
        "up",
    )
    assert (ann.pnl, ann.change, ann.direction) == (f"{MINUS}5.00", f"{MINUS}15.00", "down")
    assert (bob.age, ann.age) == ("10 s", "2 s")


def test_a_client_without_pnl_has_no_row() -> None:
    running = Running()
    running.publish(positions("Ann", AAPL=1))
    known = running.accounts.current()
    assert accounts.pnl_rows(known, [], minutes=5, now_ns=NOW) == []


def exposures() -> list[Exposure]:
    return expose(
        [
            positions("Ann", AAPL=90, AAPL_DUAL=-85),
            positions("bob", AAPL=-60, FREE=3),
            positions("Cid", AAPL=10),
        ],
        directory_of(*INSTRUMENTS),
    )


def listed(found: list[Exposure]) -> list[tuple[str, str]]:
    return [(each.client, each.symbol) for each in found]


def test_filter_by_words_in_any_case() -> None:
    def found(search: str, *, only_pressing: bool = False) -> list[tuple[str, str]]:
        return listed(accounts.matching(exposures(), search=search, only_pressing=only_pressing))

    assert found("BOB") == [("bob", "AAPL"), ("bob", "FREE")]
    assert found("ann dual") == [("Ann", "AAPL_DUAL")]
    assert found("aapl_stock") == [
        ("Ann", "AAPL"),
        ("Ann", "AAPL_DUAL"),
        ("bob", "AAPL"),
        ("Cid", "AAPL"),
    ]
    assert found("nobody") == []
    assert found("", only_pressing=True) == [
        ("Ann", "AAPL"),
        ("Ann", "AAPL_DUAL"),
        ("bob", "AAPL"),
    ]


def test_the_worst_comes_first() -> None:
    found = accounts.ordered(exposures(), column="status", descending=True)
    assert listed(found) == [
        ("bob", "AAPL"),
        ("Ann", "AAPL"),
        ("Ann", "AAPL_DUAL"),
        ("Cid", "AAPL"),
        ("bob", "FREE"),
    ]


@pytest.mark.parametrize("column", accounts.SORT_KEYS)
@pytest.mark.parametrize("descending", [True, False])
def test_every_column_sorts_and_what_has_no_value_comes_last(column: str, descending: bool) -> None:
    found = accounts.ordered(exposures(), column=column, descending=descending)
    assert sorted(listed(found)) == sorted(listed(exposures()))
    keys = [accounts.SORT_KEYS[column](each) for each in found]
    values = [key for key in keys if key is not None]
    assert values == sorted(values, reverse=descending)
    assert keys[: len(values)] == values


def test_the_table_has_every_column_that_is_sorted_by() -> None:
    assert [column.key for column in COLUMNS] == list(accounts.SORT_KEYS)


def test_a_position_in_words() -> None:
    ann, *_, cid = accounts.position_rows(exposures())
    assert ann.position == "+90"
    assert (ann.limit, ann.share, ann.used) == ("100", f"90{THIN_SPACE}%", "90%")
    assert (ann.level, ann.words) == (Level.NEAR, "near, 10 left")
    assert (ann.delta, ann.delta_level, ann.delta_words) == ("+5", Level.WITHIN, "")
    assert cid.words == ""
    over, *_ = accounts.position_rows(
        accounts.ordered(exposures(), column="delta", descending=False)
    )
    assert (over.delta, over.delta_share, over.delta_used) == (
        f"{MINUS}60",
        f"120{THIN_SPACE}%",
        "100%",
    )
    assert over.delta_words == "over by 10"
    assert over.worst == Level.OVER


def test_the_exchange_stands_beside_what_two_of_them_have() -> None:
    running = Running()
    held = [positions("Ann", exchange=each, RELIANCE=1) for each in ("NSE", "BSE")]
    running.publish(*held, positions("Bob", exchange="NSE", TCS=1))
    running.publish(pnl("Ann", 1, exchange="NSE"), pnl("Ann", 1, exchange="BSE"))
    running.publish(pnl("Bob", exchange="NSE"))
    rows = accounts.position_rows(expose(running.accounts.positions(), running.directory))
    assert [(row.symbol, row.venue) for row in rows] == [
        ("RELIANCE", "NSE"),
        ("RELIANCE", "BSE"),
        ("TCS", ""),
    ]
    known = running.accounts.current()
    named = accounts.pnl_rows(known, known, minutes=1, now_ns=NOW)
    venues = [(row.client, row.venue) for row in named]
    assert venues == [("Ann", "NSE"), ("Ann", "BSE"), ("Bob", "")]


def test_a_position_without_limits() -> None:
    (row,) = accounts.position_rows([each for each in exposures() if each.symbol == "FREE"])
    assert {row.limit, row.share, row.underlying, row.delta, row.delta_limit, row.delta_share} == {
        NONE
    }
    assert (row.used, row.delta_used, row.words) == ("0%", "0%", "")
    assert row.worst == Level.UNLIMITED


FINITE = st.floats(allow_nan=False, allow_infinity=False)
LIMITS = st.none() | st.floats(min_value=0, allow_infinity=False)


@given(
    st.dictionaries(st.sampled_from(["A", "B", "C"]), FINITE),
    LIMITS,
    LIMITS,
    st.tuples(FINITE, FINITE),
)
@example({"A": 1e308}, 50, 20, (1e308, -1e308))
@example({"A": 1e308, "B": 1e308, "C": -1e308}, 5e-324, 0.0, (-1e308, 1e308))
def test_whatever_a_client_has_can_be_shown(
    amounts: dict[str, float],
    limit: float | None,
    delta_limit: float | None,
    pnls: tuple[float, float],
) -> None:
    instruments = [
        Instrument(
            symbol=symbol,
            exchange="REDIS",
            tick_size=0.01,
            underlying="U",
            absolute_limit=limit,
            delta_limit=delta_limit,
        )
        for symbol in ("A", "B")
    ]
    held = Positions(client="Ann", exchange="REDIS", positions=amounts, ts_event=0)
    found = expose([held], directory_of(*instruments))
    known = heard({"Ann": [(50, pnls[0]), (0, pnls[1])]})
    shown = [
        [list(row) for row in accounts.position_rows(found)],
        [list(row) for row in accounts.pnl_rows(known, known, minutes=1, now_ns=NOW)],
    ]
    for column in accounts.SORT_KEYS:
        assert len(accounts.ordered(found, column=column, descending=True)) == len(amounts)
    assert max(len(cell) for rows in shown for row in rows for cell in row) <= 40, "fits in"
    json.dumps(shown, allow_nan=False)
