"""The PnL page at `/pnl`: PnL and positions of the clients, set against their limits."""

import asyncio
import time
from typing import Any

import reflex as rx

from dashboard.core.limits import Level, expose
from dashboard.ui import accounts, bridge, template
from dashboard.ui.components import live
from dashboard.ui.components.exports import export_links
from dashboard.ui.components.panel import facts, panel
from dashboard.ui.components.pnl_chart import pnl_chart
from dashboard.ui.components.pnl_table import pnl_table
from dashboard.ui.components.positions_table import LARGEST_FIRST, positions_table
from dashboard.ui.curves import RANGES_MIN, Curves, drawn
from dashboard.ui.formatting import format_count
from dashboard.ui.running import Running
from dashboard.ui.stream import live_stream

MAX_SEARCH_CHARACTERS = 100
FLOWING = frozenset({"live", "replayed"})


class PnlState(rx.State):
    """What the page shows, and what its reader chose to see of it."""

    minutes: str = rx.LocalStorage("5", name="livetape-pnl-range")
    column: str = "status"
    descending: bool = True
    words: str = ""
    only_pressing: bool = False

    phase: str = "connecting"
    """`connecting` before the first push, `empty` without any client, then `full`."""
    stale: str = ""
    counts: dict[str, str] = {}
    pnl: list[list[str]] = []
    positions: list[list[str]] = []
    left_out: str = ""

    @rx.event(background=True)
    async def stream_curves(self) -> None:
        """Stream the lines of the chart to the page, beside what all pages get, until it leaves."""
        async with self:
            curves = Curves(bridge.running().accounts, minutes=self._minutes())
        await bridge.stream_to_page(curves=curves)

    @rx.event(background=True)
    async def stream(self) -> None:
        """Show the clients anew at every whole second until the page leaves.

        What can't be shown leaves what stands there; the next second may go well again.
        """
        survival = bridge.survival("pnl page")
        while True:
            async with self:
                with survival:
                    self._show()
            await asyncio.sleep(1 - time.monotonic_ns() % accounts.SECOND_NS / accounts.SECOND_NS)

    @rx.event(temporal=True)
    def choose_range(self, minutes: str) -> None:
        """Draw the last 1, 5, 15 or 30 minutes."""
        if minutes in map(str, RANGES_MIN):
            self.minutes = minutes
            self._show()
            tab = bridge.tab_of(self.router.session.client_token)
            if tab is not None and tab.curves is not None:
                tab.curves.show(self._minutes())

    @rx.event(temporal=True)
    def search(self, text: str) -> None:
        """Keep the positions that these words name: client, instrument, exchange, underlying."""
        self.words = text[:MAX_SEARCH_CHARACTERS]
        self._show()

    @rx.event(temporal=True)
    def toggle_pressing(self) -> None:
        """Keep the positions that are near or over a limit, or all of them again."""
        self.only_pressing = not self.only_pressing
        self._show()

    @rx.event(temporal=True)
    def sort_by(self, column: str) -> None:
        """Sort by a column; by the same one again, the other way round."""
        if column in accounts.SORT_KEYS:
            self.descending = (
                not self.descending if column == self.column else column in LARGEST_FIRST
            )
            self.column = column
            self._show()

    def _minutes(self) -> int:
        """Give the range; the browser may have remembered one that there is not."""
        return int(self.minutes) if self.minutes in map(str, RANGES_MIN) else 5

    def _show(self) -> None:
        """Read what is remembered; only what has changed goes to the page."""
        for name, value in self._view(bridge.running()).items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    def _view(self, running: Running) -> dict[str, Any]:
        known = running.accounts.current()
        now_ns = time.monotonic_ns()
        minutes = self._minutes()
        lines = drawn(known)
        exposures = expose(running.accounts.positions(), running.directory)
        shown = accounts.ordered(
            accounts.matching(exposures, search=self.words, only_pressing=self.only_pressing),
            column=self.column,
            descending=self.descending,
        )
        levels = [each.level for each in exposures]
        over, near = levels.count(Level.OVER), levels.count(Level.NEAR)
        return {
            "phase": "full" if known else "empty",
            "stale": stale_feeds(running),
            "pnl": [
                list(row) for row in accounts.pnl_rows(known, lines, minutes=minutes, now_ns=now_ns)
            ],
            "positions": list(map(list, accounts.position_rows(shown[: accounts.MAX_ROWS]))),
            "left_out": left_out(len(shown), len(exposures)),
            "counts": {
                "clients": format_count(len(known)),
                "updates": format_count(running.accounts.updates),
                "over": format_count(over),
                "near": format_count(near),
            },
        }


def stale_feeds(running: Running) -> str:
    """Name the feeds that clients come from and that do not flow."""
    exchanges = {each.exchange for each in running.accounts.current()}
    return ", ".join(
        f"{name} is {report.status.state}"
        for name, report in running.feeds.current().items()
        if report.status.state not in FLOWING
        and not exchanges.isdisjoint(running.directory.exchanges.get(name, ()))
    )


def left_out(found: int, known: int) -> str:
    """Say what the table does not show, of so many `found` by the filter and `known` at all."""
    if not found:
        return "No position matches the filter." if known else "No positions yet."
    hidden = found - accounts.MAX_ROWS
    return f"{format_count(hidden)} more: narrow the filter." if hidden > 0 else ""


def index() -> rx.Component:
    """Compose the page."""
    return template.page(
        "PnL",
        live_stream(),
        rx.el.div(
            rx.match(
                PnlState.phase,
                ("full", _content()),
                ("empty", _no_pnl()),
                rx.el.p("Waiting for the stream to begin.", class_name="empty"),
            ),
            class_name="pnl",
            custom_attrs={"data-stale": PnlState.stale != "", "data-testid": "pnl"},
        ),
    )


def _no_pnl() -> rx.Component:
    return rx.el.p(
        "No feed sends PnL. Run ",
        rx.el.code("make exchange"),
        " for a demonstration exchange, and start Livetape with ",
        rx.el.code("DASHBOARD_FEED=redis"),
        ".",
        class_name="empty",
    )


def _content() -> rx.Component:
    return rx.fragment(
        panel(
            "pnl-chart",
            "PnL over time",
            rx.el.div(
                pnl_chart(),
                class_name="pnl-plot",
                role="img",
                custom_attrs={
                    "aria-label": "PnL of each client over time; its end is in the table"
                },
            ),
            beside=rx.fragment(_stale_note(), live.needs_server(_ranges())),
        ),
        panel(
            "pnl-clients",
            "Latest PnL",
            _counters(),
            _scrolled("Table of the latest PnL", pnl_table(PnlState.pnl, PnlState.minutes)),
            beside=export_links("pnl", "PnL history"),
        ),
        panel(
            "positions",
            "Positions and limits",
            live.needs_server(_filter()),
            _scrolled(
                "Table of positions and limits",
                live.needs_server(
                    positions_table(
                        PnlState.positions,
                        sorted_by=PnlState.column,
                        descending=PnlState.descending,
                        on_sort=PnlState.sort_by,
                    ),
                ),
            ),
            rx.cond(PnlState.left_out != "", rx.el.p(PnlState.left_out, class_name="empty")),
            beside=rx.fragment(_stale_note(), export_links("positions", "Positions")),
        ),
    )


def _scrolled(name: str, table: rx.Component) -> rx.Component:
    return rx.el.div(
        table,
        class_name="scroll",
        role="region",
        tab_index=0,
        custom_attrs={"aria-label": name},
    )


def _stale_note() -> rx.Component:
    return rx.cond(
        PnlState.stale != "",
        rx.el.span(PnlState.stale, class_name="note feed-note", title=STALE),
    )


STALE = "The last values stay, greyed, until the feed flows again."


def _ranges() -> rx.Component:
    return rx.el.div(
        *(
            rx.el.button(
                f"{minutes}",
                rx.el.span(" min"),
                type="button",
                on_click=PnlState.choose_range(str(minutes)),
                custom_attrs={"aria-pressed": PnlState.minutes == str(minutes)},
            )
            for minutes in RANGES_MIN
        ),
        class_name="ranges",
        role="group",
        custom_attrs={"aria-label": "Time range"},
    )


def _counters() -> rx.Component:
    return rx.el.div(
        facts(
            ("Clients", _count("clients"), "Clients that PnL or positions were heard of."),
            ("Updates", _count("updates"), "Updates of PnL and positions since the start."),
        ),
        class_name="counters",
    )


def _count(name: str) -> rx.Component:
    return rx.el.span(
        PnlState.counts[name], class_name="figure", custom_attrs={"data-testid": f"pnl-{name}"}
    )


def _filter() -> rx.Component:
    return rx.el.div(
        live.SearchField.create(
            id="positions-filter",
            label="Filter by client, instrument or underlying",
            placeholder="Client or instrument",
            default_value=PnlState.words,
            max_length=MAX_SEARCH_CHARACTERS,
            on_search=PnlState.search,
        ),
        rx.el.button(
            "Only near or over",
            type="button",
            id="only-pressing",
            on_click=PnlState.toggle_pressing,
            custom_attrs={"aria-pressed": PnlState.only_pressing},
        ),
        rx.el.p(
            _alarm("over", "Over a limit"),
            _alarm("near", "Near a limit"),
            class_name="alarm",
            role="status",
            title="Positions, counted by the worse of their two limits",
        ),
        live.server_hint(),
        class_name="filter",
    )


def _alarm(level: str, words: str) -> rx.Component:
    return rx.el.span(
        f"{words}: {PnlState.counts[level]}",
        class_name="tag",
        custom_attrs={
            "data-level": rx.cond(PnlState.counts[level] == "0", "", level),
            "data-testid": f"positions-{level}",
        },
    )


def add_page(app: rx.App) -> None:
    """Put the page into the app."""
    app.add_page(
        index,
        route="/pnl",
        title=f"PnL · {template.PRODUCT}",
        description="Profit and loss of each client, and positions set against their limits.",
        image="/favicon.svg",
        on_load=[PnlState.stream_curves, PnlState.stream],
    )
