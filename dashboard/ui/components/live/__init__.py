"""The React components that draw the live stream; the JavaScript stands beside this file.

`LiveStream` takes the batches in; all other components draw from the store it
fills, in one animation-frame loop, without rendering again in React.
"""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import reflex as rx


def _shared() -> dict[str, str]:
    files = sorted(Path(__file__).parent.glob("*.js*"))
    return {each.name: rx.asset(each.name, shared=True).importable_path for each in files}


# For each file Reflex looks up the module of every caller on the stack. During imports that is
# deep, and took most of the time of a start; a thread's own stack is short.
with ThreadPoolExecutor(1) as thread:
    _paths = thread.submit(copy_context().run, _shared).result()


class LiveStream(rx.Component):
    """Take batches in and carry the page's wishes out; draw nothing."""

    library = _paths["stream.jsx"]
    tag = "LiveStream"

    state: rx.Var[str]
    on_report: rx.EventHandler[
        rx.event.passthrough_event_spec(float, float, int, float)  # pyright: ignore[reportCallIssue] - stubs: one type
    ]
    on_took: rx.EventHandler[rx.event.passthrough_event_spec(object)]
    on_missed: rx.EventHandler[rx.event.passthrough_event_spec(object)]
    on_hide: rx.EventHandler[rx.event.passthrough_event_spec(bool)]
    on_frequency: rx.EventHandler[rx.event.passthrough_event_spec(float)]
    on_pause: rx.EventHandler[rx.event.passthrough_event_spec(bool)]
    on_choose: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_bars: rx.EventHandler[rx.event.passthrough_event_spec(str)]
    on_find: rx.EventHandler[
        rx.event.passthrough_event_spec(str, float)  # pyright: ignore[reportCallIssue] - stubs: one type
    ]
    on_watch: rx.EventHandler[rx.event.passthrough_event_spec(list[str])]
    on_replay: rx.EventHandler[
        rx.event.passthrough_event_spec(str, str, float)  # pyright: ignore[reportCallIssue] - stubs: one type
    ]


class Leaf(rx.Component):
    """A component that needs nothing but the store."""


class Figure(rx.Component):
    """One number by its name in figures.js."""

    library = _paths["figure.jsx"]
    tag = "Figure"

    name: rx.Var[str]
    test_id: rx.Var[str]


class Trend(rx.Component):
    """A rate over the last minute."""

    library = _paths["charts.jsx"]
    tag = "Trend"

    name: rx.Var[str]
    label: rx.Var[str]


class Histogram(rx.Component):
    """The latency's distribution."""

    library = _paths["charts.jsx"]
    tag = "Histogram"

    label: rx.Var[str]


class PageLink(rx.Component):
    """A link to another page, which changes without being loaded anew."""

    library = _paths["link.jsx"]
    tag = "PageLink"

    href: rx.Var[str]


class ChartTable(rx.Component):
    """What charts show, as a table."""

    library = _paths["table.jsx"]
    tag = "ChartTable"

    name: rx.Var[str]
    label: rx.Var[str]


class CandleChart(rx.Component):
    """Bars of the chosen instrument as candles, by TradingView's Lightweight Charts."""

    library = _paths["candles.jsx"]
    tag = "Candles"
    lib_dependencies: list[str] = ["lightweight-charts@5.2.1"]


class Settings(rx.Component):
    """What this browser remembers, and the way out of the page's session."""

    library = _paths["settings.jsx"]
    tag = "Settings"

    sign_out: rx.Var[str]


class PnlChart(rx.Component):
    """The clients' PnL over time, by plotly."""

    library = _paths["pnlchart.jsx"]
    tag = "PnlChart"
    lib_dependencies: list[str] = ["plotly.js-basic-dist-min@3.7.0"]

    layout: rx.Var[dict[str, Any]]
    config: rx.Var[dict[str, Any]]
    looks: rx.Var[dict[str, Any]]
    colors: rx.Var[int]
    dashes: rx.Var[list[str]]


class SearchField(rx.Component):
    """A search field that asks when its reader pauses."""

    library = _paths["searchfield.jsx"]
    tag = "SearchField"

    label: rx.Var[str]
    placeholder: rx.Var[str]
    default_value: rx.Var[str]
    max_length: rx.Var[int]
    on_search: rx.EventHandler[rx.event.passthrough_event_spec(str)]


class NeedsServer(rx.Component):
    """Controls that are off while the server does not answer."""

    library = _paths["needsserver.jsx"]
    tag = "NeedsServer"


class Fold(rx.Component):
    """A button that folds a panel where the window is narrow."""

    library = _paths["fold.jsx"]
    tag = "Fold"

    panel: rx.Var[str]
    label: rx.Var[str]


def page_link(*children: rx.Component | str, href: str, **props: Any) -> rx.Component:
    """Link to another page of the product."""
    return PageLink.create(*children, href=href, **props)


def figure(name: str, *, test_id: str | None = None) -> rx.Component:
    """Show one number."""
    return Figure.create(name=name, test_id=test_id or f"figure-{name}")


def fold(*, panel: str, label: str) -> rx.Component:
    """Fold the panel of this id."""
    return Fold.create(panel=panel, label=label)


def watched_count() -> rx.Component:
    """Say how many of the feeds' symbols are watched."""
    return _leaf("cards.jsx", "WatchedCount")


def _leaf(module: str, tag: str) -> rx.Component:
    return Leaf.create(library=_paths[module], tag=tag)


def announcer() -> rx.Component:
    """Tell screen readers, and the styles, how things stand."""
    return _leaf("status.jsx", "Announcer")


def book() -> rx.Component:
    """Draw the order book of the chosen symbol."""
    return _leaf("book.jsx", "Book")


def candles() -> rx.Component:
    """Draw the bars of the chosen instrument."""
    return CandleChart.create()


def cards() -> rx.Component:
    """Draw a card for each watched symbol."""
    return _leaf("cards.jsx", "Cards")


def chosen() -> rx.Component:
    """Name the chosen symbol."""
    return _leaf("book.jsx", "Chosen")


def depth_chart() -> rx.Component:
    """Draw the cumulative depth of the chosen instrument's book."""
    return _leaf("depthchart.jsx", "DepthChart")


def connection_pill() -> rx.Component:
    """Say how the page stands towards the server."""
    return _leaf("status.jsx", "ConnectionPill")


def feed_pill() -> rx.Component:
    """Name the feed and its state."""
    return _leaf("status.jsx", "FeedPill")


def feeds() -> rx.Component:
    """List every feed's state and counters."""
    return _leaf("feeds.jsx", "Feeds")


def frequency() -> rx.Component:
    """Change the update interval of all clients."""
    return _leaf("frequency.jsx", "Frequency")


def hops() -> rx.Component:
    """Split the latency by hop."""
    return _leaf("hops.jsx", "Hops")


def instrument_selector() -> rx.Component:
    """Search for another instrument, and go to it."""
    return _leaf("selector.jsx", "InstrumentSelector")


def instrument_tiles() -> rx.Component:
    """Show a tile for each instrument, with a search field."""
    return _leaf("tiles.jsx", "Tiles")


def ladder() -> rx.Component:
    """Draw the price ladder of the chosen instrument."""
    return _leaf("ladder.jsx", "PriceLadder")


def last_price() -> rx.Component:
    """Show the last price of the chosen instrument."""
    return _leaf("last.jsx", "LastPrice")


def last_trades() -> rx.Component:
    """List the last trades of the chosen instrument, with buyer and seller."""
    return _leaf("trades.jsx", "LastTrades")


def needs_server(*controls: rx.Component) -> rx.Component:
    """Put controls off while the server does not answer."""
    return NeedsServer.create(*controls)


def note() -> rx.Component:
    """Say why numbers stand still, while they do."""
    return _leaf("status.jsx", "Note")


def palette() -> rx.Component:
    """Offer every command by its words."""
    return _leaf("palette.jsx", "Palette")


def palette_button() -> rx.Component:
    """Open the command palette."""
    return _leaf("palette.jsx", "PaletteButton")


def pause_button() -> rx.Component:
    """Hold the stream of this page, or let it go on."""
    return _leaf("controls.jsx", "PauseButton")


def paused_pill() -> rx.Component:
    """Say that the page is paused, while it is."""
    return _leaf("status.jsx", "PausedPill")


def quote() -> rx.Component:
    """Show best bid and offer of the chosen instrument, spread and theoretical price."""
    return _leaf("quote.jsx", "QuotePanel")


def reset_button() -> rx.Component:
    """Forget every measurement."""
    return _leaf("controls.jsx", "ResetButton")


def reset_notice() -> rx.Component:
    """Offer to bring back what a reset forgot."""
    return _leaf("controls.jsx", "ResetNotice")


def sample_window() -> rx.Component:
    """Choose how many samples a card spans."""
    return _leaf("samplewindow.jsx", "SampleWindow")


def server_hint() -> rx.Component:
    """Say that controls which need the server are off, while they are."""
    return _leaf("needsserver.jsx", "ServerHint")


def settings(*, sign_out: str) -> rx.Component:
    """Choose theme, colour pair and keys; `sign_out` is the address that ends the session."""
    return Settings.create(sign_out=sign_out)


def step_chart() -> rx.Component:
    """Draw bid and ask of the chosen instrument as steps, its trades as dots."""
    return _leaf("stepchart.jsx", "StepChart")


def tape() -> rx.Component:
    """List recent trades."""
    return _leaf("tape.jsx", "Tape")


def theme_switch() -> rx.Component:
    """Switch between light and dark."""
    return _leaf("settings.jsx", "ThemeSwitch")


def refusal() -> rx.Component:
    """Say why the chosen instrument is not delivered, while it is not."""
    return _leaf("status.jsx", "Refusal")


def unreachable() -> rx.Component:
    """Say that the server can't be reached, where nothing has come of it."""
    return _leaf("status.jsx", "Unreachable")


def utc_clock() -> rx.Component:
    """Show the time of day, UTC."""
    return _leaf("status.jsx", "UtcClock")


def watchlist_editor() -> rx.Component:
    """Add, remove and reorder the watched symbols."""
    return _leaf("watchlist.jsx", "WatchlistEditor")
