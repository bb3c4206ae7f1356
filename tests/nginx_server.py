"""Start and stop an nginx of the tests' own as a proxy, where it is on the machine."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.live_server import free_port

START_TIMEOUT_S = 15
STOP_TIMEOUT_S = 15
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  {temporary}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
  }}
}}
"""


def missing() -> str | None:
    """Say what an nginx of our own cannot start without, or None when all is there."""
    return None if _program() else "the machine has no nginx"


class NginxServer:
    """A proxy on a free port that is told nothing but what it is before; a context manager.

    So it speaks HTTP/1.0 to `upstream`, a port of this machine, and adds no header.
    Start one only where nothing is `missing`.
    """

    def __init__(self, upstream: int) -> None:
        self.port = free_port()
        self._upstream = upstream
        self._folder = Path(tempfile.mkdtemp(prefix="livetape-nginx-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give the proxy's address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: with the end of its log when it does not come up.
        """
        program = _program()
        assert program is not None
        temporary = " ".join(f"{each}_temp_path {self._folder}/{each};" for each in TEMPORARY)
        file = self._folder / "nginx.conf"
        file.write_text(
            CONFIGURATION.format(
                folder=self._folder, temporary=temporary, port=self.port, upstream=self._upstream
            )
        )
        log = self._folder / "error.log"
        self._process = subprocess.Popen(
            [program, "-c", file, "-p", self._folder, "-e", log],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        said = log.read_text()[-2000:] if log.exists() else ""
        self.stop()
        raise RuntimeError(f"nginx did not start:\n{said}")

    def stop(self) -> None:
        """End it, and remove all that it wrote."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_TIMEOUT_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _program() -> str | None:
    """Find it: on PATH, or where Debian puts it, which is on root's PATH alone."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
