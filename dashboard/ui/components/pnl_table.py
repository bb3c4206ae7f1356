"""The table of the clients' latest PnL; it is also the legend of the chart."""

import reflex as rx

from dashboard.ui.accounts import PnlRow


def pnl_table(rows: list[list[str]], minutes: str) -> rx.Component:
    """List what `ui.accounts.pnl_rows` writes, for the last so many minutes."""
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.th("Client", scope="col"),
                rx.el.th("PnL", scope="col", class_name="number"),
                rx.el.th(
                    f"Change, {minutes} min",
                    scope="col",
                    class_name="number",
                    title="Since the range began, or since the client was first heard of",
                ),
                rx.el.th(
                    "Age", scope="col", class_name="number", title="Time since the last PnL update"
                ),
            )
        ),
        rx.el.tbody(rx.foreach(rows, _row)),
        custom_attrs={"aria-label": "Latest PnL of each client, the largest first"},
    )


def venue(name: str) -> rx.Component:
    """Put an exchange beside a name that others have too; nothing where it is empty."""
    return rx.cond(name != "", rx.el.span(f" {name}", class_name="venue"))


def _row(cells: list[str]) -> rx.Component:
    row = PnlRow(*(cells[at] for at in range(len(PnlRow._fields))))
    return rx.el.tr(
        rx.el.th(
            rx.el.i(
                class_name="swatch",
                custom_attrs={
                    "data-series": row.color,
                    "data-dash": row.dash,
                    "aria-hidden": "true",
                },
            ),
            row.client,
            venue(row.venue),
            scope="row",
            title=row.client,
        ),
        rx.el.td(
            rx.el.i(class_name="mark", custom_attrs={"aria-hidden": "true"}),
            row.pnl,
            class_name="figure number amount",
            custom_attrs={"data-direction": row.direction},
        ),
        rx.el.td(row.change, class_name="figure number"),
        rx.el.td(row.age, class_name="figure number quiet"),
        custom_attrs={"data-testid": "pnl-row", "data-client": row.client},
    )
