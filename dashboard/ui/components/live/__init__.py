"""The React components that draw the live stream; the JavaScript stands beside this file.

`LiveStream` takes the batches in; all other components draw from the store it
fills, in one animation-frame loop, without rendering again in React.
"""

from typing import Any

import reflex as rx

from dashboard.ui import bridge

MODULES = ("store.js", "frames.js", "phase.js", "statistics.js", "stream.jsx")
_paths = {name: rx.asset(name, shared=True).importable_path for name in MODULES}


class LiveStream(rx.Component):
    """Take batches in; draw nothing."""

    library = _paths["stream.jsx"]
    tag = "LiveStream"

    slots: rx.Var[list[dict[str, Any]]]
    sample_window: rx.Var[int]
    on_report: rx.EventHandler[rx.event.passthrough_event_spec(float, float, int, float)]


def live_stream(*, sample_window: rx.Var[int]) -> rx.Component:
    """Connect the page's store to the bridge."""
    return LiveStream.create(
        slots=bridge.slots(), sample_window=sample_window, on_report=bridge.LiveState.report
    )
