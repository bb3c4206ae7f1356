"""Reflex's own configuration; the product's settings are in dashboard/config.py."""

import reflex as rx

from dashboard.config import settings_or_exit

settings = settings_or_exit()

config = rx.Config(
    app_name="dashboard",
    backend_host="127.0.0.1",
    cors_allowed_origins=settings.allowed_origins,
    default_color_mode="system",
    frontend_compression_formats=["gzip"],
    show_built_with_reflex=False,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    telemetry_enabled=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
)
