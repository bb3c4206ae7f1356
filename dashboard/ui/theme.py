"""The look: the one place that names colours and sizes.

Everything else uses the CSS variables made here; the rules that use them are in
`assets/styles`. Colours are AA on their background: text, muted and faint text,
up, down, warn and accent on both `bg` and `panel`.
"""

from collections.abc import Mapping

STYLESHEETS = (
    "/styles/base.css",
    "/styles/shell.css",
    "/styles/panels.css",
    "/styles/market.css",
    "/styles/pnl.css",
    "/styles/runners.css",
    "/styles/controls.css",
    "/styles/instruments.css",
    "/styles/instrument.css",
    "/styles/touch.css",
    "/styles/forced.css",
)

DARK = {
    "bg": "#0b0e11",
    "panel": "#12161b",
    "raised": "#1a2027",
    "line": "#252c35",
    "strong-line": "#5b6773",
    "text": "#e8ecf0",
    "muted": "#a6b0bb",
    "faint": "#84909c",
    "up": "#2fc08a",
    "down": "#fa6a7b",
    "warn": "#e2aa45",
    "accent": "#639fff",
    "hop-1": "#7d8894",
    "hop-2": "#b58cf0",
    "hop-3": "#639fff",
    "hop-4": "#37c2b4",
    "series-1": "#639fff",
    "series-2": "#e2aa45",
    "series-3": "#37c2b4",
    "series-4": "#e582d3",
    "series-5": "#a5c653",
    "series-6": "#f08a5d",
    "series-7": "#b58cf0",
    "series-8": "#a6b0bb",
}
LIGHT = {
    "bg": "#f2f4f7",
    "panel": "#ffffff",
    "raised": "#f5f7f9",
    "line": "#dbe0e6",
    "strong-line": "#7e8a97",
    "text": "#11161c",
    "muted": "#45505c",
    "faint": "#5d6874",
    "up": "#066e47",
    "down": "#bd1c38",
    "warn": "#855600",
    "accent": "#1a5bc8",
    "hop-1": "#5d6874",
    "hop-2": "#7d4fc4",
    "hop-3": "#1a5bc8",
    "hop-4": "#0d7f75",
    "series-1": "#1a5bc8",
    "series-2": "#9a6200",
    "series-3": "#0d7f75",
    "series-4": "#b0359b",
    "series-5": "#527a00",
    "series-6": "#b8481b",
    "series-7": "#7d4fc4",
    "series-8": "#45505c",
}
BLUE_ORANGE = {
    "dark": {"up": "#58a6ff", "down": "#ff9d45"},
    "light": {"up": "#0b57b8", "down": "#a24a00"},
}
FORCED = {
    "bg": "Canvas",
    "panel": "Canvas",
    "raised": "Canvas",
    "line": "GrayText",
    "strong-line": "CanvasText",
    "text": "CanvasText",
    "muted": "CanvasText",
    "faint": "CanvasText",
    "up": "CanvasText",
    "down": "LinkText",
    "warn": "CanvasText",
    "accent": "Highlight",
    "hop-1": "GrayText",
    "hop-2": "LinkText",
    "hop-3": "Highlight",
    "hop-4": "CanvasText",
}
"""The reader's own colours, where the system forces them; all of them can be read on a Canvas."""
SIZES = {
    "text-s": "12px",
    "text-m": "13px",
    "text-l": "15px",
    "text-xl": "20px",
    "gap": "12px",
    "pad": "12px",
    "radius": "4px",
    "rail": "152px",
    "rail-folded": "52px",
    "status": "44px",
    "sans": "'Inter', 'Noto Sans', 'Segoe UI', 'Helvetica Neue', sans-serif",
    "mono": "ui-monospace, 'DejaVu Sans Mono', 'Menlo', monospace",
}

REMEMBERED_SCRIPT = """
try {
  for (const name of ["pair", "keys"]) {
    const value = localStorage.getItem(`livetape-${name}`);
    if (value) document.documentElement.dataset[name] = value;
  }
} catch {}
"""
"""Takes what `preferences.js` remembers before the first paint, as Reflex does with the theme."""


def css_variables() -> str:
    """Write the tokens as CSS: sizes, the two themes, the other colour pair."""
    return "\n".join(
        (
            _rule(":root", SIZES),
            _rule(":root, html.light", LIGHT),
            _rule("html.dark", DARK),
            _rule('html.light[data-pair="blue-orange"]', BLUE_ORANGE["light"]),
            _rule('html.dark[data-pair="blue-orange"]', BLUE_ORANGE["dark"]),
            f"@media (forced-colors: active) {{ {_rule('html:root[class]', FORCED)} }}",
        )
    )


def _rule(selector: str, values: Mapping[str, str]) -> str:
    body = " ".join(f"--{name}: {value};" for name, value in values.items())
    return f"{selector} {{ {body} }}"
