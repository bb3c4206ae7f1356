"""The only door from the hub to the page: one paced stream of batches per open tab.

A batch goes out as a delta of `LiveState`, without the state's lock and without
the state itself keeping it. The slots take turns: when the browser is busy,
several batches reach it before React renders, and with one variable the last
would hide the others.
"""

import math
from collections.abc import Sequence
from typing import Any

import reflex as rx
import structlog
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event.context import EventContext

from dashboard.bootstrap import Services, services
from dashboard.config import SPEED_MAX, SPEED_MIN
from dashboard.core.instruments import Instrument
from dashboard.core.principal import CONTROL
from dashboard.feeds.base import SeekableFeed
from dashboard.ui.page_socket import page_principal
from dashboard.ui.tab import SLOTS, Tab
from dashboard.ui.watch import MAX_WATCHED

log = structlog.get_logger(__name__)

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

    @rx.event(background=True)
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

    @rx.event(background=True)
    async def took(self, generation: Any) -> None:
        """Take the page's answer to an opening of its stream, see `Tab.took`."""
        if (tab := tab_of(EventContext.get().token)) is not None:
            tab.took(generation)

    @rx.event(background=True)
    async def missed(self, generation: Any) -> None:
        """Take the page's word that a push did not reach it, see `Tab.missed`."""
        if (tab := tab_of(EventContext.get().token)) is not None:
            tab.missed(generation)


def slots() -> list[rx.Var[dict[str, Any]]]:
    """Give the batch variables, for the component that takes them in."""
    return [getattr(LiveState, f"slot_{number}") for number in range(SLOTS)]


def control_replay(running: Services, name: str, control: str, value: float) -> str | None:
    """Pause, resume, speed up or move a replay, for all pages.

    `control` is pause, resume, speed or seek; the last two take `value`. Gives
    the reason when it was ignored, else None.
    """
    reason = _control(running.replays.get(str(name)), control, value)
    if reason is not None:
        log.warning("replay control ignored", feed=str(name)[:50], reason=reason)
        return reason
    for tab in _tabs.values():
        tab.tell_status()
    return None


def _control(replay: SeekableFeed | None, control: str, value: float) -> str | None:
    if replay is None:
        return "no feed of this name is a replay"
    if control == "pause":
        replay.pause()
    elif control == "resume":
        replay.resume()
    elif control not in ("speed", "seek"):
        return "not one of pause, resume, speed, seek"
    elif not isinstance(value, int | float) or not math.isfinite(value):
        return "the value is no finite number"
    elif control == "seek":
        replay.seek(min(max(value, 0.0), replay.duration_s))
    elif value and not SPEED_MIN <= value <= MAX_SPEED:
        return f"a speed is 0, or {SPEED_MIN:g} to {MAX_SPEED:g}"
    else:
        replay.set_speed(value)
    return None


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
        if (instrument := services().directory.find(name)) is not None:
            found[instrument.id] = instrument
        if len(found) == MAX_WATCHED:
            break
    return list(found.values())


async def stream_to_page(
    *, watched: Sequence[str] = (), chosen: str = "", detailed: bool = False
) -> None:
    """Stream to the page whose event is being handled, until it leaves.

    `watched` are full ids or symbols, see `find_instruments`; `chosen` is a full id.
    `detailed` is for a page about the chosen instrument alone, see `Tab`.

    Call it from a background event of `on_load`: Reflex cancels that one when
    the tab closes and begins it again when the tab comes back. A page has one
    stream; a new one ends the old.
    """
    instruments = find_instruments(watched)
    context = EventContext.get()
    if (old := _tabs.get(context.token)) is not None:
        old.close()
    tab = _tabs[context.token] = Tab(
        services(),
        watched=instruments,
        chosen=chosen,
        detailed=detailed,
        may_control=CONTROL in page_principal(context.token).scopes,
    )
    state = LiveState.get_full_name()

    async def send(slot: str, batch: dict[str, Any]) -> None:
        await context.emit_delta({state: {slot + FIELD_MARKER: batch}})

    try:
        await tab.run(send)
    finally:
        if _tabs.get(context.token) is tab:
            del _tabs[context.token]
