"""The exchange's static data: texts of Redis keys in, instruments out. Pure.

Source: the specification of the exchange, "Redis keys". An example of each:

    static_data:instruments           [{"name":"AAPL","underlying":"AAPL_STOCK","tick_size":0.01}]
    static_data:underlyings           [{"name":"AAPL_STOCK","delta_limit":20}]
    static_data:AAPL_absolute_limit   100
    static_data:AAPL_STOCK_limit      20

An instrument may name its `exchange`. Where an underlying has a `delta_limit`
in the array, that one holds, and its key only has to be there. A number may
also stand in quotes, as a JSON string.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from dashboard.core.errors import StaticDataError
from dashboard.core.instruments import MAX_NAME, Instrument, Sent, is_name

EXCHANGE = "REDIS"
"""The exchange of instruments that name none."""
SENDS = (Sent.TRADES, Sent.QUOTES, Sent.BOOK, Sent.VOLUME)
"""What the exchange may say of each instrument."""
RESERVED = "pnl"
"""A name that no instrument may have: it is a stream's address, `/sse/pnl`."""

INSTRUMENTS_KEY = "static_data:instruments"
UNDERLYINGS_KEY = "static_data:underlyings"
INSTRUMENTS_FORM = 'a JSON array as [{"name":"AAPL","underlying":"AAPL_STOCK","tick_size":0.01}]'
UNDERLYINGS_FORM = 'a JSON array as [{"name":"AAPL_STOCK","delta_limit":20}]'
NAME_FORM = f"visible characters on one line, at most {MAX_NAME}"
LIMIT_FORM = "a number from 0 as text, such as 100"

ReadKeys = Callable[[Sequence[str]], Sequence[bytes | None]]
"""Give the text of each key, None where there is none."""


class StaticData(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the life of the process; `warnings` are for the log."""

    instruments: tuple[Instrument, ...]
    warnings: tuple[str, ...] = ()


class _Instrument(msgspec.Struct):
    name: str
    underlying: str
    tick_size: float
    exchange: str = EXCHANGE


class _Underlying(msgspec.Struct):
    name: str
    delta_limit: float | None = None


_instruments_decoder = msgspec.json.Decoder(list[_Instrument])
_underlyings_decoder = msgspec.json.Decoder(list[_Underlying])
_number_decoder = msgspec.json.Decoder(float, strict=False)


def parse_static_data(read: ReadKeys) -> StaticData:
    """Read the two arrays, then the limits that they call for, all checked.

    Raises:
        StaticDataError: names the first key that is missing or wrong.
    """
    texts = read([INSTRUMENTS_KEY, UNDERLYINGS_KEY])
    described = _array(INSTRUMENTS_KEY, texts[0], _instruments_decoder, INSTRUMENTS_FORM)
    underlyings = _array(UNDERLYINGS_KEY, texts[1], _underlyings_decoder, UNDERLYINGS_FORM)
    _check_names(UNDERLYINGS_KEY, (each.name for each in underlyings), UNDERLYINGS_FORM)
    _check_names(INSTRUMENTS_KEY, (each.name for each in described), INSTRUMENTS_FORM)
    known = {each.name for each in underlyings}
    for each in described:
        _check_instrument(each, known)
    absolute_keys = [_absolute_key(each.name) for each in described]
    delta_keys = [_delta_key(each.name) for each in underlyings]
    limits = _limits(absolute_keys + delta_keys, read)
    delta_limits, warnings = _delta_limits(underlyings, limits)
    instruments = tuple(
        Instrument(
            symbol=each.name,
            exchange=each.exchange,
            tick_size=each.tick_size,
            underlying=each.underlying,
            absolute_limit=limits[key],
            delta_limit=delta_limits[each.underlying],
            sends=SENDS,
        )
        for each, key in zip(described, absolute_keys, strict=True)
    )
    return StaticData(instruments=instruments, warnings=tuple(warnings))


def parse_number(text: bytes) -> float:
    """Read a finite number from the text of a key.

    Raises:
        ValueError: when it is none.
    """
    try:
        number = _number_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"{shorten(text)} is no number") from error
    if not math.isfinite(number):
        raise ValueError(f"{shorten(text)} is no finite number")
    return number


def shorten(text: bytes, limit: int = 60) -> str:
    """Show the beginning of a text on one line."""
    shown = text[:limit].decode(errors="replace")
    return repr(shown) + (" and so on" if len(text) > limit else "")


def _shown(name: str) -> str:
    return shorten(name.encode())


def _array(key: str, text: bytes | None, decoder: msgspec.json.Decoder[Any], form: str) -> Any:
    if text is None:
        raise StaticDataError(key=key, found="nothing", expected=form)
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise StaticDataError(key=key, found=str(error), expected=form) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        found = f"{shorten(text)}, which is not JSON"
        raise StaticDataError(key=key, found=found, expected=form) from error


def _check_names(key: str, names: Iterable[str], form: str) -> None:
    seen: set[str] = set()
    for name in names:
        if not name or name in seen:
            found = f"{name!r} twice" if name else "an empty name"
            raise StaticDataError(key=key, found=found, expected=f"{form}, each name once")
        if not is_name(name):
            found = f"the name {_shown(name)}, {len(name)} characters"
            raise StaticDataError(key=key, found=found, expected=NAME_FORM)
        seen.add(name)


def _check_instrument(instrument: _Instrument, underlyings: set[str]) -> None:
    name = instrument.name
    if name == RESERVED:
        found, expected = f"an instrument named {name!r}", "another name: /sse/pnl is taken"
    elif not 0 < instrument.tick_size < math.inf:
        found, expected = f"tick_size {instrument.tick_size:g} of {name!r}", "a number above 0"
    elif instrument.underlying not in underlyings:
        found = f"underlying {_shown(instrument.underlying)} of {name!r}"
        expected = f"one of those in {UNDERLYINGS_KEY}"
    elif not is_name(instrument.exchange) or ":" in instrument.exchange:
        found = f"exchange {_shown(instrument.exchange)} of {name!r}"
        expected = f"a name without a colon: {NAME_FORM}"
    else:
        return
    raise StaticDataError(key=INSTRUMENTS_KEY, found=found, expected=expected)


def _limits(keys: Sequence[str], read: ReadKeys) -> Mapping[str, float]:
    limits: dict[str, float] = {}
    for key, text in zip(keys, read(keys) if keys else (), strict=True):
        if text is None:
            raise StaticDataError(key=key, found="nothing", expected=LIMIT_FORM)
        try:
            limits[key] = parse_number(text)
        except ValueError as error:
            raise StaticDataError(key=key, found=shorten(text), expected=LIMIT_FORM) from error
        if limits[key] < 0:
            raise StaticDataError(key=key, found=shorten(text), expected=LIMIT_FORM)
    return limits


def _delta_limits(
    underlyings: Sequence[_Underlying], limits: Mapping[str, float]
) -> tuple[Mapping[str, float], Sequence[str]]:
    chosen: dict[str, float] = {}
    warnings: list[str] = []
    for each in underlyings:
        key = _delta_key(each.name)
        limit = limits[key] if each.delta_limit is None else each.delta_limit
        if not 0 <= limit < math.inf:
            found = f"delta_limit {limit:g} of {each.name!r}"
            raise StaticDataError(key=UNDERLYINGS_KEY, found=found, expected="a number from 0")
        if limit != limits[key]:
            warnings.append(
                f"{key} is {limits[key]:g}, but {UNDERLYINGS_KEY} says {limit:g}, which holds"
            )
        chosen[each.name] = limit
    return chosen, warnings


def _absolute_key(instrument: str) -> str:
    return f"static_data:{instrument}_absolute_limit"


def _delta_key(underlying: str) -> str:
    return f"static_data:{underlying}_limit"
