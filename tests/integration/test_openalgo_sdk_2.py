"""The `openalgo` package 2.x, which needs Python 3.12, as a client; skipped where there is none."""

import asyncio
import os
import shutil
import subprocess
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.integration.stream import KEY, streaming
from tests.live_server import ROOT

VERSION = "2.0.5"
FOLDER = ROOT / ".venv" / f"openalgo-{VERSION}"
TIMEOUT_S = 60


def newer_python() -> str | None:
    """Find a Python from 3.12 on: on PATH, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    names = [shutil.which(f"python3.{minor}") for minor in range(12, 16)]
    for python in [*names, *sorted(pyenv.glob("versions/3.*/bin/python"))]:
        if python is None:
            continue
        check = [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 12))"]
        if subprocess.run(check, capture_output=True, check=False).returncode == 0:
            return str(python)
    return None


@pytest.fixture(scope="session")
def python() -> str:
    """Give a Python that has the package, in an environment of its own that is kept."""
    inside = FOLDER / "bin" / "python"
    done = FOLDER / "installed"
    if not done.exists():
        newer = newer_python()
        if newer is None:
            pytest.skip("the package's version 2 needs Python 3.12, which this machine has not")
        subprocess.run([newer, "-m", "venv", "--clear", str(FOLDER)], check=True)
        install = [str(inside), "-m", "pip", "install", "--quiet", f"openalgo=={VERSION}"]
        installed = subprocess.run(install, capture_output=True, text=True, check=False)
        if installed.returncode:
            pytest.skip(f"openalgo=={VERSION} can't be installed: {installed.stderr[-200:]}")
        done.touch()
    return str(inside)


async def test_every_case_holds_with_version_2(python: str) -> None:
    async with streaming() as stream:
        port = stream.server.port
        program = await asyncio.create_subprocess_exec(
            python,
            str(Path(__file__).with_name("openalgo_program.py")),
            stream.url,
            KEY,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        )
        assert program.stdin is not None
        assert program.stdout is not None
        held: list[str] = []
        async with asyncio.timeout(TIMEOUT_S):
            async for line in program.stdout:
                held.append(line.decode().strip())
                if held[-1] == "restart":
                    break
    async with streaming(port=port):
        rest, errors = await program.communicate(b"\n")
        held += rest.decode().split("\n")
    cases = ["connect", "ltp", "quote", "depth", "two clients", "unsubscribe", "wrong key"]
    assert [each for each in held if each in {*cases, "reconnect"}] == [*cases, "reconnect"], errors
    assert program.returncode == 0
