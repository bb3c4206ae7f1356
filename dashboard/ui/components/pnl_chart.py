"""The chart of the clients' PnL: plotly in the theme's colours, one line per client.

Of plotly only the basic bundle is loaded, and only by the page that has this
chart. What moves comes with the stream, see `ui.curves`; the look stands in the page.
"""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from dashboard.ui import theme
from dashboard.ui.components import live
from dashboard.ui.curves import COLORS, DASHES
from dashboard.ui.formatting import THIN_SPACE

SIGNED = "0>+"
"""A sign, after a fill that fills nothing: plotly spoils a format that begins with the sign."""

LAYOUT: dict[str, Any] = {
    "autosize": True,
    "dragmode": False,
    "hovermode": "x unified",
    "margin": {"l": 12, "r": 12, "t": 8, "b": 4},
    "separators": f".{THIN_SPACE}",
    "showlegend": False,
    "xaxis": {
        "type": "date",
        "fixedrange": True,
        "automargin": True,
        "nticks": 7,
        "tickformat": "%H:%M:%S",
        "hoverformat": "%H:%M:%S UTC",
    },
    "yaxis": {
        "fixedrange": True,
        "automargin": True,
        "nticks": 8,
        "tickformat": SIGNED + ",.6~f",
        "title": {"text": "PnL", "standoff": 8},
    },
}
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def pnl_chart() -> rx.Component:
    """Draw the lines that `ui.curves` tells of."""
    return live.PnlChart.create(
        layout=LAYOUT,
        config=CONFIG,
        looks={"light": _look(theme.LIGHT), "dark": _look(theme.DARK)},
        colors=COLORS,
        dashes=list(DASHES),
    )


def _look(colors: Mapping[str, str]) -> dict[str, Any]:
    """Write a theme as a plotly template."""
    axis = {
        "gridcolor": colors["line"],
        "linecolor": colors["line"],
        "zerolinecolor": colors["strong-line"],
        "tickfont": {"color": colors["faint"]},
        "title": {"font": {"color": colors["faint"]}},
    }
    return {
        "layout": {
            "paper_bgcolor": colors["panel"],
            "plot_bgcolor": colors["panel"],
            "font": {"family": theme.SIZES["sans"], "size": 11, "color": colors["text"]},
            "colorway": [colors[f"series-{number}"] for number in range(1, COLORS + 1)],
            "hoverlabel": {
                "bgcolor": colors["raised"],
                "bordercolor": colors["strong-line"],
                "font": {"color": colors["text"], "size": 12},
            },
            "xaxis": {**axis, "zeroline": False},
            "yaxis": axis,
        },
        "data": {
            "scatter": [
                {
                    "mode": "lines",
                    "line": {"width": 1.6, "shape": "hv"},
                    "hovertemplate": f"%{{fullData.name}} %{{y:{SIGNED},.2f}}<extra></extra>",
                }
            ]
        },
    }
