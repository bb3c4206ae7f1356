import asyncio
import gzip
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dashboard.bootstrap.checks import check_feeds_or_exit, prepare_storage_or_exit
from dashboard.bootstrap.product import Product
from dashboard.bootstrap.web import Web
from dashboard.config import Settings, load_settings
from dashboard.core.bars import Interval
from dashboard.core.conflation import OverflowPolicy
from dashboard.core.model import Kind, RevokedKeys, Topic
from dashboard.feeds.registry import build_feeds
from dashboard.feeds.replay import Replay
from dashboard.feeds.simulator import Simulator
from dashboard.storage.api_keys import create_key
from dashboard.storage.database import database_url, open_database
from dashboard.storage.repository import Repository
from tests.live_server import free_port

TICKER = '12.5: {"type":"ticker","product_id":"A-USD","price":"1.5"}\n'


@asynccontextmanager
async def running_product(settings: Settings, *, history: bool = True) -> AsyncGenerator[Web]:
    product = Product(settings, history=history)
    async with product.running():
        yield product.web


def settings(file: Path, *feeds: str) -> Settings:
    changed = {"feed": feeds, "replay_file": file, "replay_speed": 2.0, "replay_loop": False}
    return load_settings().model_copy(update=changed)


def test_several_feeds_run_beside_each_other(tmp_path: Path) -> None:
    file = tmp_path / "a.wslog"
    file.write_text(TICKER)
    chosen = settings(file, "replay", "simulator")
    check_feeds_or_exit(chosen)
    replay, simulator = build_feeds(chosen, clock=time.time_ns, monotonic=time.monotonic_ns)
    assert isinstance(replay, Replay)
    assert isinstance(simulator, Simulator)
    assert replay.speed == 2
    directory = Product(chosen).web.directory
    assert directory.standing[0].symbol == "A-USD"
    assert len(directory.standing) == 6


async def test_what_is_leased_begins_to_be_delivered_at_once(tmp_path: Path) -> None:
    chosen = load_settings().model_copy(update={"data_dir": tmp_path})
    tcs, btc = Topic(Kind.PRICE, "NSE", "TCS"), Topic(Kind.PRICE, "CRYPTO", "BTC/USD")
    async with running_product(chosen) as running, asyncio.timeout(10):
        found = running.directory.find("TCS")
        assert found is not None
        assert running.directory.is_on_demand(found.key)
        await first_of(running, btc)
        assert running.hub.latest_of(tcs) is None
        async with running.leases.lease(found, name="test"):
            assert running.hub.latest_of(tcs) is not None


def test_every_start_has_an_epoch_of_its_own_that_is_no_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000 * 10**9)
    epochs = {Product(load_settings()).hub.epoch for _ in range(3)}
    assert len(epochs) == 3
    assert not any(":" in epoch for epoch in epochs)


@pytest.mark.parametrize("history", [True, False])
async def test_bars_are_kept_where_something_can_show_them(tmp_path: Path, history: bool) -> None:
    chosen = load_settings().model_copy(update={"data_dir": tmp_path})
    async with running_product(chosen, history=history) as running, asyncio.timeout(10):
        await first_of(running, Topic(Kind.TRADE, "CRYPTO", "BTC/USD"))
        (btc,) = running.directory.named("BTC/USD")
        assert bool(running.bars.of(btc, Interval.S1, 1)) == history
        assert {each.name for each in running.hub.subscriptions} == (
            {"bars", "accounts", "quotes", "runners"} if history else {"quotes", "runners"}
        )


async def first_of(running: Web, topic: Topic) -> None:
    """Wait for an event of a topic."""
    subscription = running.hub.subscribe(
        name="test", wants=topic.__eq__, capacity=1, policy=OverflowPolicy.DROP_OLDEST
    )
    await subscription.ready()
    subscription.close()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x1f\x8bgarbage", b"12.5: {}"])
def test_a_recording_of_no_use_ends_the_start_with_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.wslog"
    file.write_bytes(content)
    with pytest.raises(SystemExit) as caught:
        check_feeds_or_exit(settings(file, "replay"))
    line = str(caught.value.code)
    assert line.startswith(f"livetape: DASHBOARD_REPLAY_FILE='{file}' is not allowed; allowed: ")
    assert "\n" not in line


def test_a_recording_that_is_cut_short_is_named_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "a.wslog.gz"
    file.write_bytes(gzip.compress(TICKER.encode() * 5000, 0)[:100_000])
    chosen = settings(file, "replay")
    with capture_logs() as logs:
        check_feeds_or_exit(chosen)
        (replay,) = build_feeds(chosen, clock=time.time_ns, monotonic=time.monotonic_ns)
    assert [(each["log_level"], each["file"]) for each in logs] == [("warning", str(file))]
    assert "breaks off" in logs[0]["reason"]
    assert isinstance(replay, Replay)
    assert "a.wslog.gz" in replay.note


def test_without_replay_no_recording_is_read(tmp_path: Path) -> None:
    check_feeds_or_exit(settings(tmp_path / "missing.wslog", "simulator"))


def test_a_redis_that_does_not_answer_ends_the_start_with_one_line() -> None:
    url = f"redis://:secret@127.0.0.1:{free_port()}/0"
    chosen = load_settings().model_copy(update={"feed": ("redis",), "redis_url": url})
    with pytest.raises(SystemExit) as caught:
        check_feeds_or_exit(chosen)
    line = str(caught.value.code)
    shown = url.replace(":secret", "***")
    assert line.startswith(f"livetape: DASHBOARD_REDIS_URL='{shown}' is not allowed; allowed: ")
    assert "refused" in line
    assert "secret" not in line
    assert "\n" not in line


async def test_a_revoked_key_is_told_of_on_the_hub(tmp_path: Path) -> None:
    chosen = load_settings().model_copy(update={"data_dir": tmp_path})
    repository = Repository(open_database(database_url(chosen)))
    async with running_product(chosen) as running:
        create_key(repository, "laptop", now=1)
        heard = running.hub.subscribe(
            name="test",
            wants=lambda topic: topic.kind is Kind.REVOKED_KEYS,
            capacity=1,
            policy=OverflowPolicy.CONFLATE,
        )
        running.keys.watch.begin()
        while len(running.keys._known.latest.by_id) < 2:  # noqa: ASYNC110 - it is another's state
            await asyncio.sleep(0.01)
        repository.revoke("laptop", now=2)
        async with asyncio.timeout(10):
            await heard.ready()
        (published,) = heard.take()
        assert isinstance(published.event, RevokedKeys)
        assert published.event.key_ids == (2,)


@pytest.mark.parametrize("terminal", [True, False])
async def test_the_first_key_is_shown_once_and_in_a_terminal_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    terminal: bool,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    chosen = load_settings().model_copy(update={"data_dir": tmp_path / "data"})
    async with running_product(chosen) as running:
        key = (tmp_path / "data" / "api-key").read_text().strip()
        assert await running.keys.authenticate(key, "trade") is not None
    told = capsys.readouterr().err
    assert f"The first API key is in {tmp_path / 'data' / 'api-key'}, " in told
    assert (key in told) is terminal
    async with running_product(chosen):
        assert "API key" not in capsys.readouterr().err


def test_a_database_of_no_use_ends_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "livetape.db").mkdir()
    with pytest.raises(SystemExit) as caught:
        prepare_storage_or_exit(load_settings().model_copy(update={"data_dir": tmp_path}))
    line = str(caught.value.code)
    assert line.startswith(f"livetape: database sqlite:///{tmp_path / 'livetape.db'}: ")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Everybody needs a key but who comes from this machine, through no proxy"),
        ({"allowed_hosts": ("a.org",)}, "Everybody needs a key, since a.org is allowed"),
        ({"require_key": "always"}, "Everybody needs a key "),
        ({"require_key": "never", "allowed_hosts": ("a.org",)}, "Nobody needs a key, "),
    ],
)
async def test_the_start_says_who_needs_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, object], said: str
) -> None:
    chosen = load_settings().model_copy(update={"data_dir": tmp_path, **changed})
    async with running_product(chosen):
        lines = capsys.readouterr().err.splitlines()
    (line,) = (line for line in lines if "needs a key" in line)
    assert line.startswith(said)
    assert line.endswith(f"(DASHBOARD_REQUIRE_KEY={chosen.require_key})")


async def test_the_product_outlives_a_process_that_has_no_file_left_for_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("dashboard.feeds.system.psutil.Process", fail)
    chosen = load_settings().model_copy(update={"data_dir": tmp_path})
    async with running_product(chosen) as running, asyncio.timeout(10):
        await first_of(running, Topic(Kind.TRADE, "CRYPTO", "BTC/USD"))
        assert running.hub.failures.by_place.keys() == {"system"}
