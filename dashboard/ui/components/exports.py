"""Links that download a table, see `endpoints/exports.py`."""

import reflex as rx

FORMS = (("CSV", "csv"), ("Parquet", "parquet"))


def export_links(table: str, what: str) -> rx.Component:
    """Offer a table as CSV and Parquet; `what` names it for a screen reader."""
    return rx.el.span(
        *(
            rx.el.a(
                name,
                href=f"/api/export/{table}.{form}",
                class_name="export",
                custom_attrs={
                    "reloadDocument": True,  # else the router looks for a page of this name
                    "download": "",
                    "aria-label": f"{what} as {name}",
                },
            )
            for name, form in FORMS
        ),
        class_name="exports",
    )
