"""One open page: what it watches, and its stream of batches."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from dashboard.core.clocks import CLOCK_SET_NS
from dashboard.core.conflation import OverflowPolicy, conflate, conflate_each
from dashboard.core.instruments import Instrument
from dashboard.core.model import Channel, Kind, Published, Topic
from dashboard.core.pacing import Pacer
from dashboard.hub.meter import Meter
from dashboard.ui.batch import NS_PER_MS, hops, last_traded, market_part
from dashboard.ui.closeup import Closeup
from dashboard.ui.columns import CurvesPart, Echo, Hops, Losses
from dashboard.ui.curves import Curves
from dashboard.ui.description import Description
from dashboard.ui.feeds import told_feed
from dashboard.ui.moment import Moment
from dashboard.ui.opening import Opening
from dashboard.ui.running import Streamed
from dashboard.ui.search import Search
from dashboard.ui.watch import Watch

SLOTS = 8
BUFFER_EVENTS = 20_000
HEARTBEAT_S = 0.5
STATUS_S = 1.0
HIDDEN_S = 1.0
"""A page that nobody sees is pushed so often, and told all that one would see."""
NAP_S = 0.1
"""Longest sleep, so that a change of the frequency, a pause or a question is felt at once."""
NS_PER_S = 1_000_000_000
COUNTED_CHANNELS = (Channel.MARKET, Channel.ACCOUNTS, Channel.STATUS)
"""What a page counts, though it shows little of it: what comes from the feeds and the process."""
GENERATION_BITS = 40
"""A stream's generation tells it from those before it, on a page that saw them; it is no clock."""


class Tab:
    """One open page: what it watches, and its stream of batches.

    Event handlers change it at any time; its stream takes that into account
    with the next push. `may_control` says whether it may change what all clients share,
    and `signed_in` whether there is a session to sign out of: the page offers either only
    then. With `detailed` the page is about the chosen instrument alone, and gets its quotes,
    its counts and what the hub has of its last minute; with `curves` it draws the clients' PnL.
    All that a push brings of the chosen one is of its book's moment, see `Moment`. Its stream
    begins with a push that brings all that the page needs, see `Opening`.
    """

    def __init__(
        self,
        running: Streamed,
        *,
        watched: Sequence[Instrument],
        chosen: str = "",
        detailed: bool = False,
        may_control: bool = False,
        signed_in: bool = False,
        curves: Curves | None = None,
    ) -> None:
        self.curves = curves
        self._running = running
        self._hub = running.hub
        self._leases = running.leases.holder("page")
        self._wants = asyncio.Event()
        """Is set when other instruments are wanted than are leased."""
        self._refused: dict[str, str] = {}
        """What its feed does not deliver of them: the reason by full id."""
        self._survival = running.hub.failures.at("page")
        self._pacer = Pacer(interval_ms=running.frequency_ms, now=time.monotonic())
        self._meter = Meter(self._hub, COUNTED_CHANNELS)
        self._subscription = self._hub.subscribe(
            name="page",
            wants=_nothing,
            capacity=BUFFER_EVENTS,
            policy=OverflowPolicy.CONFLATE,
        )
        self._generation = secrets.randbits(GENERATION_BITS)
        self._number = 0
        self._sent_s = 0.0
        self._status_s = 0.0
        self._reports: tuple[int, ...] = ()
        self._echo: tuple[float, int] | None = None
        self._clock_offset_ns = self._hub.clock_offset_ns
        self._description = Description()
        self._catch_up: list[Published] = []
        self._known = 0
        self._paused = False
        self._hidden = False
        self._was_hidden = False
        """Whether the next push stands for longer than a seen page's."""
        self._detailed = detailed
        self._may_control = may_control
        self._signed_in = signed_in
        self._opening = Opening()
        self._search = Search()
        self._watch = Watch(watched, feed_of=running.directory.feed_of, chosen=chosen)
        self._moment = Moment(self._watch.chosen_key)
        self.closeup: Closeup | None = None
        self.watch(watched)

    @property
    def generation(self) -> object:
        """Name this stream among those of its page."""
        return self._generation

    def watch(self, instruments: Sequence[Instrument]) -> None:
        """Stream the prices and trades of these instruments; the others are only counted.

        The chosen one stays, when it is among them; see `Watch`.
        """
        self._known = len(self._running.directory.listings)
        self._wants.set()
        feed_of = self._running.directory.feed_of
        self._watch = Watch(instruments, feed_of=feed_of, chosen=self._watch.chosen_id)
        if self._detailed and (chosen := self._watch.chosen) is not None:
            at = self._watch.index[chosen.key]
            self.closeup = Closeup(self._running, chosen, at=at)
        self._follow()
        self._catch_up = [*self._moment.release(), *self._latest()]
        self._moment = Moment(self._watch.chosen_key)

    def choose(self, id_: str) -> None:
        """Stream the order book of the watched instrument of this full id, the latest one first."""
        if self._watch.choose(id_):
            self._wants.set()
            self._follow()
            self._catch_up += self._moment.release()
            self._moment = Moment(self._watch.chosen_key)
            about = self._hub.latest([*self._chosen_book(), *self._chosen_prices()])
            self._catch_up += self._moment.begin(about, time.monotonic())

    def pause(self, *, paused: bool) -> None:
        """Hold the stream back, or let it go on from the latest values."""
        self._paused = paused
        self._moment.release()
        if not paused:
            self._catch_up = self._latest()
            self._recall()

    def hide(self, *, hidden: bool) -> None:
        """Push seldom while nobody sees the page, and at once when somebody does again."""
        self._hidden = hidden
        self._was_hidden |= hidden

    def find(self, text: str, first: int) -> None:
        """Tell the page with the next push what matches a text, see `Search`."""
        self._search.ask(text, first)

    def took(self, generation: object) -> None:
        """Go on: the page has taken an opening of the stream of this generation."""
        if generation == self._generation:
            self._opening.taken()

    def missed(self, generation: object) -> None:
        """Tell all anew to a page that has missed a push of the stream of this generation."""
        if generation == self._generation:
            self._opening.lost()

    def report(
        self, *, shift_ms: float, period_ms: float, seen_shifts: int, page_ms: float
    ) -> None:
        """Take what the page measured: its frame period, the shift it asks for, its clock."""
        self._echo = (page_ms, time.monotonic_ns())
        self._pacer.report(shift_ms=shift_ms, period_ms=period_ms, seen_shifts=seen_shifts)

    async def run(self, send: Callable[[str, dict[str, Any]], Awaitable[None]]) -> None:
        """Send batches until cancelled, or until the hub or a newer stream closes this one.

        A push that fails is counted, and made up for by one that tells all anew.
        """
        try:
            async with asyncio.TaskGroup() as group:
                leasing = group.create_task(self._lease(), name="page leases")
                while not self._subscription.closed:
                    pushed = False
                    with self._survival:
                        await self._push(send)
                        pushed = True
                    if not pushed:
                        self._opening.lost()
                    await self._until_due()
                leasing.cancel()
        finally:
            self.close()

    async def _lease(self) -> None:
        """Lease what the page watches, with a book where it draws one, whenever that changes."""
        while True:
            await self._wants.wait()
            self._wants.clear()
            with self._survival:
                refused = await self._leases.replace(self._watch.depths)
                self._refused = {":".join(key): reason for key, reason in refused.items()}

    async def _push(self, send: Callable[[str, dict[str, Any]], Awaitable[None]]) -> None:
        batch = self._next_batch()
        if batch is not None:
            await send(f"slot_{batch['n'] % SLOTS}", batch)

    def close(self) -> None:
        """End the stream and its leases. Safe to call twice."""
        self._subscription.close()
        self._leases.close()

    async def _until_due(self) -> None:
        asked_ms = self._running.frequency_ms
        self._pacer.set_interval(asked_ms)
        self._pacer.advance(time.monotonic())
        while (wait_s := self._due_s() - time.monotonic()) > 0:
            await asyncio.sleep(min(wait_s, NAP_S))
            if self._running.frequency_ms != asked_ms or self._search.is_due(time.monotonic()):
                return

    def _due_s(self) -> float:
        due_s = self._pacer.deadline
        return max(due_s, self._sent_s + HIDDEN_S) if self._hidden else due_s

    def _next_batch(self) -> dict[str, Any] | None:
        """Build the next push, or None when there is nothing to say."""
        now_s = time.monotonic()
        if self._opening.due(now_s):
            self._open(now_s)
        elif not self._opening.begun:
            return None
        entries = self._subscription.take()
        counted, newest = self._meter.read()
        if self._paused:
            entries, counted, newest = [], 0, None
        catch_up, self._catch_up = self._catch_up, []
        status = now_s - self._status_s >= STATUS_S
        described = self._description.told(self._describe(), again=status)
        feeds = self._feeds(again=status)
        heartbeat = now_s - self._sent_s >= HEARTBEAT_S
        asked = self._search.is_due(now_s)
        curves = self._curves()
        if not (counted or catch_up or described or feeds or heartbeat or asked or curves):
            return None
        now, monotonic_ns = time.time_ns(), time.monotonic_ns()
        self._notice_set_clock()
        batch = self._market(entries, catch_up, now=monotonic_ns)
        self._was_hidden = self._hidden
        batch |= self._hops(newest, now=monotonic_ns)
        self._number += 1
        self._sent_s = now_s
        batch |= {
            "g": self._generation,
            "n": self._number,
            "t": now / NS_PER_MS,
            "k": self._pacer.shifts,
            "v": self._description.number,
            "c": counted,
            "l": Losses(self._subscription.conflated, self._subscription.lost),
        }
        if not self._opening.begun:
            batch["s"] = 1
        if status:
            self._status_s = now_s
        batch |= described | feeds | curves
        if self._echo is not None:
            page_ms, came_ns = self._echo
            batch["e"] = Echo(page_ms, (now - (monotonic_ns - came_ns)) / NS_PER_MS)
            self._echo = None
        if (found := self._search.answer(self._running.directory, now_s)) is not None:
            batch["i"] = found
        return msgspec.to_builtins(batch)

    def _notice_set_clock(self) -> None:
        """Tell the last minute and the bars anew when the wall clock was set.

        What the page has of them is at the times that the clock showed before.
        """
        offset_ns = self._hub.clock_offset_ns
        if abs(offset_ns - self._clock_offset_ns) > CLOCK_SET_NS:
            self._clock_offset_ns = offset_ns
            if self.closeup is not None:
                self.closeup.recall()

    def _open(self, now_s: float) -> None:
        """Put all that a page needs into the next push."""
        self._opening.made(now_s)
        self._status_s = float("-inf")
        self._catch_up = self._latest()
        self._recall()

    def _recall(self) -> None:
        """Tell anew what is told in parts."""
        if self.closeup is not None:
            self.closeup.recall()
        if self.curves is not None:
            self.curves.recall()

    def _curves(self) -> dict[str, CurvesPart]:
        """Give the points of the clients' PnL that are due."""
        if self.curves is None or self._paused:
            return {}
        now_ns = time.monotonic_ns()
        part = self.curves.part(now_ns=now_ns, offset_ns=time.time_ns() - now_ns)
        return {} if part is None else {"j": part}

    def _hops(self, newest: Published | None, *, now: int) -> dict[str, Hops]:
        """Tell how long the newest market event took, whatever instrument it is of."""
        if newest is None or (measured := hops(newest, now=now)) is None:
            return {}
        self._pacer.pushed(measured.hub_to_sent)
        return {"h": measured}

    def _market(
        self, entries: list[Published], catch_up: list[Published], *, now: int
    ) -> dict[str, Any]:
        """Give the market's share of a push, and that of the instrument in detail."""
        watch, moment = self._watch, self._moment
        now_s = now / NS_PER_S
        told = moment.take(catch_up, now_s)
        fresh = moment.take(entries, now_s)
        told += self._conflated(fresh) if self._running.conflates else fresh
        part = market_part(
            told,
            index=watch.index,
            chosen=watch.chosen_key,
            latest_of=self._hub.latest_of,
            aged_at=now if self._was_hidden else None,
        )
        if self.closeup is not None and not self._paused:
            part |= self.closeup.part(entries, told, held=moment.held)
        if "w" in part:
            part.pop("r", None)  # the last minute has these trades too
        return part

    def _conflated(self, entries: list[Published]) -> list[Published]:
        """Keep of the entries what a seen page gets; a hidden one gets it in fewer pushes."""
        if not self._was_hidden:
            return conflate(entries)
        return conflate_each(entries, span_ns=self._running.frequency_ms * NS_PER_MS)

    def _describe(self) -> dict[str, Any]:
        return {
            "watched": self._watch.rows,
            "known": self._known,
            "chosen": self._watch.chosen_id,
            "refused": self._refused,
            "paused": self._paused,
            "may_control": self._may_control,
            "signed_in": self._signed_in,
            "frequency_ms": self._running.frequency_ms,
            "interval_ms": round(self._pacer.interval_ms, 1),
        }

    def _feeds(self, *, again: bool) -> dict[str, Any]:
        """Give how the feeds stand, when they have been told of or when it is due `again`."""
        reports = tuple(each.offset for each in self._hub.latest_of_kinds((Kind.FEED_REPORT,)))
        if reports == self._reports and not again:
            return {}
        self._reports = reports
        feeds = self._running.feeds.current()
        return {"f": [told_feed(name, report) for name, report in feeds.items()]}

    def _follow(self) -> None:
        """Listen to what is shown and to nothing else."""
        trades = (Topic(Kind.TRADE, *key) for key in self._watch.index)
        topics = {*self._shown(), *self._chosen_prices(), *trades}
        if self.closeup is not None:
            topics |= self.closeup.topics
        self._subscription.change_filter(topics.__contains__)

    def _shown(self) -> list[Topic]:
        """Give the topics whose latest values bring the page up to date."""
        return [
            *(Topic(Kind.PRICE, *key) for key in self._watch.index),
            *self._chosen_book(),
            Topic(Kind.SYSTEM, "", ""),
            *(self.closeup.theo if self.closeup is not None else ()),
        ]

    def _latest(self) -> list[Published]:
        """Give what brings the page up to date, oldest first."""
        latest = (
            last_traded(each, self._hub.latest_of) for each in self._hub.latest(self._shown())
        )
        return sorted(latest, key=attrgetter("offset"))

    def _chosen_book(self) -> list[Topic]:
        chosen = self._watch.chosen_key
        return [] if chosen is None else [Topic(Kind.BOOK, *chosen)]

    def _chosen_prices(self) -> list[Topic]:
        """Give the topics that tell whether the book of the chosen one is of this moment."""
        chosen = self._watch.chosen_key
        return [] if chosen is None else [Topic(kind, *chosen) for kind in (Kind.PRICE, Kind.QUOTE)]


def _nothing(_topic: Topic) -> bool:
    return False
