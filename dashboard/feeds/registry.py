"""The feeds that there are: how each is built from the settings, and checked before that."""

import time
from functools import cache
from pathlib import Path

import structlog

from dashboard.config import Settings, setting_error
from dashboard.core.errors import FeedError
from dashboard.feeds.base import Feed
from dashboard.feeds.parsing.static_data import StaticData
from dashboard.feeds.recording import Recording
from dashboard.feeds.redis_feed import RedisFeed, read_static_data
from dashboard.feeds.replay import Replay
from dashboard.feeds.simulator import Simulator

log = structlog.get_logger(__name__)


def check_feeds(settings: Settings) -> None:
    """Prepare what the chosen feeds need.

    Raises:
        SettingError: when a setting is of no use.
        StaticDataError: when what an exchange stores about itself is wrong.
    """
    if "replay" in settings.feed:
        _recording(settings.replay_file)
    if "redis" in settings.feed:
        _static_data(settings.redis_url)


def build_feeds(settings: Settings) -> list[Feed]:
    """Build the chosen feeds, in the order of the settings."""
    return [_feed(name, settings) for name in settings.feed]


def _feed(name: str, settings: Settings) -> Feed:
    if name == "replay":
        return Replay(
            _recording(settings.replay_file),
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            speed=settings.replay_speed,
            loop=settings.replay_loop,
        )
    if name == "redis":
        return RedisFeed(
            settings.redis_url,
            _static_data(settings.redis_url).instruments,
            clock=time.time_ns,
            monotonic=time.monotonic_ns,
            stale_after_ms=settings.stale_after_ms,
            max_bytes=settings.redis_max_message_kb * 1024,
        )
    return Simulator(
        interval_ms=settings.frequency_ms,
        clock=time.time_ns,
        monotonic=time.monotonic_ns,
        seed=settings.simulator_seed,
        symbols=settings.simulator_symbols,
    )


@cache
def _recording(file: Path | None) -> Recording:
    """Read a recording through, once per process.

    Raises:
        SettingError: when it cannot be read or there is no market data in it.
    """
    try:
        recording = Recording(file or Path())
    except FeedError as error:
        allowed = f"a recording with market data ({error.problem})"
        raise setting_error("replay_file", file, allowed=allowed) from error
    if (end := recording.broken_off) is not None:
        log.warning(
            "only a part of the recording can be played",
            feed="replay",
            file=str(file),
            line=end.line,
            reason=end.reason,
        )
    return recording


@cache
def _static_data(url: str) -> StaticData:
    """Read the exchange's static data, once per process.

    Raises:
        SettingError: when Redis does not answer.
        StaticDataError: when a key is missing or wrong.
    """
    try:
        data = read_static_data(url)
    except FeedError as error:
        allowed = f"the address of a Redis that answers ({error.problem})"
        raise setting_error("redis_url", url, allowed=allowed) from error
    for warning in data.warnings:
        log.warning("static data contradict each other", feed="redis", problem=warning)
    return data
