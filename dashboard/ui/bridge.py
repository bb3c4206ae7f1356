"""The only door from the hub to the page: one paced stream of batches per open tab.

A batch goes out as a delta of `LiveState`, without the state's lock and without
the state itself keeping it. The slots take turns: when the browser is busy,
several batches reach it before React renders, and with one variable the last
would hide the others.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import reflex as rx
import structlog
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event.context import EventContext

from dashboard.bootstrap import Services, services
from dashboard.core.conflation import OverflowPolicy, conflate
from dashboard.core.model import Kind, Published, Topic
from dashboard.core.pacing import Pacer
from dashboard.feeds.base import SeekableFeed
from dashboard.ui.batch import NS_PER_MS, market_part

log = structlog.get_logger(__name__)

SLOTS = 8
MAX_WATCHED = 50
BUFFER_EVENTS = 20_000
HEARTBEAT_S = 0.5
STATUS_S = 1.0
MAX_SPEED = 1000
"""Fastest replay that a page may ask for; 0 stands for as fast as it goes."""
NAP_S = 0.1
"""Longest sleep, so that a change of the frequency or a pause is felt at once."""


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


def slots() -> list[rx.Var[dict[str, Any]]]:
    """Give the batch variables, for the component that takes them in."""
    return [getattr(LiveState, f"slot_{number}") for number in range(SLOTS)]


class Tab:
    """One open page: what it watches, and its stream of batches.

    Event handlers change it at any time; its stream takes that into account
    with the next push.
    """

    def __init__(self, running: Services, *, watched: Sequence[str], chosen: str) -> None:
        self._services = running
        self._hub = running.hub
        self._pacer = Pacer(interval_ms=running.frequency_ms, now=time.monotonic())
        self._subscription = self._hub.subscribe(
            name="page",
            wants=lambda _topic: True,
            capacity=BUFFER_EVENTS,
            policy=OverflowPolicy.CONFLATE,
        )
        self._generation = time.time_ns() // 1_000_000
        self._number = 0
        self._sent_s = 0.0
        self._status_s = 0.0
        self._echo: tuple[float, float] | None = None
        self._described: tuple[object, ...] = ()
        self._description = 0
        self._catch_up: list[Published] = []
        self._index: dict[str, int] = {}
        self._symbols: list[list[Any]] = []
        self._known = 0
        self._paused = False
        self._chosen = chosen
        self.watch(watched)

    def watch(self, symbols: Sequence[str]) -> None:
        """Stream the prices and trades of these symbols; the others are only counted.

        When the chosen symbol is not among them, the first of them is chosen.
        """
        known = self._services.instruments
        self._known = len(known)
        listed = [known[symbol] for symbol in symbols if symbol in known][:MAX_WATCHED]
        self._symbols = [[each.symbol, each.exchange, each.decimals] for each in listed]
        self._index = {each.symbol: at for at, each in enumerate(listed)}
        if listed and self._chosen not in self._index:
            self._chosen = listed[0].symbol
        self._catch_up = self._hub.latest(self._shown)

    def choose(self, symbol: str) -> None:
        """Stream the order book of this symbol, beginning with the latest one."""
        self._chosen = symbol
        self._catch_up += self._hub.latest(
            lambda topic: topic.kind is Kind.BOOK and topic.symbol == symbol
        )

    def pause(self, *, paused: bool) -> None:
        """Hold the stream back, or let it go on from the latest values."""
        self._paused = paused
        if not paused:
            self._catch_up = self._hub.latest(self._shown)

    def report(
        self, *, shift_ms: float, period_ms: float, seen_shifts: int, page_ms: float
    ) -> None:
        """Take what the page measured: its frame period, the shift it asks for, its clock."""
        self._echo = (page_ms, time.time_ns() / NS_PER_MS)
        self._pacer.report(shift_ms=shift_ms, period_ms=period_ms, seen_shifts=seen_shifts)

    def tell_status(self) -> None:
        """Tell the page with the next push how the feeds stand, without waiting for its time."""
        self._status_s = float("-inf")

    async def run(self, send: Callable[[str, dict[str, Any]], Awaitable[None]]) -> None:
        """Send batches until cancelled, or until the hub or a newer stream closes this one."""
        try:
            while not self._subscription.closed:
                batch = self._next_batch()
                if batch is not None:
                    await send(f"slot_{batch['n'] % SLOTS}", batch)
                await self._until_due()
        finally:
            self.close()

    def close(self) -> None:
        """End the stream. Safe to call twice."""
        self._subscription.close()

    async def _until_due(self) -> None:
        asked_ms = self._services.frequency_ms
        self._pacer.set_interval(asked_ms)
        self._pacer.advance(time.monotonic())
        while (wait_s := self._pacer.deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(wait_s, NAP_S))
            if self._services.frequency_ms != asked_ms:
                return

    def _next_batch(self) -> dict[str, Any] | None:
        """Build the next push, or None when there is nothing to say."""
        entries = self._subscription.take()
        if self._paused:
            entries = []
        catch_up, self._catch_up = self._catch_up, []
        now_s = time.monotonic()
        status = now_s - self._status_s >= STATUS_S
        described = self._describe(again=status)
        heartbeat = now_s - self._sent_s >= HEARTBEAT_S
        if not (entries or catch_up or described or heartbeat):
            return None
        now = time.time_ns()
        shown = conflate(entries) if self._services.conflates else entries
        batch = market_part([*catch_up, *shown], index=self._index, chosen=self._chosen, now=now)
        if not entries:
            batch.pop("h", None)  # what is only caught up says nothing about the way here
        elif "h" in batch:
            self._pacer.pushed(batch["h"][1])
        self._number += 1
        self._sent_s = now_s
        batch |= {
            "g": self._generation,
            "n": self._number,
            "t": now / NS_PER_MS,
            "k": self._pacer.shifts,
            "v": self._description,
            "c": len(entries),
            "l": [self._subscription.conflated, self._subscription.lost],
        }
        if described:
            batch["d"] = described
        if status:
            self._status_s = now_s
            batch["f"] = self._feeds()
        if self._echo is not None:
            batch["e"], self._echo = self._echo, None
        return batch

    def _describe(self, *, again: bool) -> dict[str, Any] | None:
        """Give what changes rarely, when it has changed or when it is due `again`.

        A page that missed a change takes no market data until the next time:
        the numbers of the symbols may be others.
        """
        description = (
            self._symbols,
            self._known,
            self._chosen,
            self._paused,
            self._services.frequency_ms,
            round(self._pacer.interval_ms, 1),
        )
        if description != self._described:
            self._described = description
            self._description += 1
        elif not again:
            return None
        names = ("symbols", "known", "chosen", "paused", "frequency_ms", "interval_ms")
        return dict(zip(names, description, strict=True))

    def _feeds(self) -> list[dict[str, Any]]:
        replays = self._services.replays
        return [
            {"name": name, **msgspec.structs.asdict(status), **_controls(replays.get(name))}
            for name, status in self._services.supervisor.status().items()
        ]

    def _shown(self, topic: Topic) -> bool:
        """Tell whether the latest value of a topic brings the page up to date."""
        if topic.kind is Kind.PRICE:
            return topic.symbol in self._index
        return topic.kind is Kind.SYSTEM or (
            topic.kind is Kind.BOOK and topic.symbol == self._chosen
        )


def _controls(replay: SeekableFeed | None) -> dict[str, Any]:
    if replay is None:
        return {}
    return {
        "position_s": round(replay.position_s, 2),
        "duration_s": round(replay.duration_s, 2),
        "speed": replay.speed,
        "paused": replay.paused,
    }


def control_replay(running: Services, name: str, control: str, value: float) -> str | None:
    """Pause, resume, speed up or move a replay, for all pages.

    `control` is pause, resume, speed or seek; the last two take `value`. Gives
    the reason when it was ignored, else None.
    """
    reason = _control(running.replays.get(str(name)), control, value)
    if reason is not None:
        log.warning("replay control ignored", feed=name, control=control, reason=reason)
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
    elif not 0 <= value <= MAX_SPEED:
        return f"a speed is 0 to {MAX_SPEED}"
    else:
        replay.set_speed(value)
    return None


_tabs: dict[str, Tab] = {}


def tab_of(token: str) -> Tab | None:
    """Give the open stream of a page, by its client token; None when it has none."""
    return _tabs.get(token)


async def stream_to_page(*, watched: Sequence[str], chosen: str, paused: bool) -> None:
    """Stream to the page whose event is being handled, until it leaves.

    Call it from a background event of `on_load`: Reflex cancels that one when
    the tab closes and begins it again when the tab comes back. A page has one
    stream; a new one ends the old.
    """
    context = EventContext.get()
    if (old := _tabs.get(context.token)) is not None:
        old.close()
    tab = _tabs[context.token] = Tab(services(), watched=watched, chosen=chosen)
    tab.pause(paused=paused)
    state = LiveState.get_full_name()

    async def send(slot: str, batch: dict[str, Any]) -> None:
        await context.emit_delta({state: {slot + FIELD_MARKER: batch}})

    try:
        await tab.run(send)
    finally:
        if _tabs.get(context.token) is tab:
            del _tabs[context.token]
