from typing import cast

import pytest

from dashboard.bootstrap import Services
from dashboard.ui.formatting import THIN_SPACE
from dashboard.ui.pages.pnl import left_out, stale_feeds
from tests.unit.accounts import Running, pnl


def test_only_a_feed_that_clients_come_from_is_named() -> None:
    running = Running()  # its feed has not begun
    assert stale_feeds(cast("Services", running)) == ""
    running.publish(pnl("Ann", exchange="ELSEWHERE"))
    assert stale_feeds(cast("Services", running)) == ""
    running.publish(pnl("Ann"))
    assert stale_feeds(cast("Services", running)) == "redis is stale"


@pytest.mark.parametrize(
    ("found", "known", "text"),
    [
        (0, 0, "No positions yet."),
        (0, 5, "No position matches the filter."),
        (200, 200, ""),
        (1201, 1300, f"1{THIN_SPACE}001 more: narrow the filter."),
    ],
)
def test_what_the_table_leaves_out(found: int, known: int, text: str) -> None:
    assert left_out(found, known) == text
