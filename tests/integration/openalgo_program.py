"""A program that uses the `openalgo` package; a test runs it under another Python.

Usage: openalgo_program.py URL KEY. It says each thing that held, a line each; after
`restart` it waits for a line on standard input, by when the server has been started again.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from openalgo import api

TIMEOUT_S = 30
BTC = {"symbol": "BTC/USD", "exchange": "CRYPTO"}
AAPL = {"symbol": "AAPL", "exchange": "NASDAQ"}


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not found():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)


def say(held: str) -> None:
    sys.stdout.write(held + "\n")
    sys.stdout.flush()


def main(url: str, key: str) -> None:
    client = api(api_key=key, host="http://127.0.0.1:1", ws_url=url)
    other = api(api_key=key, host="http://127.0.0.1:1", ws_url=url)
    assert client.connect()
    assert other.connect()
    say("connect")

    seen: list[dict[str, Any]] = []
    assert client.subscribe_ltp([BTC], on_data_received=seen.append)
    until(lambda: len(seen) > 2 and seen[-1]["mode"] == 1)
    assert client.get_ltp()["ltp"]["CRYPTO"]["BTC/USD"]["ltp"] > 0
    say("ltp")
    assert client.subscribe_quote([BTC], on_data_received=seen.append)
    until(lambda: seen[-1]["mode"] == 2)
    quote = client.get_quotes()["quote"]["CRYPTO"]["BTC/USD"]
    assert 0 < quote["low"] <= quote["ltp"] <= quote["high"]
    say("quote")
    assert client.subscribe_depth([BTC], on_data_received=seen.append)
    until(lambda: "BTC/USD" in client.get_depth()["depth"].get("CRYPTO", {}))
    depth = client.get_depth()["depth"]["CRYPTO"]["BTC/USD"]
    assert 0 < depth["buyBook"]["1"]["price"] < depth["sellBook"]["1"]["price"]
    say("depth")

    others: list[dict[str, Any]] = []
    assert other.subscribe_quote([BTC, AAPL], on_data_received=others.append)
    until(lambda: {each["symbol"] for each in others} == {"AAPL", "BTC/USD"})
    client.disconnect()
    others.clear()
    until(lambda: "BTC/USD" in {each["symbol"] for each in others})
    say("two clients")
    assert other.unsubscribe_quote([BTC])
    time.sleep(0.2)
    others.clear()
    until(lambda: len(others) > 5)
    assert {each["symbol"] for each in others} == {"AAPL"}
    say("unsubscribe")

    stranger = api(api_key="wrong", host="http://127.0.0.1:1", ws_url=url)
    assert not stranger.connect()
    stranger.disconnect()
    say("wrong key")

    say("restart")
    sys.stdin.readline()
    assert client.connect()
    seen.clear()
    assert client.subscribe_ltp([BTC], on_data_received=seen.append)
    until(lambda: bool(seen))
    client.disconnect()
    other.disconnect()
    say("reconnect")


if __name__ == "__main__":
    main(*sys.argv[1:])
