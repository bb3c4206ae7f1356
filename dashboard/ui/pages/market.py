"""The live market page at `/`."""

import reflex as rx

from dashboard.bootstrap import services
from dashboard.ui import bridge
from dashboard.ui.components.live import live_stream


class MarketState(rx.State):
    sample_window: int = 200

    @rx.event(background=True)
    async def stream(self):
        await bridge.stream_to_page(
            watched=list(services().instruments), chosen="BTC/USD", paused=False
        )


def index() -> rx.Component:
    return rx.el.div(
        live_stream(sample_window=MarketState.sample_window),
        rx.el.canvas(id="c", width="800", height="300"),
    )


def add_page(app: rx.App) -> None:
    app.add_page(index, route="/", title="Market · Livetape", on_load=MarketState.stream)
