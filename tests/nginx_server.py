"""Start and stop an nginx of the tests' own as a proxy, where it is on the machine."""

import contextlib
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from tests.live_server import free_port
from tests.programs import Program

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {log};
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


class NginxServer(Program):
    """A proxy on a free port that is told nothing but what it is before.

    So it speaks HTTP/1.0 to `upstream`, a port of this machine, and adds no header.
    Start one only where nothing is `missing`.
    """

    name = "nginx"

    def __init__(self, upstream: int) -> None:
        super().__init__()
        self.port = free_port()
        self._upstream = upstream

    @property
    def url(self) -> str:
        """Give the proxy's address."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str | Path]:
        """Write its configuration, and give the program."""
        program = _program()
        assert program is not None
        temporary = " ".join(f"{each}_temp_path {self.folder}/{each};" for each in TEMPORARY)
        file = self.folder / "nginx.conf"
        file.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                log=self.log,
                temporary=temporary,
                port=self.port,
                upstream=self._upstream,
            )
        )
        return (program, "-c", file, "-p", self.folder, "-e", self.log)

    def answers(self) -> bool:
        """Connect to it."""
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False


def _program() -> str | None:
    """Find it: on PATH, or where Debian puts it, which is on root's PATH alone."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
