import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.accounts import Account
from dashboard.core.model import Positions
from dashboard.ui import accounts, curves
from dashboard.ui.columns import CurvesPart
from dashboard.ui.curves import Curves
from tests.unit.accounts import NOW, Running, heard, pnl, positions
from tests.unit.fakes import SECOND_NS


class Known:
    """Clients to read."""

    updates = 0

    def __init__(self, known: list[Account]) -> None:
        self.known = known

    def current(self) -> list[Account]:
        return self.known

    def positions(self) -> list[Positions]:
        return []


def whole(
    known: list[Account], *, minutes: int, now_ns: int = NOW, offset_ns: int = 0
) -> CurvesPart:
    """Give what a page is told first."""
    part = Curves(Known(known), minutes=minutes).part(now_ns=now_ns, offset_ns=offset_ns)
    assert part is not None
    return part


def test_a_line_holds_the_last_value_of_every_second() -> None:
    part = whole(heard({"Ann": [(59, 1.0), (57, 2.004), (0, 3.0)]}), minutes=1, now_ns=NOW + 1)
    assert [(name.id, name.label) for name in part.names or ()] == [("REDIS:Ann", "Ann")]
    [values] = part.rows
    assert len(values) == 61
    assert values[:4] == [None, 1.0, 1.0, 2.0]
    assert values[-2:] == [2.0, 3.0]
    assert (part.time, part.step) == (NOW // 1_000_000, 1000)


def test_the_axis_counts_back_from_the_time_of_day() -> None:
    lines = heard({"Ann": [(2, 1.0), (0, 3.0)]})
    without = whole(lines, minutes=1)
    moved = whole(lines, minutes=1, offset_ns=7200 * SECOND_NS)
    assert moved.rows == without.rows
    assert moved.time == without.time + 7_200_000


@pytest.mark.parametrize("minutes", curves.RANGES_MIN)
def test_a_line_is_never_long_and_ends_with_the_newest_value(minutes: int) -> None:
    lines = heard({"Ann": [(before, -before) for before in range(1800, -1, -1)]})
    part = whole(lines, minutes=minutes)
    [values] = part.rows
    assert (len(values) - 1) * part.step == minutes * 60_000
    assert len(values) <= curves.POINTS + 1
    assert None not in values[1:]
    assert values[-1] == 0
    assert part.time <= NOW // 1_000_000


@given(st.lists(st.integers(0, 400), max_size=6), st.sampled_from(curves.RANGES_MIN))
def test_points_put_together_are_those_of_a_page_that_opens_now(
    waits_s: list[int], minutes: int
) -> None:
    lines = heard({"Ann": [(before, before % 7) for before in range(1800, -1, -1)]})
    told = Curves(Known(lines), minutes=minutes)
    kept: dict[int, float | None] = {}
    now_ns = NOW
    for wait_s in (0, *waits_s):
        now_ns += wait_s * SECOND_NS
        if (part := told.part(now_ns=now_ns)) is not None:
            [values] = part.rows
            kept |= {part.bucket - back: value for back, value in enumerate(reversed(values))}
    fresh = whole(lines, minutes=minutes, now_ns=now_ns)
    [values] = fresh.rows
    expected = {fresh.bucket - back: value for back, value in enumerate(reversed(values))}
    assert {bucket: kept.get(bucket) for bucket in expected} == expected


def test_each_second_tells_the_newest_points_alone() -> None:
    known = Known(heard({"Ann": [(0, 1.0)], "Bob": [(0, 2.0)]}))
    told = Curves(known, minutes=5)
    told.part(now_ns=NOW)
    assert told.part(now_ns=NOW + SECOND_NS // 2) is None
    part = told.part(now_ns=NOW + SECOND_NS)
    assert part is not None
    assert (part.names, part.rows) == (None, [[1.0, 1.0], [2.0, 2.0]])
    known.known = [*known.known, *heard({"Cid": [(0, 3.0)]})]
    part = told.part(now_ns=NOW + 2 * SECOND_NS)
    assert part is not None
    assert [name.label for name in part.names or ()] == ["Ann", "Bob", "Cid"]
    assert [len(values) for values in part.rows] == [2, 2, 301], "whole, for it is new"


def test_all_is_told_whole_after_a_loss_and_over_another_range() -> None:
    told = Curves(Known(heard({"Ann": [(0, 1.0)]})), minutes=5)
    told.part(now_ns=NOW)
    for change, points in ((told.recall, 301), (lambda: told.show(1), 61)):
        change()
        part = told.part(now_ns=NOW)
        assert part is not None
        assert part.names is not None
        assert [len(values) for values in part.rows] == [points]


def test_many_clients_stay_apart_and_the_largest_are_drawn() -> None:
    everyone = heard({f"Client {number}": [(0, -number)] for number in range(30)})
    lines = curves.drawn(everyone)
    assert [each.client for each in lines] == [f"Client {number}" for number in range(6, 30)]
    assert len(whole(everyone, minutes=30).rows) == curves.MAX_LINES
    rows = accounts.pnl_rows(everyone, lines, minutes=5, now_ns=NOW)
    assert len(rows) == 30
    assert len({(row.color, row.dash) for row in rows if row.color}) == curves.MAX_LINES
    assert [row.color for row in rows if row.client == "Client 5"] == [""]
    assert [(row.color, row.dash) for row in rows if row.client == "Client 14"] == [("1", "dash")]


def test_a_client_without_pnl_has_no_line() -> None:
    running = Running()
    running.publish(positions("Ann", AAPL=1))
    assert whole(running.accounts.current(), minutes=5).rows == []


def test_a_name_is_no_markup_in_the_chart() -> None:
    names = whole(heard({"<b>&" + "x" * 100: [(0, 1.0)]}), minutes=1).names
    assert names is not None
    assert names[0].label == "&lt;b&gt;&amp;" + "x" * (curves.MAX_NAME - 4)


def test_the_exchange_stands_beside_a_name_that_two_of_them_have() -> None:
    running = Running()
    running.publish(pnl("Ann", 1, exchange="NSE"), pnl("Ann", 1, exchange="BSE"), pnl("Bob"))
    names = whole(running.accounts.current(), minutes=1).names or ()
    assert [name.label for name in names] == ["Ann NSE", "Ann BSE", "Bob"]


@given(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2))
def test_whatever_a_client_has_can_be_told(pnls: tuple[float, float]) -> None:
    [values] = whole(heard({"Ann": [(50, pnls[0]), (0, pnls[1])]}), minutes=1).rows
    json.dumps(values, allow_nan=False)
