from typing import Any, cast

import pytest

from dashboard.ui import bridge
from dashboard.ui.formatting import THIN_SPACE
from dashboard.ui.pages.pnl import PnlState, left_out, stale_feeds
from tests.unit.accounts import Running, pnl, positions
from tests.unit.fake_feeds import Unwalked
from tests.unit.ui.fake_product import FakeProduct


def test_only_a_feed_that_clients_come_from_is_named() -> None:
    running = Running()
    running.report()
    assert stale_feeds(running) == ""
    running.publish(pnl("Ann", exchange="ELSEWHERE"))
    assert stale_feeds(running) == ""
    running.publish(pnl("Ann"))
    assert stale_feeds(running) == "redis is stale"


def test_a_second_walks_no_list_of_all_instruments() -> None:
    running = Running()
    running.directory.listings = Unwalked(running.directory.listings)
    running.report()
    page = PnlState()
    running.publish(pnl("Ann"), positions("Ann", AAPL=1))
    view = page._view(running)
    assert (view["phase"], view["stale"], len(view["positions"])) == ("full", "redis is stale", 1)


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


class Page:
    """A page's state that can be shown or not, as told for each second, until it leaves."""

    def __init__(self, *seconds: Exception | None) -> None:
        self.shown = 0
        self._seconds = list(seconds)

    async def __aenter__(self) -> "Page":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def _show(self) -> None:
        if not self._seconds:
            raise KeyboardInterrupt
        if (failure := self._seconds.pop(0)) is not None:
            raise failure
        self.shown += 1


async def test_a_second_that_cannot_be_shown_does_not_end_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def at_once(_: float) -> None: ...

    monkeypatch.setattr("dashboard.ui.pages.pnl.asyncio.sleep", at_once)
    overflow = OverflowError("cannot convert float infinity to integer")
    page = Page(None, overflow, overflow, None)
    running = FakeProduct()
    monkeypatch.setattr(bridge, "_running", running)
    stream = cast("Any", PnlState.stream).fn
    with pytest.raises(KeyboardInterrupt):
        await stream(page)
    assert page.shown == 2
    assert running.hub.failures.by_place == {"pnl page": 2}
