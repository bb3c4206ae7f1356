"""What every page has of the live stream: its component, and the page's wishes to it."""

from typing import Any

import reflex as rx

from dashboard.commands.requests import Command, ControlReplay, SetFrequency
from dashboard.core.bars import Interval
from dashboard.ui import bridge
from dashboard.ui.components import live
from dashboard.ui.page_socket import page_principal, refusals


class StreamState(rx.State):
    """Carries the page's wishes to its stream, or to all clients where a setting is theirs.

    A wish is temporal: Reflex would keep one that is made while the server is away, and send it
    when it is back. All wishes of pages are.
    """

    @rx.event(background=True)
    async def stream(self) -> None:
        """Stream to a page that watches no symbol, for its status line, until it leaves."""
        await bridge.stream_to_page()

    @rx.event(temporal=True)
    async def set_frequency(self, frequency_ms: float) -> None:
        """Change the update interval of all clients, where the page may."""
        with refusals():
            await self._ask(SetFrequency(frequency_ms=float(frequency_ms)))

    @rx.event(temporal=True)
    async def control_replay(self, name: str, control: str, value: float) -> None:
        """Pause, resume, speed up or move the one replay of all pages, where the page may."""
        with refusals():
            await self._ask(ControlReplay(feed=str(name), action=str(control), value=float(value)))

    async def _ask(self, command: Command[Any]) -> None:
        principal = page_principal(self.router.session.client_token)
        await bridge.running().commands.ask(command, by=principal)

    @rx.event(temporal=True)
    def set_paused(self, paused: bool) -> None:
        """Hold the stream of this page, or let it go on."""
        if (tab := bridge.tab_of(self.router.session.client_token)) is not None:
            tab.pause(paused=paused)

    @rx.event(temporal=True)
    def set_hidden(self, hidden: bool) -> None:
        """Push seldom while nobody sees this page."""
        if (tab := bridge.tab_of(self.router.session.client_token)) is not None:
            tab.hide(hidden=bool(hidden))

    @rx.event(temporal=True)
    def find(self, text: str, first: float) -> None:
        """Tell the page which instruments match a text, from the number `first` on."""
        if (tab := bridge.tab_of(self.router.session.client_token)) is not None:
            tab.find(text, int(first))

    @rx.event(temporal=True)
    def show_bars(self, interval: str) -> None:
        """Draw the instrument's bars of another length, see `Interval`; others are ignored."""
        tab = bridge.tab_of(self.router.session.client_token)
        if tab is not None and tab.closeup is not None and interval in set(Interval):
            tab.closeup.show_bars(Interval(interval))

    @rx.event(temporal=True)
    def choose(self, id_: str) -> None:
        """Stream the order book of another instrument."""
        if (tab := bridge.tab_of(self.router.session.client_token)) is not None:
            tab.choose(id_)


def live_stream(**props: Any) -> rx.Component:
    """Take the stream in, on any page; `props` are what only this page needs."""
    return live.LiveStream.create(
        state=bridge.LiveState.get_full_name(),
        on_report=bridge.LiveState.report,
        on_took=bridge.LiveState.took,
        on_missed=bridge.LiveState.missed,
        on_hide=StreamState.set_hidden,
        on_frequency=StreamState.set_frequency,
        on_pause=StreamState.set_paused,
        on_choose=StreamState.choose,
        on_bars=StreamState.show_bars,
        on_find=StreamState.find,
        on_replay=StreamState.control_replay,
        **props,
    )
