"""The list of instruments at `/instruments`."""

import reflex as rx

from dashboard.ui import template
from dashboard.ui.components import live
from dashboard.ui.components.exports import export_links
from dashboard.ui.stream import StreamState, live_stream


def content() -> rx.Component:
    """Compose the page."""
    return template.page(
        "Instruments",
        live_stream(),
        rx.el.div(live.needs_server(live.instrument_tiles()), class_name="instruments"),
        export_links("instruments", "Instruments"),
        headed=True,
    )


def add_page(app: rx.App) -> None:
    """Put the page into the app."""
    app.add_page(
        content,
        route="/instruments",
        title=f"Instruments · {template.PRODUCT}",
        description="Every instrument of the feeds, with its tick size and limits.",
        image="/favicon.svg",
        on_load=StreamState.stream,
    )
