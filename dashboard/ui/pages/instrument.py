"""The page of one instrument at `/instruments/{id}`."""

from urllib.parse import unquote

import reflex as rx

from dashboard.core.instruments import Instrument, decimals_of
from dashboard.ui import bridge, template
from dashboard.ui.components import live
from dashboard.ui.components.panel import facts, panel
from dashboard.ui.formatting import NONE, format_signed
from dashboard.ui.stream import live_stream

ROUTE = "/instruments/[[...splat]]"
PREFIX = "/instruments/"


class InstrumentState(rx.State):
    """Which instrument the page is about, as its address says."""

    symbol: str = ""
    exchange: str = ""
    tick_size: str = NONE
    underlying: str = NONE
    absolute_limit: str = NONE
    delta_limit: str = NONE
    missing: str = ""
    """The name in the address, when no feed has an instrument of it."""

    @rx.event(background=True)
    async def stream(self) -> None:
        """Find the instrument of the address and stream it to the page until it leaves."""
        async with self:
            name = name_in(self.router.url.path)
            found = bridge.find(name)
            self._take(name, found)
        await bridge.stream_to_page(watched=[found.id] if found else [], detailed=True)

    def _take(self, name: str, found: Instrument | None) -> None:
        self.missing = "" if found else name
        self.symbol = found.symbol if found else ""
        self.exchange = found.exchange if found else ""
        self.underlying = (found and found.underlying) or NONE
        self.tick_size = _number(found and found.tick_size)
        self.absolute_limit = _number(found and found.absolute_limit)
        self.delta_limit = _number(found and found.delta_limit)


def name_in(path: str) -> str:
    """Give the instrument's name in a path; its slashes may stand there raw or as %2F."""
    return unquote(path.partition(PREFIX)[2])


def _number(value: float | None) -> str:
    return NONE if value is None else format_signed(value, decimals_of(value)).lstrip("+")


def content() -> rx.Component:
    """Compose the page."""
    return template.page(
        "Instruments",
        live_stream(),
        rx.el.div(
            _heading(),
            live.refusal(),
            rx.cond(InstrumentState.missing != "", _not_found(), _panels()),
            class_name="instrument",
        ),
        headed=True,
    )


def _heading() -> rx.Component:
    return rx.el.div(
        rx.el.h1(
            "Exchange Dashboard",
            rx.cond(InstrumentState.symbol != "", f" - {InstrumentState.symbol}", ""),
            id="page-title",
        ),
        rx.cond(InstrumentState.symbol != "", _now(), rx.el.span(class_name="spring")),
        live.needs_server(live.instrument_selector()),
        live.pause_button(),
        class_name="instrument-heading",
    )


def _now() -> rx.Component:
    return rx.fragment(
        rx.el.span(InstrumentState.exchange, class_name="venue"),
        live.last_price(),
        rx.el.span(class_name="spring"),
        _count("Messages", "messages", MESSAGES),
        _count("Books", "books", "Order books of this instrument since the page opened it."),
        _count("Trades", "trades", "Trades of this instrument since the page opened it."),
    )


def _count(label: str, name: str, definition: str) -> rx.Component:
    return rx.el.span(
        f"{label} ",
        rx.el.b(live.figure(name, test_id=f"{name}-count")),
        title=definition,
        class_name="measure",
    )


def _not_found() -> rx.Component:
    return rx.el.div(
        rx.el.h2(f"Instrument '{InstrumentState.missing}' not found"),
        rx.el.p("None of the feeds has an instrument of this name. Names are case-sensitive."),
        rx.el.p(live.page_link("See all instruments", href="/instruments/", class_name="open")),
        class_name="panel not-found",
        custom_attrs={"data-testid": "not-found"},
    )


def _panels() -> rx.Component:
    return rx.el.div(
        panel("bbo-data", "Best bid and offer", live.quote(), _facts()),
        panel("order-book", "Order book", live.ladder()),
        panel(
            "steps",
            "Bid, ask and trades",
            live.step_chart(),
            live.ChartTable.create(name="quotes", label="Quotes as a table"),
        ),
        panel("trades-data", "Last trades", live.last_trades()),
        panel(
            "candles",
            "Candles",
            live.candles(),
            live.ChartTable.create(name="candles", label="Candles as a table"),
        ),
        panel("depth", "Depth", live.depth_chart()),
        class_name="instrument-panels",
    )


def _facts() -> rx.Component:
    return facts(
        ("Tick size", rx.el.span(InstrumentState.tick_size, class_name="figure"), TICK),
        (
            "Underlying",
            rx.el.span(InstrumentState.underlying, title=InstrumentState.underlying),
            "What the instrument's value follows.",
        ),
        (
            "Absolute limit",
            rx.el.span(InstrumentState.absolute_limit, class_name="figure"),
            "Largest position of a client in this instrument, either way.",
        ),
        (
            "Delta limit",
            rx.el.span(InstrumentState.delta_limit, class_name="figure"),
            "Largest sum of a client's positions in all instruments of the underlying.",
        ),
    )


MESSAGES = (
    "Quotes, books and trades of this instrument since the page opened it; "
    "prices, where its feed sends nothing else."
)
TICK = "Smallest difference between two prices."


def add_page(app: rx.App) -> None:
    """Put the page into the app."""
    app.add_page(
        content,
        route=ROUTE,
        title=rx.cond(
            InstrumentState.symbol != "",
            f"{InstrumentState.symbol} · {template.PRODUCT}",
            f"Instrument · {template.PRODUCT}",
        ),
        description="One instrument: ladder, best bid and offer, trades, charts.",
        image="/favicon.svg",
        on_load=InstrumentState.stream,
    )
