"""Start and stop a PostgreSQL of the tests' own, where its programs are on the machine."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15
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


class PostgresServer:
    """A server with an empty database, for speed and not to last; a context manager.

    It listens on a socket in a folder of its own alone, so it needs no free port and no password.
    Start one only where nothing is `missing`.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="livetape-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give the address, for `DASHBOARD_DB_URL`."""
        return f"postgresql://{USER}@/postgres?host={self._folder}"

    def start(self) -> None:
        """Make the database, start and wait until it answers.

        Raises:
            RuntimeError: with the end of the log when it does not come up.
        """
        programs = _programs()
        assert programs is not None
        user = group = groups = None
        if os.geteuid() == 0 and (account := _account()) is not None:
            user, group, groups = account.pw_uid, account.pw_gid, ()
            os.chown(self._folder, user, group)
        log = self._folder / "postgres.log"
        data = str(self._folder / "data")
        make = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
        unsafe = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
        options = [f"-c{each}" for each in (*unsafe, "listen_addresses=")]
        with log.open("wb") as output:
            subprocess.run(
                [programs / "initdb", *make, "--no-sync", data],
                cwd=self._folder,
                stdout=output,
                stderr=output,
                timeout=START_TIMEOUT_S,
                check=False,  # then the server does not start, and the log says why
                user=user,
                group=group,
                extra_groups=groups,
            )
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", self._folder, *options],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=user,
                group=group,
                extra_groups=groups,
            )
        self._process = process
        if not self._answers(process):
            said = log.read_text()[-2000:]
            self.stop()
            raise RuntimeError(f"PostgreSQL did not start:\n{said}")

    def stop(self) -> None:
        """End it, and remove all that it wrote."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)  # which cuts the clients' connections
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

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"))
        deadline = time.monotonic() + START_TIMEOUT_S
        try:
            while time.monotonic() < deadline and process.poll() is None:
                try:
                    engine.connect().close()
                except OperationalError:
                    time.sleep(0.02)
                else:
                    return True
            return False
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
