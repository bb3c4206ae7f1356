"""Links that download a table, see `api/exports.py`."""

import reflex as rx
from reflex.config import get_config
from reflex.utils.exec import is_prod_mode

API = "" if is_prod_mode() else get_config().api_url
"""Where the API is: with the page, but for `make dev`, which serves it on a port of its own."""
FORMS = (("CSV", "csv"), ("Parquet", "parquet"))


def export_links(table: str, what: str) -> rx.Component:
    """Offer a table as CSV and Parquet; `what` names it for a screen reader."""
    return rx.el.span(
        *(
            rx.el.a(
                name,
                href=f"{API}/api/export/{table}.{form}",
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
