"""Reflex's own configuration; the product's settings are in dashboard/config.py."""

import os
import sys
from pathlib import Path

import reflex as rx

from dashboard.access.page_server import limit_page_server
from dashboard.config import settings_or_exit

settings = settings_or_exit()
limit_page_server()

# Reflex reads these from the environment only; a value set outside wins.
os.environ.setdefault("REFLEX_USE_NPM", "1")  # Node comes with requirements.txt
os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")  # the version is pinned
os.environ.setdefault("REFLEX_DIR", str(Path(sys.prefix, "share", "reflex")))  # not the home

# With a Redis, Reflex would start several workers, each of them with feeds of its own.
os.environ.pop("REFLEX_REDIS_URL", None)

# Reflex puts a port given on its command line here, and reads this file again.
PORT = int(os.environ.get("REFLEX_FRONTEND_PORT") or 3000)

config = rx.Config(
    app_name="dashboard",
    backend_host="127.0.0.1",
    cors_allowed_origins=[
        f"http://localhost:{PORT}",
        f"http://127.0.0.1:{PORT}",
        *settings.allowed_origins,
    ],
    default_color_mode="system",
    frontend_compression_formats=["gzip"],
    # Without a port, Reflex moves past a taken one in silence; with one, it has no --backend-only.
    frontend_port=None if "--backend-only" in sys.argv else PORT,
    show_built_with_reflex=False,
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    telemetry_enabled=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
)
