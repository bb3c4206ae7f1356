"""The shell around every page: rail, status line, bottom bar; and what the app needs for it."""

import reflex as rx

from dashboard.access.sign_out import SIGN_OUT_PATH
from dashboard.ui import theme
from dashboard.ui.components import live
from dashboard.ui.components.exports import API
from dashboard.ui.components.icons import INSTRUMENTS, MARKET, PNL, RUNNERS, SETTINGS, icon

PRODUCT = "Livetape"
PAGES = (
    ("Market", "/", MARKET),
    ("Instruments", "/instruments/", INSTRUMENTS),
    ("PnL", "/pnl", PNL),
    ("Runners", "/runners", RUNNERS),
)
"""The rail's entries: name, route, icon."""


def prepare(app: rx.App) -> None:
    """Give the app its look, and our connection pill in place of Reflex's overlays."""
    app.stylesheets = list(theme.STYLESHEETS)
    app.head_components = [
        rx.el.style(theme.css_variables()),
        rx.el.script(theme.REMEMBERED_SCRIPT),
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.link(rel="alternate icon", href="/favicon.ico"),
        rx.el.link(
            rel="preload",
            href="/fonts/inter-latin.woff2",
            type="font/woff2",
            cross_origin="anonymous",
            custom_attrs={"as": "font"},
        ),
    ]
    app.app_wraps[5, "Overlay"] = lambda _stateful: None
    app.toaster = None


def page(name: str, *content: rx.Component, headed: bool = False) -> rx.Component:
    """Put a page's content into the shell.

    `name` is the rail's entry that it belongs to, and its heading for screen
    readers unless it is `headed` by one of its own.
    """
    heading = () if headed else (rx.el.h1(f"{name}, {PRODUCT}", class_name="sr-only"),)
    return rx.el.div(
        rx.el.a("Skip to the content", href="#content", class_name="skip"),
        _status_line(),
        _rail(name),
        rx.el.main(*heading, live.unreachable(), *content, id="content"),
        live.announcer(),
        live.palette(),
        live.reset_notice(),
        popover("settings", "Settings", live.settings(sign_out=f"{API}{SIGN_OUT_PATH}")),
        class_name="shell",
    )


def popover(name: str, title: str, *content: rx.Component) -> rx.Component:
    """Make a popover; a button with `opens(name)` shows it."""
    return rx.el.div(
        rx.el.h2(title),
        *content,
        id=name,
        class_name="popover",
        custom_attrs={"popover": "auto", "role": "dialog", "aria-label": title},
    )


def opens(name: str) -> dict[str, str]:
    """Give the attributes of a button that opens a popover."""
    return {"popoverTarget": name, "aria-haspopup": "dialog"}


def _rail(current: str) -> rx.Component:
    return rx.el.nav(
        *(
            live.page_link(
                icon(drawing),
                rx.el.span(name),
                href=route,
                title=name,
                custom_attrs={"aria-current": "page"} if name == current else {},
            )
            for name, route, drawing in PAGES
        ),
        class_name="rail",
        custom_attrs={"aria-label": "Pages"},
    )


def _status_line() -> rx.Component:
    return rx.el.header(
        live.page_link(
            rx.el.i(custom_attrs={"aria-hidden": "true"}), PRODUCT, href="/", class_name="brand"
        ),
        live.feed_pill(),
        live.connection_pill(),
        live.paused_pill(),
        _measure("Messages", "rate", "/s"),
        _measure("FPS", "fps"),
        _measure("Latency p95", "latency-p95", "ms"),
        _measure("Drops", "drops"),
        rx.el.span(class_name="spring"),
        live.palette_button(),
        live.utc_clock(),
        live.theme_switch(),
        rx.el.button(
            icon(SETTINGS),
            type="button",
            class_name="icon-button",
            title="Settings",
            custom_attrs={"aria-label": "Settings", **opens("settings")},
        ),
        class_name="status-line",
    )


def _measure(label: str, name: str, unit: str = "") -> rx.Component:
    return rx.el.span(
        f"{label} ",
        rx.el.b(live.figure(name, test_id=f"status-{name}"), f" {unit}" if unit else ""),
        class_name=f"measure measure-{name}",
    )
