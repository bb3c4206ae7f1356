"""Run the demonstration exchange: `python -m dashboard.exchange [--rate N] [--seed N]`.

It starts a Redis of its own, or writes into the one that DASHBOARD_REDIS_URL
names, until it is interrupted.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Coroutine, Sequence

from dashboard.config import load_settings, mask_password
from dashboard.core.errors import LivetapeError
from dashboard.exchange.market import ExchangeMarket
from dashboard.exchange.publisher import Publisher
from dashboard.exchange.redis_server import RedisServer, own_redis

DEFAULT_RATE = 200
HIGHEST_RATE = 100_000
REPORT_S = 10.0
PATIENCE_S = 10.0
"""How long our own redis-server may take to answer."""


async def trade(url: str | None, *, rate: float, seed: int | None) -> None:
    """Run the exchange on the Redis at `url`, or on one of its own, until cancelled.

    Raises:
        ExchangeError: when it cannot begin.
    """
    market = ExchangeMarket(seed=seed, now=time.time_ns())
    async with contextlib.AsyncExitStack() as stack:
        server: RedisServer | None = None
        if url is None:
            server = await stack.enter_async_context(own_redis(_say))
            url = server.url
        pid = (lambda: server.pid) if server else None
        publisher = Publisher(url, market, rate=rate, say=_say, pid=pid)
        stack.push_async_callback(publisher.close)
        await publisher.start(patience_s=PATIENCE_S if server else 0.0)
        shown = mask_password(url)
        _say(
            f"Redis with a moving market on {shown}\n"
            "Run Livetape on it in another terminal:\n"
            f"  DASHBOARD_FEED=redis DASHBOARD_REDIS_URL={shown} make run"
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(publisher.run())
            group.create_task(report(publisher))
            if server:
                group.create_task(server.run())


async def report(publisher: Publisher) -> None:
    """Say now and then what is published, until cancelled."""
    loop = asyncio.get_running_loop()
    then, messages, trades = loop.time(), publisher.messages, publisher.trades
    while True:
        await asyncio.sleep(REPORT_S)
        now = loop.time()
        rate = (publisher.messages - messages) / (now - then)
        _say(f"{rate:,.0f} messages/s, {publisher.trades - trades:,} trades in {now - then:.0f} s")
        then, messages, trades = now, publisher.messages, publisher.trades


async def until_interrupted(work: Coroutine[None, None, None]) -> None:
    """Do the work until it ends or the process is told to; then let it end in order."""
    loop = asyncio.get_running_loop()
    if task := asyncio.current_task():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the exchange as the command line says; give the exit status."""
    options = _parser().parse_args(arguments)
    status = 0
    try:
        settings = load_settings()
        url = settings.redis_url if "redis_url" in settings.model_fields_set else None
        asyncio.run(until_interrupted(trade(url, rate=options.rate, seed=options.seed)))
    except* LivetapeError as group:
        sys.stderr.write(f"exchange: {group.exceptions[0]}\n")
        status = 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dashboard.exchange",
        description="Publish a moving market in a Redis, for DASHBOARD_FEED=redis.",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        default=DEFAULT_RATE,
        metavar="N",
        help=f"messages per second, up to {HIGHEST_RATE}; default: {DEFAULT_RATE}",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="makes the market repeatable")
    return parser


def _rate(text: str) -> float:
    rate = float(text)
    if not 1 <= rate <= HIGHEST_RATE:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {HIGHEST_RATE}")
    return rate


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
