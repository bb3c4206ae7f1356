"""How the process ends, on the server that Reflex runs the product on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.live_server import environment, free_port

APP = """
import asyncio
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from dashboard.streaming.shutdown import no_life_after

async def farewell():
    print("farewell", flush=True)

async def fail():
    await asyncio.sleep(0.1)
    raise ValueError("of a background task")

@asynccontextmanager
async def lifespan(_app):
    async with no_life_after(farewell):
        {begin}
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            yield

app = Starlette(lifespan=lifespan)
"""
SERVE = """
from granian.constants import Interfaces
from granian.server import Server

Server("failing:app", port={port}, interface=Interfaces.ASGI).serve()
"""


@pytest.mark.parametrize("begin", ["pass", "raise ValueError('of a background task')"])
def test_services_that_fail_end_the_process_with_an_error(tmp_path: Path, begin: str) -> None:
    (tmp_path / "failing.py").write_text(APP.format(begin=begin))
    ended = subprocess.run(
        [sys.executable, "-c", SERVE.format(port=free_port())],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout.splitlines().count("farewell") == 1
    assert "of a background task" in ended.stdout + ended.stderr
