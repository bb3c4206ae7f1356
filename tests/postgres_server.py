"""Start and stop a PostgreSQL of the tests' own, where its programs are on the machine."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from tests.programs import START_TIMEOUT_S, Program

USER = "livetape"
UNPRIVILEGED = ("postgres", "nobody")
"""Whom root runs it as: PostgreSQL refuses to run as root."""


def missing() -> str | None:
    """Say what a PostgreSQL of our own cannot start without, or None when all is there."""
    if _programs() is None:
        return "the machine has no initdb and postgres"
    if os.geteuid() == 0 and _account() is None:
        return f"root needs a user to run it as: {' or '.join(UNPRIVILEGED)}"
    return None


class PostgresServer(Program):
    """A server with an empty database, for speed and not to last.

    It listens on a socket in a folder of its own alone, so it needs no free port and no password.
    Start one only where nothing is `missing`.
    """

    name = "PostgreSQL"
    end_by = signal.SIGINT  # which cuts the clients' connections

    @property
    def url(self) -> str:
        """Give the address, for `DASHBOARD_DB_URL`."""
        return f"postgresql://{USER}@/postgres?host={self.folder}"

    def command(self) -> Sequence[str | Path]:
        """Make the database, and give the program."""
        programs = _programs()
        assert programs is not None
        options = self.options()
        if "user" in options:
            os.chown(self.folder, options["user"], options["group"])
        data = str(self.folder / "data")
        make = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
        with self.log.open("wb") as log:
            subprocess.run(
                [programs / "initdb", *make, "--no-sync", data],
                stdout=log,
                stderr=log,
                timeout=START_TIMEOUT_S,
                check=False,  # then the server does not start, and the log says why
                **options,
            )
        unsafe = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
        settings = [f"-c{each}" for each in (*unsafe, "listen_addresses=")]
        return (programs / "postgres", "-D", data, "-k", self.folder, *settings)

    def options(self) -> dict[str, Any]:
        """Give its folder to work in, and for root the user to run as."""
        options: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0 and (account := _account()) is not None:
            options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}
        return options

    def answers(self) -> bool:
        """Connect to it."""
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"))
        try:
            engine.connect().close()
        except OperationalError:
            return False
        else:
            return True
        finally:
            engine.dispose()


def _programs() -> Path | None:
    """Find the folder of the programs: on PATH, or else the newest where Debian puts them."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(versions, key=lambda bin_dir: int(bin_dir.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    folders = [Path(on_path).parent] if on_path else []
    for folder in (*folders, *newest_first):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _account() -> pwd.struct_passwd | None:
    accounts = {each.pw_name: each for each in pwd.getpwall()}
    return next((accounts[name] for name in UNPRIVILEGED if name in accounts), None)
