"""Reflex's configuration of the naive page; `tests/benchmarks/pages.py` runs it."""

import os

import reflex as rx

config = rx.Config(
    app_name="naive_page",
    app_module_import="naive_page",
    backend_host="127.0.0.1",
    frontend_port=int(os.environ.get("REFLEX_FRONTEND_PORT") or 3000),
    show_built_with_reflex=False,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    telemetry_enabled=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
)
