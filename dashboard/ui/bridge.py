"""The only door from the hub to the page: one paced stream of batches per open tab.

A batch goes out as a delta of `LiveState`, without the state's lock and without
the state itself keeping it. The slots take turns: when the browser is busy,
several batches reach it before React renders, and with one variable the last
would hide the others.
"""

from collections.abc import Sequence
from typing import Any

import reflex as rx
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event.context import EventContext

from dashboard.config import SPEED_MAX
from dashboard.core.instruments import Instrument
from dashboard.core.principal import CONTROL
from dashboard.hub.failures import Survival
from dashboard.ui.curves import Curves
from dashboard.ui.page_socket import page_principal
from dashboard.ui.running import Running
from dashboard.ui.tab import Tab
from dashboard.ui.watch import MAX_WATCHED

MAX_SPEED = SPEED_MAX
"""Fastest replay that a page may ask for; 0 stands for as fast as it goes."""


class LiveState(rx.State):
    """Carries batches to the page's `LiveStream` component; nothing else renders on it."""

    slot_0: dict[str, Any] = {}
    slot_1: dict[str, Any] = {}
    slot_2: dict[str, Any] = {}
    slot_3: dict[str, Any] = {}
    slot_4: dict[str, Any] = {}
    slot_5: dict[str, Any] = {}
    slot_6: dict[str, Any] = {}
    slot_7: dict[str, Any] = {}

    @rx.event(background=True, temporal=True)
    async def report(
        self, shift_ms: float, period_ms: float, seen_shifts: int, page_ms: float
    ) -> None:
        """Take the page's measurement of its frames, see `core.pacing`."""
        if (tab := tab_of(EventContext.get().token)) is not None:
            tab.report(
                shift_ms=float(shift_ms),
                period_ms=float(period_ms),
                seen_shifts=int(seen_shifts),
                page_ms=float(page_ms),
            )

    @rx.event(background=True, temporal=True)
    async def took(self, generation: Any) -> None:
        """Take the page's answer to an opening of its stream, see `Tab.took`."""
        if (tab := tab_of(EventContext.get().token)) is not None:
            tab.took(generation)

    @rx.event(background=True, temporal=True)
    async def missed(self, generation: Any) -> None:
        """Take the page's word that a push did not reach it, see `Tab.missed`."""
        if (tab := tab_of(EventContext.get().token)) is not None:
            tab.missed(generation)


_running: Running | None = None


def serve(running: Running) -> None:
    """Let the pages show this running product."""
    global _running
    _running = running


def running() -> Running:
    """Give the running product.

    Raises:
        RuntimeError: before there is one.
    """
    if _running is None:
        raise RuntimeError("the pages serve nothing yet")
    return _running


def find(name: str) -> Instrument | None:
    """Find an instrument by its full id, or by its symbol: then the first feed's."""
    return running().directory.find(name)


def standing(count: int) -> Sequence[Instrument]:
    """Give the first of what is delivered to everybody."""
    return running().directory.standing[:count]


def survival(place: str) -> Survival:
    """Give what counts an error of a page and goes on, see `hub.failures`."""
    return running().hub.failures.at(place)


_tabs: dict[str, Tab] = {}


def tab_of(token: str) -> Tab | None:
    """Give the open stream of a page, by its client token; None when it has none."""
    return _tabs.get(token)


def find_instruments(names: Sequence[str]) -> list[Instrument]:
    """Find what a page wants to watch: as many as it can watch.

    A name is a full id, or a symbol: then the first feed's counts; unknown ones are left out.
    """
    found: dict[str, Instrument] = {}
    for name in names:
        if (instrument := find(name)) is not None:
            found[instrument.id] = instrument
        if len(found) == MAX_WATCHED:
            break
    return list(found.values())


async def stream_to_page(
    *,
    watched: Sequence[str] = (),
    chosen: str = "",
    detailed: bool = False,
    curves: Curves | None = None,
) -> None:
    """Stream to the page whose event is being handled, until it leaves.

    `watched` are full ids or symbols, see `find_instruments`; `chosen` is a full id.
    `detailed` is for a page about the chosen instrument alone, `curves` for one that draws
    the clients' PnL, see `Tab`.

    Call it from a background event of `on_load`: Reflex cancels that one when
    the tab closes and begins it again when the tab comes back. A page has one
    stream; a new one ends the old.
    """
    instruments = find_instruments(watched)
    if detailed and instruments:
        await running().bars.load(instruments[0])
    context = EventContext.get()
    if (old := _tabs.get(context.token)) is not None:
        old.close()
    principal = page_principal(context.token)
    tab = _tabs[context.token] = Tab(
        running(),
        watched=instruments,
        chosen=chosen,
        detailed=detailed,
        may_control=CONTROL in principal.scopes,
        signed_in=principal.session is not None,
        curves=curves,
    )
    state = LiveState.get_full_name()

    async def send(slot: str, batch: dict[str, Any]) -> None:
        await context.emit_delta({state: {slot + FIELD_MARKER: batch}})

    try:
        await tab.run(send)
    finally:
        if _tabs.get(context.token) is tab:
            del _tabs[context.token]
