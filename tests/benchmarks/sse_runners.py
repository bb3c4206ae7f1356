"""Start the servers that `bench_sse.py` measures, and what publishes to them."""

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import uvloop
from redis import Redis

from tests.benchmarks.sse_servers import publish_steadily
from tests.live_server import ROOT, LiveServer, free_port
from tests.redis_server import RedisServer

NGINX = shutil.which("nginx") or ""
NCHAN = next(Path("/usr/lib").glob("**/ngx_nchan_module.so"), None)
READ_BYTES = 1 << 18


def serving(server: str, rate: int) -> AbstractContextManager[tuple[int, psutil.Process]]:
    """Give the server of a name."""
    match server:
        case "nchan":
            return nchan(rate)
        case "product":
            return product(rate)
        case _:
            return granian(server, rate)


@contextmanager
def granian(app: str, rate: int) -> Generator[tuple[int, psutil.Process]]:
    """Serve one of our two applications as the product is served; give port and worker."""
    port = free_port()
    target = f"tests.benchmarks.sse_servers:{app}"
    command = ["-m", "granian", "--interface", "asgi", "--factory", "--workers", "1"]
    with _process(
        [sys.executable, *command, "--log-level", "warning", "--port", str(port), target],
        env=os.environ | {"SSE_BENCH_RATE": str(rate), "PYTHONPATH": str(ROOT)},
    ) as process:
        _wait_for(port)
        yield port, _busiest(process)


@contextmanager
def nchan(rate: int) -> Generator[tuple[int, psutil.Process]]:
    """Run nginx with Nchan and a process that publishes to it; give port and worker."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="livetape-nchan-") as folder:
        config = Path(folder, "nginx.conf")
        config.write_text(_nginx_config(folder, port))
        with _process([NGINX, "-p", folder, "-c", str(config)]) as process:
            _wait_for(port)
            with _publisher(publish_to_nchan, port, rate):
                yield port, _busiest(process)


@contextmanager
def product(rate: int) -> Generator[tuple[int, psutil.Process]]:
    """Run the product on a Redis and a process that publishes to that; give port and worker."""
    with RedisServer() as redis:
        redis.fill()
        with (
            LiveServer(page=False, feed="redis", redis_url=redis.url) as server,
            _publisher(publish_to_redis, redis.url, rate),
        ):
            yield server.port, server.worker()


@contextmanager
def _publisher(target: Callable[..., None], *args: object) -> Generator[None]:
    process = multiprocessing.get_context("spawn").Process(target=target, args=args, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def publish_to_redis(url: str, rate: int) -> None:
    """Publish events as the exchange does."""
    with Redis.from_url(url) as redis:
        asyncio.run(
            publish_steadily(lambda _number, text: redis.publish("market_data", text), rate)
        )


def _nginx_config(folder: str, port: int) -> str:
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
    listen 127.0.0.1:{port};
    location = /sse/AAPL {{ nchan_subscriber eventsource; nchan_channel_id bench;
      nchan_subscriber_first_message newest; }}
    location = /publish {{ nchan_publisher http; nchan_channel_id bench;
      nchan_message_buffer_length 512; nchan_message_timeout 10s; }}
  }}
}}
"""


def publish_to_nchan(port: int, rate: int) -> None:
    """Post events over one connection, without waiting for the answers."""

    async def post() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        def publish(_number: int, text: str) -> None:
            head = f"POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(text)}"
            writer.write(f"{head}\r\n\r\n{text}".encode())

        async def read() -> None:
            while await reader.read(READ_BYTES):
                pass

        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            group.create_task(publish_steadily(publish, rate))

    uvloop.run(post())


@contextmanager
def _process(
    command: list[str], env: dict[str, str] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on {port}")


def _busiest(process: subprocess.Popen[bytes]) -> psutil.Process:
    children = psutil.Process(process.pid).children()
    return max(children, key=lambda child: child.memory_info().rss)
