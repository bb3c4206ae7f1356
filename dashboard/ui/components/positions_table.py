"""The table of positions, each set against its limits."""

from collections.abc import Callable
from typing import Any, NamedTuple

import reflex as rx

from dashboard.core.limits import Level
from dashboard.ui.accounts import PositionRow
from dashboard.ui.components.pnl_table import venue


class Column(NamedTuple):
    """A column: its key in `ui.accounts.SORT_KEYS`, title and definition.

    `largest_first` says how it begins to be sorted; a narrow window leaves the
    `wide` ones out.
    """

    key: str
    title: str
    definition: str = ""
    largest_first: bool = True
    look: str = ""


NEAR_AND_OVER = "near from 80 %, over above 100 %"
COLUMNS = (
    Column("client", "Client", largest_first=False),
    Column("instrument", "Instrument", largest_first=False),
    Column("position", "Position", "Signed quantity", look="number"),
    Column(
        "limit",
        "Limit",
        "The instrument's absolute limit: it bounds the position either way",
        look="number wide",
    ),
    Column("used", "Used", f"Position as a part of the absolute limit; {NEAR_AND_OVER}"),
    Column("underlying", "Underlying", largest_first=False, look="wide"),
    Column(
        "delta",
        "Delta",
        "Sum of the client's positions in all instruments of the underlying",
        look="number wide",
    ),
    Column(
        "delta limit",
        "Delta limit",
        "The underlying's delta limit: it bounds the delta either way",
        look="number wide",
    ),
    Column("delta used", "Delta used", f"Delta as a part of its limit; {NEAR_AND_OVER}"),
    Column("status", "Status", "The worse of the two limits"),
)
LARGEST_FIRST = frozenset(column.key for column in COLUMNS if column.largest_first)
LEVELS = (
    (Level.OVER.value, "Over"),
    (Level.NEAR.value, "Near"),
    (Level.WITHIN.value, "Within"),
    (Level.UNLIMITED.value, "No limit"),
)


def positions_table(
    rows: list[list[str]], *, sorted_by: str, descending: bool, on_sort: Callable[[str], Any]
) -> rx.Component:
    """List what `ui.accounts.position_rows` writes; `on_sort` takes the key of a column."""
    direction = rx.cond(descending, "descending", "ascending")
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                *(
                    rx.el.th(
                        rx.el.button(column.title, type="button", on_click=on_sort(column.key)),
                        scope="col",
                        title=column.definition,
                        class_name=column.look,
                        custom_attrs={
                            "aria-sort": rx.cond(sorted_by == column.key, direction, "none")
                        },
                    )
                    for column in COLUMNS
                )
            )
        ),
        rx.el.tbody(rx.foreach(rows, _row)),
        custom_attrs={"aria-label": "Positions set against their limits"},
    )


def _row(cells: list[str]) -> rx.Component:
    row = PositionRow(*(cells[at] for at in range(len(PositionRow._fields))))
    return rx.el.tr(
        rx.el.th(row.client, scope="row", title=row.client),
        rx.el.td(row.symbol, venue(row.venue)),
        rx.el.td(row.position, class_name="figure number"),
        rx.el.td(row.limit, class_name="figure number quiet wide"),
        _usage(row.share, row.used, row.level, row.words),
        rx.el.td(row.underlying, class_name="wide"),
        rx.el.td(row.delta, class_name="figure number wide"),
        rx.el.td(row.delta_limit, class_name="figure number quiet wide"),
        _usage(row.delta_share, row.delta_used, row.delta_level, row.delta_words),
        rx.el.td(rx.el.span(rx.match(row.worst, *LEVELS, ""), class_name="tag")),
        custom_attrs={
            "data-testid": "position-row",
            "data-client": row.client,
            "data-symbol": row.symbol,
            "data-level": row.worst,
        },
    )


def _usage(share: str, used: str, level: str, words: str) -> rx.Component:
    return rx.el.td(
        rx.el.span(
            rx.el.i(style={"width": used}), class_name="meter", custom_attrs={"aria-hidden": "true"}
        ),
        rx.el.span(share, class_name="figure"),
        rx.el.span(words, class_name="words"),
        class_name="usage",
        custom_attrs={"data-level": level},
    )
