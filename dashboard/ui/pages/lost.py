"""The page for an address that leads nowhere."""

import reflex as rx

from dashboard.ui import template
from dashboard.ui.components import live
from dashboard.ui.stream import StreamState, live_stream


def content() -> rx.Component:
    """Compose the page."""
    return template.page(
        "",
        live_stream(),
        rx.el.div(
            rx.el.h1("There is no page at this address"),
            rx.el.p("It may be mistyped, or of another version of the product."),
            rx.el.p(live.page_link("Go to the market", href="/", class_name="open")),
            class_name="panel not-found",
            custom_attrs={"data-testid": "no-page"},
        ),
        headed=True,
    )


def add_page(app: rx.App) -> None:
    """Put the page into the app."""
    app.add_page(
        content,
        route="404",
        title=f"No such page · {template.PRODUCT}",
        description="There is no page at this address.",
        image="/favicon.svg",
        on_load=StreamState.stream,
    )
