"""The frame of every panel: title, a note on its state, and its body."""

import reflex as rx

from dashboard.ui.components import live


def panel(
    name: str, title: str, *body: rx.Component, beside: rx.Component | None = None
) -> rx.Component:
    """Frame a panel.

    `name` is its id and CSS class; `beside` stands in the header, at the right.
    The note says why the numbers stand still, while they do.
    """
    return rx.el.section(
        rx.el.header(
            rx.el.h2(title, id=f"{name}-title"),
            live.note(),
            beside or rx.fragment(),
            live.fold(panel=name, label=title.lower()),
        ),
        rx.el.div(*body, class_name="panel-body"),
        id=name,
        class_name=f"panel {name}",
        custom_attrs={"aria-labelledby": f"{name}-title"},
    )


def facts(*rows: tuple[str, rx.Component, str]) -> rx.Component:
    """List labelled values: label, value, and the value's definition as a tooltip."""
    return rx.el.dl(
        *(
            part
            for label, value, definition in rows
            for part in (rx.el.dt(label, title=definition), rx.el.dd(value))
        ),
        class_name="facts",
    )
