"""The table of runners, with what may be done with each of them."""

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

from dashboard.ui.runner_rows import RunnerRow

COLUMNS = (
    ("Runner", "", ""),
    ("Instrument", "", ""),
    ("Strategy", "", "wide"),
    ("Bar", "What its strategy is called with", "wide"),
    ("State", "What its strategy is at", ""),
    ("Open P&L", "Of the position that is open, simulated, before fees", "number"),
    ("Closed P&L", "Of all positions that were closed, simulated, net of fees", "number"),
    ("Ticks", "Ticks or bars that its strategy was called with", "number"),
    ("Errors", "Calls of its strategy that failed", "number"),
    ("Up", "How long it has been running", "number wide"),
)
NAMES = {"resume": "Resume", "pause": "Pause", "stop": "Stop", "remove": "Remove"}
WHILE_RUNNING = ("pause", "stop", "remove")
WHILE_PAUSED = ("resume", "stop", "remove")
WHILE_STOPPED = ("resume", "remove")


def runners_table(
    rows: list[list[str]],
    *,
    asked: str,
    on_act: Callable[[Any, Any], Any],
    on_confirm: Callable[[], Any],
    on_keep: Callable[[], Any],
) -> rx.Component:
    """List what `ui.runner_rows` writes.

    `on_act` takes an action and a runner's id; `asked` names both, with a colon between, when
    it is to be confirmed.
    """
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                *(
                    rx.el.th(name, scope="col", title=definition, class_name=look)
                    for name, definition, look in COLUMNS
                ),
                rx.el.th(rx.el.span("Actions", class_name="sr-only"), scope="col"),
            )
        ),
        rx.el.tbody(
            rx.foreach(
                rows,
                lambda cells: _row(
                    cells, asked=asked, on_act=on_act, on_confirm=on_confirm, on_keep=on_keep
                ),
            )
        ),
        custom_attrs={"aria-label": "Runners, by their ids"},
    )


def _row(
    cells: list[str],
    *,
    asked: str,
    on_act: Callable[[Any, Any], Any],
    on_confirm: Callable[[], Any],
    on_keep: Callable[[], Any],
) -> rx.Component:
    row = RunnerRow(*(cells[at] for at in range(len(RunnerRow._fields))))
    return rx.el.tr(
        rx.el.th(row.runner_id, scope="row", title=row.runner_id),
        rx.el.td(row.symbol, rx.el.span(f" {row.exchange}", class_name="venue")),
        rx.el.td(row.strategy, class_name="wide"),
        rx.el.td(row.bar, class_name="wide"),
        rx.el.td(
            rx.el.i(class_name="state-shape", custom_attrs={"aria-hidden": "true"}),
            row.state_name,
            rx.cond(row.status != "running", rx.el.span(row.status, class_name="note")),
            rx.cond(row.feed != "", rx.el.span(f"feed {row.feed}", class_name="note")),
        ),
        _amount("open", row.open_pnl, row.open_direction),
        _amount("closed", row.closed_pnl, row.closed_direction),
        rx.el.td(row.ticks, class_name="figure number", custom_attrs={"data-label": "ticks"}),
        rx.el.td(row.errors, class_name="figure number", custom_attrs={"data-label": "errors"}),
        rx.el.td(row.uptime, class_name="figure number quiet wide"),
        rx.el.td(
            rx.match(
                asked,
                (f"stop:{row.runner_id}", _confirm("Stop it and close", on_confirm, on_keep)),
                (f"remove:{row.runner_id}", _confirm("Stop and remove", on_confirm, on_keep)),
                rx.match(
                    row.status,
                    ("running", _actions(row, WHILE_RUNNING, on_act)),
                    ("paused", _actions(row, WHILE_PAUSED, on_act)),
                    _actions(row, WHILE_STOPPED, on_act),
                ),
            ),
            class_name="actions",
        ),
        key=row.runner_id,
        custom_attrs={
            "data-testid": "runner-row",
            "data-runner": row.runner_id,
            "data-status": row.status,
            "data-state": row.state,
        },
    )


def _amount(label: str, text: str, direction: str) -> rx.Component:
    return rx.el.td(
        rx.el.i(class_name="mark", custom_attrs={"aria-hidden": "true"}),
        text,
        class_name="figure number amount",
        custom_attrs={"data-direction": direction, "data-label": label},
    )


def _actions(
    row: RunnerRow, names: Sequence[str], on_act: Callable[[Any, Any], Any]
) -> rx.Component:
    return rx.fragment(
        *(
            rx.el.button(
                NAMES[name],
                type="button",
                on_click=on_act(name, row.runner_id),
                custom_attrs={"aria-label": f"{NAMES[name]} {row.runner_id}"},
            )
            for name in names
        )
    )


def _confirm(words: str, on_confirm: Callable[[], Any], on_keep: Callable[[], Any]) -> rx.Component:
    return rx.fragment(
        rx.el.button(
            words, type="button", on_click=on_confirm, class_name="danger", auto_focus=True
        ),
        rx.el.button("Keep", type="button", on_click=on_keep),
    )
