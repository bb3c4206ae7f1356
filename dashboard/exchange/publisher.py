"""Write the market into a Redis, at a chosen rate, and go on after every loss of it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from dashboard.core.errors import ExchangeError
from dashboard.exchange.listings import static_data
from dashboard.exchange.market import ExchangeMarket
from dashboard.exchange.messages import CHANNEL

TIMEOUT_S = 3.0
PERIOD_S = 0.005
"""Messages that are due within this time go out together."""
LONGEST_LAG_S = 0.25
"""What a stall of more than this has kept back is left out instead of made up for."""
LARGEST_BATCH = 500
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 2.0


class Publisher:
    """Publish a market's messages and keep its keys.

    `pid` gives the process that must answer at the address, where it is our
    own: nothing is written into another Redis that has taken its port.
    `messages` and `trades` count what has been published; both only rise.
    """

    def __init__(
        self,
        url: str,
        market: ExchangeMarket,
        *,
        rate: float,
        say: Callable[[str], object],
        pid: Callable[[], int | None] | None = None,
    ) -> None:
        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - its **kwargs
            url,
            socket_timeout=None,  # redis-py's own may swallow a cancellation
            retry=Retry(NoBackoff(), 0),
        )
        self._market = market
        self._rate = rate
        self._say = say
        self._pid = pid
        self.messages = 0
        self.trades = 0

    async def start(self, *, patience_s: float = 0.0) -> None:
        """Fill the keys for the first time, trying for so long.

        Raises:
            ExchangeError: when Redis cannot be written to.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience_s
        while True:
            try:
                return await self._fill()
            except (RedisError, OSError) as error:
                if loop.time() >= deadline:
                    raise ExchangeError(problem=f"Redis cannot be written to: {error}") from error
            await asyncio.sleep(PERIOD_S)

    async def run(self) -> None:
        """Publish until cancelled; when Redis is lost, wait until it is back and fill it again."""
        while True:
            try:
                await self._publish()
            except (RedisError, OSError) as error:
                self._say(f"Redis is lost: {error}; waiting until it is back")
            await self._wait_until_filled()
            self._say("Redis is back and filled again")

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    async def _wait_until_filled(self) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            try:
                return await self._fill()
            except (RedisError, OSError):
                await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)

    async def _fill(self) -> None:
        """Write every key, and publish what the keys do not tell."""
        if self._pid is not None:
            async with asyncio.timeout(TIMEOUT_S):
                server = await self._redis.info("server")  # pyright: ignore[reportUnknownMemberType] - its **kwargs
            if server["process_id"] != self._pid():
                raise ConnectionError("another server has taken the port")
        now = time.time_ns()
        keys = {key: text.encode() for key, text in static_data().items()}
        await self._send(self._market.account_messages(now), keys | self._market.state(now))

    async def _publish(self) -> None:
        """Publish each message when it is due, by deadlines that do not drift."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            began = loop.time()
            due = max(due, began - LONGEST_LAG_S)
            messages: list[bytes] = []
            keys: dict[str, bytes] = {}
            while due <= began and len(messages) < LARGEST_BATCH:
                step = self._market.advance(time.time_ns())
                messages += step.messages
                keys |= step.keys
                self.trades += step.trades
                due += len(step.messages) / self._rate
            await self._send(messages, keys)
            await asyncio.sleep(max(due, began + PERIOD_S) - loop.time())

    async def _send(self, messages: Sequence[bytes], keys: Mapping[str, bytes]) -> None:
        """Do all of it at once: who subscribes and then reads the keys misses nothing."""
        async with asyncio.timeout(TIMEOUT_S), self._redis.pipeline(transaction=True) as pipeline:
            if keys:
                pipeline.mset(keys)
            for message in messages:
                pipeline.publish(CHANNEL, message)  # pyright: ignore[reportUnknownMemberType] - its **kwargs
            await pipeline.execute()
        self.messages += len(messages)
