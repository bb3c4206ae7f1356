"""What a page may ask of the services."""

import asyncio

import pytest

from dashboard.commands.requests import ControlReplay
from dashboard.core.principal import LOCAL
from dashboard.ui import bridge
from dashboard.ui.watch import MAX_WATCHED
from tests.unit.ui.fake_product import FakeProduct, FakeReplay, open_tab, pushes


async def test_every_page_is_told_of_a_control_at_once() -> None:
    running = FakeProduct(sources=(FakeReplay(),))
    pause = ControlReplay(feed="replay", action="pause")
    tab = open_tab(running)
    sent = await pushes(
        tab,
        lambda: running.price("A", 1),
        lambda: asyncio.ensure_future(running.commands.ask(pause, by=LOCAL)),
    )
    assert "f" not in sent[1][1]
    assert sent[2][1]["f"][0]["paused"] is True


def test_a_page_watches_what_it_names_by_symbol_or_full_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = FakeProduct(symbols=tuple(f"S{number}" for number in range(80)))
    monkeypatch.setattr(bridge, "_running", running)
    names = ["X:S7", "nope", "S3", "S7", "Y:S4"]
    assert [each.symbol for each in bridge.find_instruments(names)] == ["S7", "S3"]
    assert len(bridge.find_instruments(running.symbols)) == MAX_WATCHED
