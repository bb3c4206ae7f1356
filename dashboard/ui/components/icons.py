"""Icons as inline SVG, 16 px, in the colour of the text."""

import reflex as rx

MARKET = "M3.5 3v10M3.5 5h0M2 5.5h3v5H2zM8 2v12M6.5 4.5h3v6h-3zM12.5 4v9M11 6.5h3v4h-3z"
INSTRUMENTS = "M2 2.5h5v5H2zM9 2.5h5v5H9zM2 9.5h5v4H2zM9 9.5h5v4H9z"
PNL = "M2 2v12h12M4.5 10.5l3-3.5 2.5 2 4-5"
RUNNERS = "M3 3v10l5-5zM8.5 3v10l5-5z"
SETTINGS = "M2 4.5h7M13 4.5h1M9 3v3h4V3zM2 11.5h1M7 11.5h7M3 10v3h4v-3z"


def icon(path: str) -> rx.Component:
    """Draw an icon; the text beside it, or a label, names what it stands for."""
    return rx.el.svg(
        rx.el.svg.path(
            d=path,
            fill="none",
            stroke="currentColor",
            stroke_width="1.3",
            stroke_linejoin="round",
            stroke_linecap="round",
        ),
        view_box="0 0 16 16",
        custom_attrs={"aria-hidden": "true"},
    )
