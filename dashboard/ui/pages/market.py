"""The live market page at `/`: watchlist, order book, trades, performance, control."""

from collections.abc import Callable, Sequence

import msgspec
import reflex as rx

from dashboard.core.instruments import Instrument
from dashboard.ui import bridge, template
from dashboard.ui.components import live
from dashboard.ui.components.panel import facts, panel
from dashboard.ui.components.performance import performance
from dashboard.ui.page_socket import MAX_ARGUMENTS_BYTES
from dashboard.ui.stream import live_stream
from dashboard.ui.watch import MAX_WATCHED


class MarketState(rx.State):
    """The watchlist that this browser remembers."""

    watchlist: str = rx.LocalStorage("", name="livetape-watchlist")
    """A JSON list of full ids; empty while the default list is shown.

    An older one has bare symbols: each is looked up when its page is opened, and kept as an id.
    """

    @rx.event(background=True)
    async def stream(self) -> None:
        """Stream to the page until it leaves."""
        async with self:
            names = remembered(self.watchlist)
            if names is not None and (ids := full_ids(names, bridge.find)) != names:
                self.watchlist = msgspec.json.encode(ids).decode()
                names = ids
        await bridge.stream_to_page(watched=_default() if names is None else names)

    @rx.event(temporal=True)
    async def watch(self, ids: list[str] | None) -> None:
        """Change the watchlist and remember it; None goes back to the default."""
        self.watchlist = "" if ids is None else msgspec.json.encode(ids).decode()
        if (tab := bridge.tab_of(self.router.session.client_token)) is not None:
            names = remembered(self.watchlist)
            tab.watch(bridge.find_instruments(_default() if names is None else names))


def remembered(stored: str) -> list[str] | None:
    """Read a watchlist as the browser has it; None where there is none that can be read."""
    if not stored or len(stored) > MAX_ARGUMENTS_BYTES:
        return None
    try:
        return msgspec.json.decode(stored, type=list[str])
    except msgspec.MsgspecError:
        return None


def full_ids(names: Sequence[str], find: Callable[[str], Instrument | None]) -> list[str]:
    """Put full ids in place of bare symbols; a name that is unknown today stays what it is."""
    found = (found.id if (found := find(name)) else name for name in names)
    return list(dict.fromkeys(found))


def _default() -> list[str]:
    """Give the first of what the feeds deliver to everybody."""
    return [each.id for each in bridge.standing(MAX_WATCHED)]


def index() -> rx.Component:
    """Compose the page."""
    return template.page(
        "Market",
        live_stream(on_watch=MarketState.watch),
        rx.el.div(
            panel(
                "watch",
                "Watchlist",
                live.needs_server(live.cards()),
                live.ChartTable.create(name="prices", label="Prices as a table"),
                beside=rx.fragment(live.watched_count(), _edit_button()),
            ),
            panel("book", "Order book", live.book(), beside=live.chosen()),
            panel("trades", "Trades", live.tape(), beside=rx.el.span("newest first")),
            performance(),
            _control(),
            class_name="market",
        ),
        template.popover(
            "watchlist",
            "Watchlist",
            live.needs_server(live.watchlist_editor()),
            live.server_hint(),
        ),
    )


def _edit_button() -> rx.Component:
    return rx.el.button("Edit", type="button", custom_attrs=template.opens("watchlist"))


def _control() -> rx.Component:
    return panel(
        "control",
        "Control",
        live.needs_server(live.frequency()),
        rx.el.div(
            rx.el.label("Sample window", html_for="sample"),
            live.sample_window(),
            class_name="row",
        ),
        rx.el.div(live.pause_button(), live.reset_button(), class_name="buttons"),
        rx.el.h3("Feed"),
        live.needs_server(live.feeds()),
        rx.el.h3("This page"),
        facts(
            ("Total messages", live.figure("total", test_id="total-messages"), TOTAL),
            ("Pushes", live.figure("pushes"), PUSHES),
            ("Conflated", live.figure("conflated"), CONFLATED),
            ("Lost", live.figure("lost"), LOST),
            ("Missed pushes", live.figure("missed"), MISSED),
            ("Drops", live.figure("drops", test_id="drops"), DROPS),
        ),
        rx.el.h3("Server"),
        facts(
            ("CPU", live.figure("cpu"), "The serving process, in percent of one core."),
            ("Memory", live.figure("memory"), "The serving process."),
            ("Events", live.figure("server-rate"), "Events that the hub published per second."),
        ),
    )


TOTAL = "Events that reached this page, of all symbols."
PUSHES = "Batches that reached this page per second; each carries every event since the last."
CONFLATED = "Prices and books replaced by a newer one of their symbol before they could be sent."
LOST = "Events that the server had to forget before they could be sent."
MISSED = "Batches that were sent and never reached this page's code."
DROPS = "Lost events and missed pushes together."


def add_page(app: rx.App) -> None:
    """Put the page into the app."""
    template.prepare(app)
    app.add_page(
        index,
        route="/",
        title=f"Market · {template.PRODUCT}",
        description="Real-time market data: prices, order book, trades and their latency.",
        image="/favicon.svg",
        on_load=MarketState.stream,
    )
