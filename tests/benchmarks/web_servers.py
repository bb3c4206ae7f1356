"""The web servers that benchmarks run: Granian for ASGI applications, nginx with Nchan."""

import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.benchmarks.processes import running, serving_process, wait_for
from tests.live_server import ROOT, free_port

NGINX = shutil.which("nginx") or ""
NCHAN = next(Path("/usr/lib").glob("**/ngx_nchan_module.so"), None)


@contextmanager
def granian(
    target: str, *, cores: set[int] | None = None, **env: object
) -> Generator[tuple[int, psutil.Process]]:
    """Serve an application, `module:factory`, as the product is served; give port and worker."""
    port = free_port()
    command = ["-m", "granian", "--interface", "asgi", "--factory", "--workers", "1"]
    own = {name: str(value) for name, value in env.items()} | {"PYTHONPATH": str(ROOT)}
    with running(
        [sys.executable, *command, "--log-level", "warning", "--port", str(port), target],
        os.environ | own,
        cores=cores,
    ) as process:
        wait_for(port)
        yield port, serving_process(process)


@contextmanager
def nginx(
    locations: str, *, cores: set[int] | None = None
) -> Generator[tuple[int, psutil.Process]]:
    """Run nginx with Nchan and these locations; give port and worker."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="livetape-nchan-") as folder:
        config = Path(folder, "nginx.conf")
        config.write_text(_config(folder, port, locations))
        with running([NGINX, "-p", folder, "-c", str(config)], cores=cores) as process:
            wait_for(port)
            yield port, serving_process(process)


def _config(folder: str, port: int, locations: str) -> str:
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
load_module {NCHAN};
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
user {Path(folder).owner()};
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; {temporary}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    {locations}
  }}
}}
"""
