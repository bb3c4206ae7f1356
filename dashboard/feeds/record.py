"""Record WebSocket traffic: `python -m dashboard.feeds.record URL... [--output FILE]`.

It writes what `replay` plays: every message of every address, in the order of
its arrival, until the time is up or it is interrupted. No key that it shows is
written: not into the recording, nor into what it says.
"""

import argparse
import asyncio
import contextlib
import gzip
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from dashboard.core.clocks import never_set
from dashboard.core.masking import MASK, mask_url, masking
from dashboard.feeds.parsing import wslog

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""A snapshot of a deep book takes some megabytes."""
OPEN_TIMEOUT_S = 10
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 30.0
REFUSALS = (OSError, TimeoutError, InvalidHandshake, InvalidURI)
"""Why a first connection is not made."""


class Recorder:
    """Write the traffic of some connections to one file, one line a record.

    `clock` gives ns since the Unix epoch; it must not be set meanwhile, for a replay
    keeps the gaps that it shows. Every address is shown the `key`, if there is one,
    as an API key.
    """

    def __init__(self, file: TextIO, *, clock: Callable[[], int], key: str | None = None) -> None:
        self.messages = 0
        self._file = file
        self._clock = clock
        self._key = key
        self._headers = None if key is None else {"Authorization": f"Bearer {key}"}
        self._mask = masking([] if key is None else [key])

    async def record(self, url: str, *, greetings: Sequence[str] = ()) -> None:
        """Record one address until cancelled; a lost connection is made again.

        `greetings` are sent after each connection, such as subscriptions.

        Raises:
            OSError, TimeoutError, InvalidHandshake, InvalidURI: when the first
                connection cannot be made.
        """
        retry_s = 0.0
        shown = mask_url(url)
        while True:
            try:
                async with connect(
                    url,
                    max_size=MAX_MESSAGE_BYTES,
                    open_timeout=OPEN_TIMEOUT_S,
                    additional_headers=self._headers,
                ) as socket:
                    retry_s = FIRST_RETRY_S
                    self._file.write(wslog.encode_connected(self._clock(), shown))
                    for text in greetings:
                        await socket.send(text)
                        sent = wslog.encode_sent(self._clock(), shown, self._mask(text))
                        self._file.write(sent)
                    async for message in socket:
                        now_ns = self._clock()
                        text = message if isinstance(message, str) else message.decode("utf-8")
                        if self._key is not None:
                            text = text.replace(self._key, MASK)
                        self._file.write(wslog.encode_received(now_ns, text))
                        self.messages += 1
            except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
                if not retry_s:
                    raise
                _say(f"{shown}: {error}; connecting again in {retry_s:.0f} s")
            except UnicodeDecodeError:
                _say(f"{shown}: a binary message that is no text; connecting again")
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, LONGEST_RETRY_S)


async def record_all(
    recorder: Recorder, urls: Sequence[str], *, greetings: Sequence[str], seconds: float | None
) -> None:
    """Record all addresses at once, for some seconds or until SIGINT or SIGTERM."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(recorder.record(url, greetings=greetings)) for url in urls]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
        for task in tasks:
            task.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    """Record as the command line says; give the exit status."""
    options = _parser().parse_args(arguments)
    path: Path = options.output or Path(time.strftime("%Y-%m-%d-%H%M%S.wslog.gz", time.gmtime()))
    try:
        key = None if options.key_file is None else _read_key(options.key_file)
        file = _open(path)
    except (OSError, ValueError) as error:
        _say(f"recording failed: {error}")
        return 1
    clock = never_set(clock=time.time_ns, monotonic=time.monotonic_ns)
    recorder = Recorder(file, clock=clock, key=key)
    try:
        with file:
            asyncio.run(
                record_all(recorder, options.url, greetings=options.send, seconds=options.seconds)
            )
    except ExceptionGroup as group:
        foreseen, others = group.split(REFUSALS)
        if others is not None or foreseen is None:
            raise
        problem = str(foreseen.exceptions[0])
        for url in options.url:
            problem = problem.replace(url, mask_url(url))
        _say(f"recording failed: {problem}")
        if not recorder.messages:
            path.unlink()
        return 1
    _say(f"{recorder.messages} messages in {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dashboard.feeds.record",
        description="Record WebSocket traffic in the format that DASHBOARD_FEED=replay plays.",
    )
    parser.add_argument("url", nargs="+", type=_address, help="ws:// or wss:// address")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: the time; .gz compresses"
    )
    parser.add_argument(
        "--seconds", type=float, metavar="N", help="how long; default: until interrupted"
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="holds an API key, which each address is shown as 'Authorization: Bearer KEY'",
    )
    parser.add_argument(
        "--send",
        action="append",
        default=[],
        type=_json,
        metavar="JSON",
        help="sent to each address after connecting, such as a subscription; may be repeated",
    )
    return parser


def _address(text: str) -> str:
    """Check an address, and show none that is refused: there may be a password in it."""
    if not text.startswith(("ws://", "wss://")):
        raise argparse.ArgumentTypeError("an address begins with ws:// or wss://")
    return text


def _read_key(file: Path) -> str:
    key = file.read_text().strip()
    if not (key.isascii() and key.isprintable() and key):
        raise ValueError(f"{file} holds no key")
    return key


def _json(text: str) -> str:
    json.loads(text)
    return text


def _open(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        return gzip.open(path, "xt", encoding="utf-8", newline="\n")
    return path.open("x", encoding="utf-8", newline="\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
