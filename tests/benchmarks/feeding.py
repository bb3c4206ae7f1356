"""Feed the servers that are measured at a steady pace, each message at its own time."""

import asyncio
from collections.abc import Callable

import uvloop

READ_BYTES = 1 << 18


async def at_rate(publish: Callable[[int], object], rate: float) -> None:
    """Call with 1, 2, 3 … `rate` times a second, each at its time to the millisecond, for ever."""
    loop = asyncio.get_running_loop()
    began, number = loop.time(), 0
    while True:
        due = int((loop.time() - began) * rate)
        while number < due:
            number += 1
            publish(number)
        wait_s = began + (number + 1) / rate - loop.time()
        await asyncio.sleep(max(wait_s, 0.001))  # uvloop's timers count milliseconds: no spinning


def feed(port: int, frame: Callable[[int], bytes], rate: float) -> None:
    """Write frames to a port of 127.0.0.1 at a rate, for ever; what it answers is thrown away.

    A server that reads too slowly slows nothing down: what it has not read waits in memory.
    """

    async def run() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def read() -> None:
            while await reader.read(READ_BYTES):
                pass

        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            group.create_task(at_rate(lambda number: writer.write(frame(number)), rate))

    uvloop.run(run())


def http_post(path: str, text: bytes) -> bytes:
    """Make a request of HTTP/1.1 for a connection that stays open."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + text
