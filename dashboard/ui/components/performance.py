"""The performance panel: rate, frames, latency, and where the time goes."""

import reflex as rx

from dashboard.ui.components import live
from dashboard.ui.components.panel import panel

NEWEST = (
    "From the arrival of a push in the page's code to the end of its frame, styles, layout and "
    "painting included; of several pushes in one frame the newest counts. The last 600 frames "
    "that drew messages. What the browser takes to read a push before is left out, and what it "
    "takes to put the frame on the display."
)
ALL = (
    "The same for every message, also those that an earlier push of the same frame brought: "
    "each counts once. The last 2400 pushes."
)
MEAN = "Sum of the values divided by their number."
P50 = "Of the values in rising order, the one at index floor((n - 1) * 0.5)."
P95 = "Of the values in rising order, the one at index floor((n - 1) * 0.95)."


def performance() -> rx.Component:
    """Show how fast the page is."""
    return panel(
        "performance",
        "Performance",
        _trend("rate", "Message rate", "per second", "message-rate", RATE),
        _trend("fps", "Render", "frames/s", "fps", FPS),
        rx.el.div(
            rx.el.div(
                rx.el.h3("Received to painted, ms", title=NEWEST),
                _statistics(),
                class_name="latency-numbers",
            ),
            live.Histogram.create(
                label="Histogram of the time from received to painted, 0 to 32 ms and longer"
            ),
            class_name="latency",
        ),
        live.hops(),
        rx.el.div(
            live.ChartTable.create(name="performance", label="Rates as a table"),
            live.ChartTable.create(name="latency", label="Latency as a table"),
            class_name="tables",
        ),
    )


RATE = "Events of all symbols over the newest whole pushes that span at least a second."
FPS = "Frames that the browser gave the page in the last second."


def _trend(name: str, title: str, unit: str, test_id: str, definition: str) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h3(title, title=definition),
            rx.el.div(live.figure(name, test_id=test_id), class_name="large"),
            rx.el.div(unit, class_name="unit"),
        ),
        live.Trend.create(name=name, label=f"{title}, {unit}, over the last minute"),
        class_name="trend",
    )


def _statistics() -> rx.Component:
    columns = (("mean", MEAN), ("p50", P50), ("p95", P95))
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.th(rx.el.span("Messages", class_name="sr-only"), scope="col"),
                *(rx.el.th(name, scope="col", title=definition) for name, definition in columns),
            )
        ),
        rx.el.tbody(
            rx.el.tr(
                rx.el.th("newest", scope="row", title=NEWEST),
                *(
                    rx.el.td(live.figure(f"latency-{name}", test_id=f"latency-{name}"))
                    for name, _ in columns
                ),
                class_name="newest",
            ),
            rx.el.tr(
                rx.el.th("all", scope="row", title=ALL),
                *(rx.el.td(live.figure(f"all-{name}")) for name, _ in columns),
            ),
        ),
    )
