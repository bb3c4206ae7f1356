"""The page of the runners at `/runners`: how they stand, and what may be done with them."""

import asyncio
from typing import Any

import reflex as rx

from dashboard.commands.requests import Command
from dashboard.commands.trading import (
    ControlRunner,
    CreateRunner,
    RemoveRunner,
    TellRunners,
    TellStrategies,
)
from dashboard.core.errors import CommandError, ScopeError, StrategyError, TradingError
from dashboard.core.principal import LOCAL
from dashboard.ui import bridge, template
from dashboard.ui.components import live
from dashboard.ui.components.panel import panel
from dashboard.ui.components.runners_table import runners_table
from dashboard.ui.page_socket import page_principal
from dashboard.ui.runner_rows import runner_rows, totals
from dashboard.ui.stream import StreamState, live_stream

EVERY_S = 0.5
BARS = ("tick", "1s", "1m", "5m", "1h", "1d")
LISTED = 200
"""So many instruments are offered by name; every other one can be typed."""
PAPER = "Paper trading: fills are simulated, and no order leaves Livetape."


class RunnersState(rx.State):
    """What the page shows, and what its reader is about to do."""

    phase: str = "connecting"
    """`connecting` before the first answer, `empty` without any runner, then `full`."""
    rows: list[list[str]] = []
    totals: dict[str, str] = {}
    strategies: list[str] = []
    instruments: list[str] = []
    asked: str = ""
    """The action that is to be confirmed, and its runner: `stop:ID` or `remove:ID`."""
    problem: str = ""
    """Why the last wish was not met."""

    @rx.event(background=True)
    async def stream(self) -> None:
        """Show the runners anew, a few times a second, until the page leaves."""
        survival = bridge.survival("runners page")
        with survival:
            strategies = await bridge.running().commands.ask(TellStrategies(), by=LOCAL)
            async with self:
                self._show(
                    strategies=[each.name for each in strategies],
                    instruments=[each.id for each in bridge.standing(LISTED)],
                )
        while True:
            with survival:
                runners = await bridge.running().commands.ask(TellRunners(), by=LOCAL)
                async with self:
                    self._show(
                        phase="full" if runners else "empty",
                        rows=list(map(list, runner_rows(runners))),
                        totals=totals(runners),
                    )
            await asyncio.sleep(EVERY_S)

    def _show(self, **values: Any) -> None:
        """Tell the page what has changed, and nothing else."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    @rx.event(temporal=True)
    async def act(self, action: str, runner_id: str) -> None:
        """Do something with a runner; what ends a position is asked for again first."""
        self.problem = ""
        if action in ("stop", "remove"):
            self.asked = f"{action}:{runner_id}"
        else:
            await self._ask(ControlRunner(runner_id=str(runner_id), action=str(action)))

    @rx.event(temporal=True)
    async def confirm(self) -> None:
        """Do what was asked for."""
        action, _, runner_id = self.asked.partition(":")
        self.asked = ""
        if action == "remove":
            await self._ask(RemoveRunner(runner_id=runner_id))
        elif action:
            await self._ask(ControlRunner(runner_id=runner_id, action=action))

    @rx.event(temporal=True)
    def keep(self) -> None:
        """Do nothing of what was asked for."""
        self.asked = ""

    @rx.event(temporal=True)
    async def create(self, form: dict[str, Any]) -> None:
        """Make a runner of what was filled in."""
        text = {name: str(value).strip() for name, value in form.items()}
        exchange, _, symbol = text.get("instrument", "").rpartition(":")
        try:
            window_size, capital = int(text["window_size"]), float(text["capital"])
        except (KeyError, ValueError):
            self.problem = "Window and capital are numbers."
            return
        await self._ask(
            CreateRunner(
                runner_id=text.get("runner_id", ""),
                symbol=symbol,
                exchange=exchange or None,
                strategy_name=text.get("strategy_name", ""),
                bar=text.get("bar") or None,
                window_size=window_size,
                capital=capital,
            )
        )

    async def _ask(self, command: Command[Any]) -> None:
        self.problem = ""
        principal = page_principal(self.router.session.client_token)
        try:
            await bridge.running().commands.ask(command, by=principal)
        except (CommandError, ScopeError, StrategyError, TradingError) as error:
            self.problem = getattr(error, "problem", str(error))


def index() -> rx.Component:
    """Compose the page."""
    return template.page(
        "Runners",
        live_stream(),
        rx.el.div(
            panel(
                "runner-list",
                "Runners",
                _totals(),
                rx.fragment(
                    rx.match(
                        RunnersState.phase,
                        ("full", _list()),
                        ("empty", _no_runner()),
                        rx.el.p("Waiting for the stream to begin.", class_name="empty"),
                    )
                ),
                beside=rx.el.span("paper", class_name="note", title=PAPER),
            ),
            panel("new-runner", "Start a runner", live.needs_server(_form())),
            class_name="runners",
            custom_attrs={"data-testid": "runners"},
        ),
    )


def _totals() -> rx.Component:
    return rx.el.div(
        *(
            rx.el.span(
                f"{label} ",
                rx.el.b(
                    RunnersState.totals.get(name, "—"),
                    class_name="figure",
                    custom_attrs={"data-testid": f"runners-{name}"},
                ),
            )
            for label, name in (
                ("Running", "running"),
                ("In position", "positions"),
                ("Open P&L", "open"),
                ("Closed P&L", "closed"),
            )
        ),
        class_name="counters",
    )


def _list() -> rx.Component:
    return rx.el.div(
        live.needs_server(
            runners_table(
                RunnersState.rows,
                asked=RunnersState.asked,
                on_act=RunnersState.act,
                on_confirm=RunnersState.confirm,
                on_keep=RunnersState.keep,
            ),
        ),
        class_name="scroll",
        role="region",
        tab_index=0,
        custom_attrs={"aria-label": "Table of runners"},
    )


def _no_runner() -> rx.Component:
    return rx.el.p(
        "No runner yet. Start one with the form, or through ",
        rx.el.code("POST /api/runners"),
        ".",
        class_name="empty",
    )


def _form() -> rx.Component:
    return rx.el.form(
        _field("runner_id", "Name", rx.el.input(type="text", required=True, max_length=64)),
        _field(
            "instrument",
            "Instrument",
            rx.el.input(type="text", required=True, list="runner-instruments", max_length=128),
        ),
        rx.el.datalist(
            rx.foreach(RunnersState.instruments, lambda id_: rx.el.option(value=id_)),
            id="runner-instruments",
        ),
        _field(
            "strategy_name",
            "Strategy",
            rx.el.select(
                rx.foreach(RunnersState.strategies, lambda name: rx.el.option(name, value=name))
            ),
        ),
        _field("bar", "Bar", rx.el.input(type="text", list="runner-bars", max_length=8)),
        rx.el.datalist(*(rx.el.option(value=each) for each in BARS), id="runner-bars"),
        _field(
            "window_size",
            "Window, bars",
            rx.el.input(type="number", min=1, max=10_000, default_value="100"),
        ),
        _field("capital", "Capital", rx.el.input(type="number", min=1, default_value="100000")),
        rx.el.button("Start", type="submit"),
        rx.el.div(
            rx.cond(
                RunnersState.problem != "",
                rx.el.p(RunnersState.problem, class_name="problem"),
            ),
            role="alert",
        ),
        rx.el.p(PAPER, class_name="hint"),
        on_submit=RunnersState.create,
        reset_on_submit=False,
    )


def _field(name: str, label: str, control: rx.Component) -> rx.Component:
    control.id = f"runner-{name.replace('_', '-')}"
    control.custom_attrs["name"] = name
    return rx.el.div(rx.el.label(label, html_for=control.id), control, class_name="row")


def add_page(app: rx.App) -> None:
    """Put the page into the app."""
    app.add_page(
        index,
        route="/runners",
        title=f"Runners · {template.PRODUCT}",
        description="Paper-trading runners: state, position, profit and errors, live.",
        image="/favicon.svg",
        on_load=[StreamState.stream, RunnersState.stream],
    )
