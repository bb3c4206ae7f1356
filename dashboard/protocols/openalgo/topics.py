"""Topics of the message bus: `BROKER_EXCHANGE_SYMBOL_MODE`, or without the broker."""

from typing import NamedTuple

from dashboard.protocols.openalgo.modes import Mode

INDEX_EXCHANGES = frozenset({"NSE_INDEX", "BSE_INDEX", "MCX_INDEX", "GLOBAL_INDEX"})
"""The exchanges whose names have two segments."""


class BusTopic(NamedTuple):
    """What a topic names. Brokers are written in lower case, exchanges in upper case."""

    broker: str | None
    exchange: str
    symbol: str
    mode: Mode


def format_topic(topic: BusTopic) -> str:
    """Write a topic.

    >>> format_topic(BusTopic("dhan", "NSE_INDEX", "NIFTY_50", Mode.DEPTH))
    'dhan_NSE_INDEX_NIFTY_50_DEPTH'
    """
    parts = (topic.broker, topic.exchange, topic.symbol, topic.mode.name)
    return "_".join(part for part in parts if part is not None)


def parse_topic(text: str) -> BusTopic:
    """Read a topic: the mode is the last segment, and a symbol may hold underscores.

    A first segment in lower case is a broker.

    Raises:
        ValueError: when it names no mode, no exchange or no symbol.

    >>> parse_topic("dhan_NSE_INDEX_NIFTY_50_DEPTH").symbol
    'NIFTY_50'
    """
    rest, _, mode = text.rpartition("_")
    broker = None
    first, _, after = rest.partition("_")
    if first != first.upper():
        broker, rest = first, after
    segments = rest.split("_")
    width = 2 if "_".join(segments[:2]) in INDEX_EXCHANGES else 1
    exchange, symbol = "_".join(segments[:width]), "_".join(segments[width:])
    if mode not in Mode.__members__ or not exchange or not symbol:
        raise ValueError(f"{text[:100]!r} is not a topic BROKER_EXCHANGE_SYMBOL_MODE")
    return BusTopic(broker, exchange, symbol, Mode[mode])
