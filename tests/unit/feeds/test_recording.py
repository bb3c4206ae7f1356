import gzip
import json
from pathlib import Path

import pytest

from dashboard.core.errors import FeedError
from dashboard.core.instruments import Instrument, InstrumentKind, Sent
from dashboard.feeds.recording import Recording


def ticker(product: str, price: str) -> str:
    return json.dumps({"type": "ticker", "product_id": product, "price": price})


def quote(bid: str, ask: str) -> str:
    data = {"e": "bookTicker", "s": "BTCUSDT", "b": bid, "a": ask}
    return json.dumps({"stream": "btcusdt@bookTicker", "data": data})


def write(folder: Path, *lines: str) -> Path:
    path = folder / "some.wslog"
    path.write_text("\n".join(lines))
    return path


def test_instruments_and_ticks_come_in_the_order_of_their_first_message(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"10.5: {ticker('B-USD', '7')}",
        f"11: {quote('2.50', '2.6000')}",
        "damage",
        f"12: {ticker('A-USD', '0.00001300')}",
        f"13.25: {ticker('B-USD', '7.25')}",
    )
    recording = Recording(path)
    assert recording.instruments == (
        Instrument(symbol="B-USD", exchange="COINBASE", tick_size=0.01, kind=InstrumentKind.CRYPTO),
        Instrument(
            symbol="BTCUSDT",
            exchange="BINANCE_FUTURES",
            tick_size=0.1,
            kind=InstrumentKind.FUTURE,
        ),
        Instrument(symbol="A-USD", exchange="COINBASE", tick_size=1e-6, kind=InstrumentKind.CRYPTO),
    )
    assert recording.duration_ns == 2_750_000_000


def test_what_is_in_it_of_an_instrument_is_what_it_sends(tmp_path: Path) -> None:
    trade = {"type": "trade", "symbol": "A", "price": 1.5, "size": 1, "side": "buy"}
    price = {"type": "price", "symbol": "B", "price": 1.5, "volume": 3}
    silent = {"type": "price", "symbol": "C", "price": 1.5, "volume": 0}
    book = {"type": "book", "symbol": "A", "bids": [[1, 2]], "asks": [[3, 4]]}
    lines = [f"{at}: {json.dumps(each)}" for at, each in enumerate((trade, price, silent, book), 1)]
    sends = {each.symbol: each.sends for each in Recording(write(tmp_path, *lines)).instruments}
    assert sends == {"A": tuple(Sent), "B": (Sent.VOLUME,), "C": ()}


def test_prices_count_for_the_tick_only_where_there_is_nothing_exact(tmp_path: Path) -> None:
    trade = {"type": "trade", "symbol": "A", "price": 1.5, "size": 1, "side": "buy"}
    mid = {"type": "price", "symbol": "A", "price": 1.525, "volume": 0}
    path = write(tmp_path, f"1: {json.dumps(mid)}", f"2: {json.dumps(trade)}")
    assert [each.tick_size for each in Recording(path).instruments] == [0.1]


@pytest.mark.parametrize("name", ["", "A\n", "A\0", "A" * 101])
def test_what_has_no_name_is_no_instrument(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"1: {ticker(name, '1')}", f"2: {ticker('B', '1')}")
    assert [each.symbol for each in Recording(path).instruments] == ["B"]


def test_time_never_goes_back(tmp_path: Path) -> None:
    lines = [f"{second}: {ticker('A', '1')}" for second in (10, 12, 11, 13)]
    places = [place for place, _ in Recording(write(tmp_path, *lines)).records()]
    assert places == [0, 2_000_000_000, 2_000_000_000, 3_000_000_000]


@pytest.mark.parametrize("lines", [[], ["anything"], ["12.5: {}"], ["wss://example.org <-> 12.5"]])
def test_a_file_without_market_data_is_refused_for_good(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(FeedError, match="no market data") as caught:
        Recording(write(tmp_path, *lines))
    assert caught.value.terminal


def test_a_file_that_cannot_be_opened_is_refused_for_good(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="No such file") as caught:
        Recording(tmp_path / "missing.wslog")
    assert caught.value.terminal


def compressed(folder: Path, count: int, kept: float) -> Path:
    """Write a compressed recording of which only a part is there."""
    lines = "".join(f"{second}: {ticker('A', str(second / 7))}\n" for second in range(count))
    packed = gzip.compress(lines.encode())
    path = folder / "cut.wslog.gz"
    path.write_bytes(packed[: round(len(packed) * kept)])
    return path


def test_a_recording_that_is_cut_short_says_so_with_its_name(tmp_path: Path) -> None:
    recording = Recording(compressed(tmp_path, 10_000, 0.5))
    end = recording.broken_off
    assert end is not None
    assert 2 < end.line < 10_000
    assert recording.duration_ns == (end.line - 2) * 1_000_000_000
    assert recording.note == f"cut.wslog.gz, line {end.line}: {end.reason}"
    assert "breaks off" in recording.note


@pytest.mark.parametrize("cut", ["2: ", "2: {", '2: {"type":"ticker","product_id":"A"', "x", "2.5"])
def test_a_plain_recording_that_is_cut_short_says_so(tmp_path: Path, cut: str) -> None:
    path = write(tmp_path, f"1: {ticker('A', '1')}", cut)
    end = Recording(path).broken_off
    assert end is not None
    assert (end.line, end.reason) == (2, "the recording breaks off within the line")
    path.write_text(path.read_text() + "\n")
    assert Recording(path).broken_off is None


def test_a_whole_recording_has_no_note(tmp_path: Path) -> None:
    recording = Recording(compressed(tmp_path, 10, 1.0))
    assert (recording.broken_off, recording.note) == (None, "")


def test_a_recording_of_which_nothing_can_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"cut\.wslog\.gz: the recording cannot be read") as caught:
        Recording(compressed(tmp_path, 10_000, 0.001))
    assert caught.value.terminal


@pytest.mark.parametrize(
    ("prices", "tick"),
    [
        (["5", "7"], 1.0),
        (["0.00001305"], 1e-8),
        (["1e-15"], 1e-15),
        (["0.000000000000001", "2"], 1e-15),
        (["3.5e-18"], 1e-19),
        (["1e-300"], 1e-20),
        (["1e15"], 1.0),
    ],
)
def test_every_price_has_a_tick_size(tmp_path: Path, prices: list[str], tick: float) -> None:
    path = write(tmp_path, *(f"1: {ticker('A', price)}" for price in prices))
    (instrument,) = Recording(path).instruments
    assert instrument.tick_size == tick
    assert f"{instrument.tick_size:.{instrument.decimals}f}".strip("0.") == "1"


def test_a_price_below_zero_has_the_tick_size_of_one_above(tmp_path: Path) -> None:
    frame = {"type": "trade", "symbol": "A", "price": -37.63, "size": 1, "side": "buy"}
    (instrument,) = Recording(write(tmp_path, f"1: {json.dumps(frame)}")).instruments
    assert instrument.tick_size == 0.01
