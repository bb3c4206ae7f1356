"""Start and stop the real product on a free port, as a user would."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx
import psutil

from tests.built_pages import BuiltPage
from tests.web_folders import WITHOUT_PAGE, WebFolder, building

ROOT = Path(__file__).parents[1]
SERVE_BUILT = Path(__file__).with_name("serve_built.py")
START_TIMEOUT_S = 240
STOP_TIMEOUT_S = 15


def free_port() -> int:
    """Give a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LiveServer:
    """`reflex run` with the given DASHBOARD_ settings; a context manager.

    `page` False serves the API alone, which starts without building the page;
    `dev` serves page and API on two ports, with reload, as `make dev` does. `app`
    is the folder of another Reflex app that is built from the product's parts. Its
    data are its own, and stay: `data_dir`. It has no stream server unless `stream_port` is set,
    and builds its page beside that of a product that runs in the same folder, or takes one that
    was built of the same sources, see `BuiltPage`; with `fresh` it builds it in any case.
    """

    def __init__(
        self,
        *,
        page: bool = True,
        dev: bool = False,
        fresh: bool = False,
        app: Path = ROOT,
        **settings: object,
    ) -> None:
        self.port = free_port()
        self.api_port = free_port() if dev else self.port
        self.page = page
        self.dev = dev
        self.fresh = fresh
        self.app = app
        self.process: subprocess.Popen[bytes] | None = None
        self.web: WebFolder | None = None
        self.log = ROOT / ".data" / "tests" / f"server-{self.port}.log"
        self.data_dir = Path(str(settings.setdefault("data_dir", self.log.with_suffix(".data"))))
        settings.setdefault("stream_port", 0)
        self.settings = {f"DASHBOARD_{key.upper()}": str(value) for key, value in settings.items()}

    @property
    def url(self) -> str:
        """Give the address of the page."""
        return f"http://localhost:{self.port}"

    @property
    def ws_url(self) -> str:
        """Give the address of the live stream."""
        return f"ws://127.0.0.1:{self.api_port}/ws"

    @property
    def command(self) -> list[str]:
        """Give the command that runs it, and builds its page where it has one."""
        run = ["-m", "reflex", "run"]
        if self.dev:
            return [*run, "--frontend-port", str(self.port), "--backend-port", str(self.api_port)]
        if self.page:
            return [*run, "--env", "prod", "--frontend-port", str(self.port)]
        return [*run, "--env", "prod", "--backend-only", "--backend-port", str(self.port)]

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            RuntimeError: with the end of the log when it does not come up.
        """
        if not self.page:
            self._run(self.command, environment())
            return
        with building():
            built = BuiltPage(self.app)
            serves = built.exists and not (self.dev or self.fresh)
            self.web = web = WebFolder.take(self.app.name + ("-served" if serves else ""))
            env = environment() | {"REFLEX_WEB_WORKDIR": str(web.path)}
            if not serves:
                self._run(self.command, env, web)
                if not self.dev:
                    built.keep(web.path, port=self.port)
                return
            built.copy(web.path, port=self.port)
        ports = dict.fromkeys(("REFLEX_FRONTEND_PORT", "REFLEX_BACKEND_PORT"), str(self.port))
        self._run([str(SERVE_BUILT)], env | ports, web)

    def _run(self, command: list[str], env: dict[str, str], web: WebFolder | None = None) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=self.app,
                env=env | self.settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if web is None else (web.lock.fileno(),),
            )
        awaited = [f"http://127.0.0.1:{self.api_port}/api/health", *([self.url] * self.dev)]
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if all(map(_answers, awaited)):
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-4000:]}")

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask the server to end as Ctrl-C or a service manager would; insist after 15 s."""
        process, self.process = self.process, None
        if process is None:
            return
        _signal_group(process.pid, by)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait(STOP_TIMEOUT_S)
        finally:
            if self.web is not None:
                self.web.free()

    def restart(self) -> None:
        """Stop it, and start it again on the same port."""
        self.stop()
        self.start()

    def worker(self) -> psutil.Process:
        """Give the process that serves, for its CPU and memory."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children()
        return max(children, key=lambda child: child.memory_info().rss)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run_keys(server: LiveServer, *arguments: str) -> str:
    """Run the command line for keys beside a running product; give what it says last."""
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.keys", *arguments],
        cwd=ROOT,
        env=environment() | server.settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()[-1]


def environment() -> dict[str, str]:
    """Give the environment to start the product in: none of its settings, and our Python first.

    What Reflex writes is kept apart from what a product that runs in this folder has.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("DASHBOARD_")}
    bin_dir = str(Path(sys.executable).parent)
    return inherited | {
        "PATH": bin_dir + os.pathsep + inherited.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "REFLEX_USE_NPM": "1",
        "REFLEX_WEB_WORKDIR": str(WITHOUT_PAGE),
        "REFLEX_STATES_WORKDIR": str(WITHOUT_PAGE / "states"),
    }


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
