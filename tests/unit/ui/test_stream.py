"""The pages' wishes to the server."""

import pytest
import reflex as rx

from dashboard.ui.bridge import LiveState
from dashboard.ui.page_socket import NOT_FOR_PAGES
from dashboard.ui.pages.instrument import InstrumentState
from dashboard.ui.pages.market import MarketState
from dashboard.ui.pages.pnl import PnlState
from dashboard.ui.stream import StreamState


@pytest.mark.parametrize("state", [LiveState, StreamState, InstrumentState, MarketState, PnlState])
def test_what_is_asked_while_the_server_is_away_is_not_asked_later(state: type[rx.State]) -> None:
    wishes = {
        name: handler.event_actions.get("temporal", False)
        for name, handler in state.event_handlers.items()
        if name not in NOT_FOR_PAGES
    }
    assert all(wishes.values()), wishes
