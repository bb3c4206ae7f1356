"""The product's settings: environment variables DASHBOARD_*, read once at the start."""

import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from dashboard.core.errors import SettingError
from dashboard.core.hosts import is_own_host
from dashboard.core.instruments import is_name
from dashboard.core.masking import mask_query, secrets_of

PREFIX = "DASHBOARD_"
FEEDS = frozenset({"simulator", "replay", "redis"})
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
HOST_NAME = re.compile(r"[^\s:/@\[\]]+|\[[0-9a-f:.]+\]")
"""A host as a Host header names it: IPv6 addresses in brackets, no port."""
ANCESTOR = re.compile(r"https?://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?")
"""An origin as a policy names it: nothing in it ends its place there."""
REDIS_CONNECTIONS = 2
"""The feed needs one for the channel and one for the keys."""
REDIS_OPTIONS = frozenset(
    {
        *("db", "username", "password", "client_name", "protocol", "decode_responses"),
        *("max_connections", "health_check_interval", "retry_on_timeout"),
        *("socket_timeout", "socket_connect_timeout", "socket_keepalive"),
        *("ssl_keyfile", "ssl_certfile", "ssl_password", "ssl_cert_reqs", "ssl_ca_certs"),
        *("ssl_ca_path", "ssl_ca_data", "ssl_check_hostname", "ssl_ciphers"),
    }
)
"""Those of redis-py that are plain values; others it reads, and fails on when it connects."""
SPEED_MIN = 0.001
SPEED_MAX = 1000.0
"""A replay's speed, other than 0."""
FREQUENCY_MIN_MS = 10
FREQUENCY_MAX_MS = 1000

RequireKey = Literal["auto", "always", "never"]
CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Each field is the variable DASHBOARD_<NAME>; its description says what is allowed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    feed: CommaSeparated = Field(
        ("simulator",), description="simulator, replay, redis, or several, separated by commas"
    )
    frequency_ms: int = Field(
        50,
        ge=FREQUENCY_MIN_MS,
        le=FREQUENCY_MAX_MS,
        description="a whole number of milliseconds, 10 to 1000",
    )
    simulator_seed: int | None = Field(None, description="a whole number")
    simulator_symbols: int | None = Field(
        None, ge=1, le=10_000, description="a whole number, 1 to 10000"
    )
    simulator_listed: int = Field(0, ge=0, le=1_000_000, description="a whole number, 0 to 1000000")
    replay_file: Path | None = Field(
        None,
        validate_default=True,
        description="a readable recording, .wslog or .wslog.gz, or bars, .csv or .csv.gz;"
        " DASHBOARD_FEED=replay needs one",
    )
    replay_symbol: str | None = Field(
        None, description="a visible name of at most 100 characters, for the bars of a .csv"
    )
    replay_speed: float = Field(
        1.0, description="a number from 0.001 to 1000, or 0: as fast as it goes"
    )
    replay_loop: bool = Field(True, description="1 or 0")
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        repr=False,  # it may hold a password
        description="redis://host:port/db, rediss://… or unix://path, as redis-py reads it, "
        f"with options that are plain values and max_connections from {REDIS_CONNECTIONS}",
    )
    redis_max_message_kb: int = Field(
        4096, ge=1, le=32_768, description="a whole number of kilobytes, 1 to 32768"
    )
    resume_events: int = Field(
        100_000, ge=1, le=10_000_000, description="a whole number, 1 to 10000000"
    )
    resume_mb: int = Field(
        256, ge=1, le=65_536, description="a whole number of megabytes, 1 to 65536"
    )
    stale_after_ms: int = Field(
        2000, ge=100, le=600_000, description="a whole number of milliseconds, 100 to 600000"
    )
    allowed_origins: CommaSeparated = Field(
        (), description="origins such as https://example.org, separated by commas"
    )
    allowed_hosts: CommaSeparated = Field(
        LOCAL_HOSTS, description="host names without port, separated by commas; IPv6 as [::1]"
    )
    frame_ancestors: CommaSeparated = Field(
        (),
        description="origins such as https://example.org or https://*.example.org,"
        " separated by commas",
    )
    max_clients: int = Field(1000, ge=1, le=100_000, description="a whole number, 1 to 100000")
    stream_host: str = Field(
        "127.0.0.1", description="an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::1"
    )
    stream_port: int = Field(8765, ge=0, le=65_535, description="a port, or 0 for no stream server")
    stream_ping_interval_s: float = Field(
        20, gt=0, le=3600, description="seconds, more than 0 and at most 3600"
    )
    stream_ping_timeout_s: float = Field(
        20, gt=0, le=3600, description="seconds, more than 0 and at most 3600"
    )
    stream_max_clients: int = Field(
        1000, ge=1, le=100_000, description="a whole number, 1 to 100000"
    )
    stream_deflate: bool = Field(False, description="1 or 0")
    max_runners: int = Field(200, ge=1, le=10_000, description="a whole number, 1 to 10000")
    runners_per_worker: int = Field(50, ge=1, le=500, description="a whole number, 1 to 500")
    runner_memory_mb: int = Field(32, ge=1, le=1024, description="a whole number of MB, 1 to 1024")
    runner_instructions: int = Field(
        10_000_000, ge=10_000, le=30_000_000, description="a whole number, 10000 to 30000000"
    )
    api_writes_per_s: int = Field(50, ge=1, le=100_000, description="a whole number, 1 to 100000")
    api_reads_per_s: int = Field(500, ge=1, le=100_000, description="a whole number, 1 to 100000")
    ltp_throttle_ms: int = Field(
        50, ge=0, le=60_000, description="a whole number of milliseconds, 0 to 60000; 0 is off"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    data_dir: Path = Field(
        Path(".data"), validate_default=True, description="a folder that can be written to"
    )
    db_url: str | None = Field(
        None,
        repr=False,  # it may hold a password
        description="postgresql://user:password@host:port/database or sqlite:///file",
    )
    require_key: RequireKey = Field("auto", description="auto, always or never")

    @field_validator("feed", "allowed_origins", "allowed_hosts", "frame_ancestors", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("feed")
    @classmethod
    def _check_feeds(cls, feeds: tuple[str, ...]) -> tuple[str, ...]:
        if not feeds or not FEEDS.issuperset(feeds):
            raise ValueError(", ".join(feeds))
        return tuple(dict.fromkeys(feeds))

    @field_validator("replay_file")
    @classmethod
    def _check_replay_file(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        needed = "replay" in info.data.get("feed", ())
        if needed and not (file and file.is_file() and os.access(file, os.R_OK)):
            raise ValueError(str(file))
        return file

    @field_validator("replay_symbol")
    @classmethod
    def _check_replay_symbol(cls, symbol: str | None) -> str | None:
        if symbol is not None and not is_name(symbol):
            raise ValueError("replay_symbol")
        return symbol

    @field_validator("replay_speed")
    @classmethod
    def _check_replay_speed(cls, speed: float) -> float:
        if speed and not SPEED_MIN <= speed <= SPEED_MAX:
            raise ValueError("replay_speed")
        return speed

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: str) -> str:
        try:
            if not REDIS_OPTIONS.issuperset(parse_qs(urlsplit(url).query)):
                raise ValueError("redis_url")
            pool = ConnectionPool.from_url(url)  # pyright: ignore[reportUnknownMemberType] - its keywords
            pool.make_connection()  # connects to nothing yet
        except (RedisError, TypeError, ValueError) as error:
            raise ValueError("redis_url") from error
        if pool.max_connections < REDIS_CONNECTIONS:
            raise ValueError("redis_url")
        return url

    @field_validator("db_url")
    @classmethod
    def _check_db_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parsed = make_url(url)
        except SQLAlchemyError as error:
            raise ValueError("db_url") from error
        known = parsed.drivername in {"postgresql", "postgres", "sqlite"}
        torn = "@" in (parsed.host or "")  # half of a password that holds one unquoted
        if not known or torn or parsed.database in {None, "", ":memory:"}:
            raise ValueError("db_url")
        return url

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, _, rest = origin.partition("://")
            if scheme not in {"http", "https"} or not rest or "/" in rest:
                raise ValueError(origin)
        return origins

    @field_validator("frame_ancestors")
    @classmethod
    def _check_ancestors(cls, ancestors: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ANCESTOR.fullmatch(each) for each in ancestors):
            raise ValueError(", ".join(ancestors))
        return ancestors

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if not hosts or not all(HOST_NAME.fullmatch(host) for host in hosts):
            raise ValueError(", ".join(hosts))
        return hosts

    @field_validator("data_dir")
    @classmethod
    def _check_writable(cls, folder: Path) -> Path:
        try:
            existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        except OSError as error:  # a parent that may not be entered, a name too long
            raise ValueError(str(folder)) from error
        if not (existing.is_dir() and os.access(existing, os.W_OK)):
            raise ValueError(str(folder))
        return folder

    @property
    def key_rule(self) -> RequireKey:
        """Give who needs a key: `auto` means everybody once others may reach the product.

        Then a proxy is before it, and one that adds no header makes all look local.
        """
        return "always" if self.require_key == "auto" and self.reached_as else self.require_key

    @property
    def reached_as(self) -> str | None:
        """Name an allowed host or origin beyond this machine, if there is one."""
        named = (*self.allowed_hosts, *self.allowed_origins)
        return next((each for each in named if not is_own_host(each.rpartition("//")[2])), None)

    @property
    def secrets(self) -> frozenset[str]:
        """Give what no log may show: the passwords of addresses."""
        addresses = (self.redis_url, self.db_url or "")
        return frozenset(secret for each in addresses for secret in secrets_of(each))


def mask_password(url: str) -> str:
    """Give a URL, valid or not, as it may be shown: without what stands before the last @.

    Nor as a parameter such as `password=`.

    >>> mask_password("redis://user:secret@example.org:6379/0")
    'redis://***@example.org:6379/0'
    """
    url = re.sub(r"^([a-z]*:?/+)?.*@", r"\1***@", url, flags=re.DOTALL)
    return mask_query(url)


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingError: names the first variable whose value is not allowed.
    """
    try:
        return Settings()  # pyright: ignore[reportCallIssue] - every field has a default
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        value: Any = os.environ.get(PREFIX + name.upper(), first["input"])
        raise setting_error(
            name, value, allowed=str(Settings.model_fields[name].description)
        ) from error


def setting_error(name: str, value: Any, *, allowed: str) -> SettingError:
    """Make the error of a setting that holds `value`, which is its default where it is not set."""
    variable = PREFIX + name.upper()
    is_set = variable in os.environ or value != Settings.model_fields[name].default
    if name in {"redis_url", "db_url"} and isinstance(value, str):
        value = mask_password(value)
    elif isinstance(value, Path):
        value = str(value)
    return SettingError(variable=variable, value=value, allowed=allowed, is_set=is_set)


@cache
def settings_or_exit() -> Settings:
    """Read the settings once; a bad value ends the process with one line."""
    try:
        return load_settings()
    except SettingError as error:
        sys.exit(f"livetape: {error}")
