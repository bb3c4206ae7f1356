import gzip
from pathlib import Path

import pytest

from dashboard.core.errors import FeedError
from dashboard.core.instruments import Instrument, Sent
from dashboard.feeds.bar_file import BarFile, is_bar_file
from dashboard.feeds.parsing.ohlcv import BadLine
from tests.recordings import MINUTES, needs_minutes

HEADER = "timestamp,open,high,low,close,volume"
MIDNIGHT = 1_640_995_200_000
MINUTE = 60_000


def row(minute: float, close: float = 11.5) -> str:
    return f"{MIDNIGHT + round(minute * MINUTE)},10,12,9,{close},3"


def write(folder: Path, *lines: str, name: str = "btc-perp.1m.csv", header: str = HEADER) -> Path:
    path = folder / name
    text = "\n".join((header, *lines)) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", True), ("A.CSV", True), ("a.csv.gz", True), ("a.wslog.gz", False), ("csv", False)],
)
def test_a_file_of_bars_is_told_by_its_name(name: str, expected: bool) -> None:
    assert is_bar_file(Path(name)) is expected


@pytest.mark.parametrize("name", ["btc.csv", "btc.1m.csv.gz"])
def test_bars_are_read_plain_and_packed(tmp_path: Path, name: str) -> None:
    file = BarFile(write(tmp_path, row(0, 11.25), row(1, 11.5), row(3, 11), name=name))
    assert list(file.times) == [MIDNIGHT, MIDNIGHT + MINUTE, MIDNIGHT + 3 * MINUTE]
    assert (list(file.opens), list(file.closes)) == ([10.0] * 3, [11.25, 11.5, 11.0])
    assert (file.highs[0], file.lows[0], file.volumes[0]) == (12.0, 9.0, 3.0)
    assert (file.interval_ms, file.bad, file.note) == (MINUTE, [], "")
    assert file.instrument == Instrument(
        symbol="btc", exchange="CSV", tick_size=0.01, sends=(Sent.VOLUME,), bar_ms=MINUTE
    )


def test_a_symbol_that_is_given_stands_before_the_file_s_name(tmp_path: Path) -> None:
    assert BarFile(write(tmp_path, row(0), row(1)), symbol="BTC").instrument.symbol == "BTC"


def test_a_mark_at_the_beginning_and_windows_line_ends_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join(("\ufeff" + HEADER, row(0), row(1))).encode())
    assert len(BarFile(path).times) == 2


def test_without_a_column_of_volumes_none_is_sent(tmp_path: Path) -> None:
    header = "timestamp,open,high,low,close"
    lines = [row(n).removesuffix(",3") for n in range(2)]
    assert BarFile(write(tmp_path, *lines, header=header)).instrument.sends == ()


def test_bad_lines_are_left_out_and_named(tmp_path: Path) -> None:
    lines = [row(0), "damage", row(1), row(1.5), row(2), row(2), row(3)]
    file = BarFile(write(tmp_path, *lines))
    assert len(file.times) == 4
    assert [each.line for each in file.bad] == [3, 5, 7]
    assert file.bad[1] == BadLine(5, "the bar begins within the one before")


def test_what_is_not_utf_8_is_a_bad_line(tmp_path: Path) -> None:
    path = write(tmp_path, row(0), "#", row(1))
    path.write_bytes(path.read_bytes().replace(b"#", b"\xff\xfe"))
    assert [each.line for each in BarFile(path).bad] == [3]


def test_a_file_that_breaks_off_is_played_up_to_there(tmp_path: Path) -> None:
    path = write(tmp_path, *map(row, range(5000)), name="a.csv.gz")
    path.write_bytes(path.read_bytes()[:-3000])
    file = BarFile(path)
    assert 2 < len(file.times) < 5000
    assert file.note.startswith("a.csv.gz, line ")
    assert "the file breaks off" in file.note


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ((), "it has 0 bars; allowed: 2 or more"),
        ((row(0), "what"), "it has 1 bars; allowed: 2 or more; line 3: 1 columns"),
        ((row(0), row(0.001)), "its bars are 60 ms apart; allowed: a whole number of seconds"),
    ],
)
def test_a_file_without_bars_of_a_length_is_refused(
    tmp_path: Path, lines: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(FeedError) as caught:
        BarFile(write(tmp_path, *lines))
    assert problem in caught.value.problem
    assert caught.value.terminal


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="there is no column 'low'"):
        BarFile(write(tmp_path, header="timestamp,open,high,close"))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="cannot be read"):
        BarFile(tmp_path / "absent.csv")


@needs_minutes
def test_a_month_of_real_minutes_is_read() -> None:
    file = BarFile(MINUTES)
    assert (len(file.times), file.interval_ms, file.bad) == (45_031, MINUTE, [])
    assert file.times[0] == MIDNIGHT - 59 * MINUTE
    assert (file.instrument.symbol, file.instrument.tick_size) == ("btc-perp-1m-2022-01", 0.001)
