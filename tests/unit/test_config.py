import os
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.config import PREFIX, Settings, load_settings, setting_error, settings_or_exit
from dashboard.core.errors import SettingError


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in list(os.environ):
        if variable.upper().startswith(PREFIX):
            monkeypatch.delenv(variable)
    settings_or_exit.cache_clear()
    yield
    settings_or_exit.cache_clear()


def load(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> Settings:
    monkeypatch.setenv(PREFIX + name, value)
    return load_settings()


def test_defaults_need_no_environment() -> None:
    assert load_settings().model_dump() == {
        "feed": ("simulator",),
        "frequency_ms": 50,
        "simulator_seed": None,
        "simulator_symbols": None,
        "simulator_listed": 0,
        "replay_file": None,
        "replay_symbol": None,
        "replay_speed": 1.0,
        "replay_loop": True,
        "redis_url": "redis://127.0.0.1:6379/0",
        "redis_max_message_kb": 4096,
        "resume_events": 100_000,
        "resume_mb": 256,
        "stale_after_ms": 2000,
        "allowed_origins": (),
        "allowed_hosts": ("localhost", "127.0.0.1", "[::1]"),
        "frame_ancestors": (),
        "max_clients": 1000,
        "stream_host": "127.0.0.1",
        "stream_port": 8765,
        "stream_ping_interval_s": 20,
        "stream_ping_timeout_s": 20,
        "stream_max_clients": 1000,
        "stream_deflate": False,
        "max_runners": 200,
        "runners_per_worker": 50,
        "runner_memory_mb": 32,
        "runner_instructions": 10_000_000,
        "api_writes_per_s": 50,
        "api_reads_per_s": 500,
        "ltp_throttle_ms": 50,
        "log_level": "info",
        "data_dir": Path(".data"),
        "db_url": None,
        "require_key": "auto",
    }


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FEED", "simulator", ("simulator",)),
        ("FEED", " Simulator, simulator", ("simulator",)),
        ("REPLAY_FILE", "not/there", Path("not/there")),
        ("REPLAY_SPEED", "0", 0.0),
        ("REPLAY_SPEED", "2.5", 2.5),
        ("REPLAY_SPEED", "0.001", 0.001),
        ("REPLAY_SPEED", "1000", 1000.0),
        ("REPLAY_LOOP", "0", False),
        ("REPLAY_LOOP", "1", True),
        ("STREAM_PORT", "0", 0),
        ("STREAM_PING_INTERVAL_S", "5", 5.0),
        ("STREAM_PING_TIMEOUT_S", "10", 10.0),
        ("MAX_RUNNERS", "10000", 10_000),
        ("API_WRITES_PER_S", "1", 1),
        ("API_READS_PER_S", "100000", 100_000),
        ("LTP_THROTTLE_MS", "0", 0),
        ("FREQUENCY_MS", "10", 10),
        ("FREQUENCY_MS", "1000", 1000),
        ("FEED", "redis,simulator", ("redis", "simulator")),
        ("REDIS_URL", "redis://example.org", "redis://example.org"),
        ("REDIS_URL", "rediss://me:pass@[::1]:6380/3", "rediss://me:pass@[::1]:6380/3"),
        ("REDIS_URL", "unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ("REDIS_URL", "redis://a?max_connections=2", "redis://a?max_connections=2"),
        ("REDIS_URL", "redis://a?client_name=b&protocol=3", "redis://a?client_name=b&protocol=3"),
        ("DB_URL", "postgresql://me:pass@[::1]:5432/a", "postgresql://me:pass@[::1]:5432/a"),
        ("DB_URL", "sqlite:///some/file.db", "sqlite:///some/file.db"),
        ("REQUIRE_KEY", "always", "always"),
        ("SIMULATOR_SEED", "0", 0),
        ("SIMULATOR_SEED", "-7", -7),
        ("SIMULATOR_SYMBOLS", "1", 1),
        ("SIMULATOR_SYMBOLS", "10000", 10_000),
        ("SIMULATOR_LISTED", "100000", 100_000),
        ("RESUME_EVENTS", "1", 1),
        ("RESUME_EVENTS", "10000000", 10_000_000),
        ("REDIS_MAX_MESSAGE_KB", "1", 1),
        ("REDIS_MAX_MESSAGE_KB", "32768", 32_768),
        ("RESUME_MB", "1", 1),
        ("RESUME_MB", "65536", 65_536),
        ("STALE_AFTER_MS", "100", 100),
        ("STALE_AFTER_MS", "600000", 600_000),
        ("MAX_CLIENTS", "1", 1),
        ("MAX_CLIENTS", "100000", 100_000),
        ("LOG_LEVEL", "debug", "debug"),
        ("LOG_LEVEL", "error", "error"),
        ("ALLOWED_ORIGINS", "https://example.org", ("https://example.org",)),
        (
            "ALLOWED_ORIGINS",
            " HTTPS://Example.org , http://localhost:3000,,",
            ("https://example.org", "http://localhost:3000"),
        ),
        ("ALLOWED_ORIGINS", "", ()),
        (
            "FRAME_ANCESTORS",
            "https://Example.org, http://*.example.org:8080",
            ("https://example.org", "http://*.example.org:8080"),
        ),
        ("ALLOWED_HOSTS", "Example.org, 10.0.0.1", ("example.org", "10.0.0.1")),
        ("ALLOWED_HOSTS", "[2001:DB8::1]", ("[2001:db8::1]",)),
    ],
)
def test_a_good_value_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: object
) -> None:
    assert getattr(load(monkeypatch, name, value), name.lower()) == expected


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("FEED", "unheard-of", "simulator"),
        ("FEED", "", "simulator"),
        ("FEED", "simulator,unheard-of", "simulator, replay, redis, or several"),
        ("REPLAY_SPEED", "-1", "a number from 0"),
        ("REPLAY_SPEED", "nan", "a number from 0"),
        ("REPLAY_SPEED", "inf", "a number from 0"),
        ("REPLAY_SPEED", "5e-324", "a number from 0"),
        ("REPLAY_SPEED", "1e-320", "a number from 0"),
        ("REPLAY_SPEED", "0.0009", "a number from 0"),
        ("REPLAY_SPEED", "1001", "a number from 0"),
        ("REPLAY_SPEED", "1e308", "a number from 0"),
        ("REPLAY_SPEED", "fast", "a number from 0"),
        ("REPLAY_LOOP", "twice", "1 or 0"),
        ("STREAM_PORT", "65536", "a port, or 0 for no stream server"),
        ("STREAM_PING_INTERVAL_S", "0", "seconds, more than 0"),
        ("STREAM_PING_TIMEOUT_S", "-1", "seconds, more than 0"),
        ("STREAM_MAX_CLIENTS", "0", "a whole number, 1 to 100000"),
        ("MAX_RUNNERS", "0", "a whole number, 1 to 10000"),
        ("API_WRITES_PER_S", "0", "a whole number, 1 to 100000"),
        ("API_READS_PER_S", "x", "a whole number, 1 to 100000"),
        ("LTP_THROTTLE_MS", "-1", "a whole number of milliseconds, 0 to 60000"),
        ("FREQUENCY_MS", "9", "a whole number of milliseconds, 10 to 1000"),
        ("FREQUENCY_MS", "1001", "a whole number of milliseconds, 10 to 1000"),
        ("FREQUENCY_MS", "25.5", "a whole number of milliseconds, 10 to 1000"),
        ("FREQUENCY_MS", "fast", "a whole number of milliseconds, 10 to 1000"),
        ("FREQUENCY_MS", "", "a whole number of milliseconds, 10 to 1000"),
        ("FREQUENCY_MS", "nan", "a whole number of milliseconds, 10 to 1000"),
        ("REDIS_URL", "", "redis://host:port/db"),
        ("REDIS_URL", "localhost:6379", "redis://host:port/db"),
        ("REDIS_URL", "http://localhost", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost:port", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost?speed=fast", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost?socket_timeout=soon", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost?max_connections=1", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost/0?db=1&max_connections=1", "redis://host:port/db"),
        ("REDIS_URL", "unix:///run/redis.sock?max_connections=1", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost?max_connections=-1", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost?socket_read_size=65536", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost?redis_connect_func=x", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost?retry=x", "redis://host:port/db"),
        ("REDIS_URL", "redis://localhost?encoding=x", "redis://host:port/db"),
        ("DB_URL", "", "postgresql://user"),
        ("DB_URL", "livetape.db", "postgresql://user"),
        ("DB_URL", "mysql://localhost/a", "postgresql://user"),
        ("DB_URL", "postgresql://localhost", "postgresql://user"),
        ("DB_URL", "postgresql://localhost:port/a", "postgresql://user"),
        ("DB_URL", "sqlite://", "postgresql://user"),
        ("DB_URL", "sqlite:///:memory:", "postgresql://user"),
        ("REQUIRE_KEY", "yes", "auto, always or never"),
        ("SIMULATOR_SEED", "x", "a whole number"),
        ("SIMULATOR_SEED", "1.5", "a whole number"),
        ("SIMULATOR_SYMBOLS", "0", "a whole number, 1 to 10000"),
        ("SIMULATOR_SYMBOLS", "10001", "a whole number, 1 to 10000"),
        ("SIMULATOR_LISTED", "-1", "a whole number, 0 to 1000000"),
        ("SIMULATOR_LISTED", "1000001", "a whole number, 0 to 1000000"),
        ("RESUME_EVENTS", "0", "a whole number, 1 to 10000000"),
        ("RESUME_EVENTS", "10000001", "a whole number, 1 to 10000000"),
        ("REDIS_MAX_MESSAGE_KB", "0", "a whole number of kilobytes, 1 to 32768"),
        ("REDIS_MAX_MESSAGE_KB", "32769", "a whole number of kilobytes, 1 to 32768"),
        ("RESUME_MB", "0", "a whole number of megabytes, 1 to 65536"),
        ("RESUME_MB", "65537", "a whole number of megabytes, 1 to 65536"),
        ("STALE_AFTER_MS", "99", "a whole number of milliseconds, 100 to 600000"),
        ("STALE_AFTER_MS", "600001", "a whole number of milliseconds, 100 to 600000"),
        ("MAX_CLIENTS", "0", "a whole number, 1 to 100000"),
        ("MAX_CLIENTS", "100001", "a whole number, 1 to 100000"),
        ("LOG_LEVEL", "loud", "debug, info, warning or error"),
        *(
            ("FRAME_ANCESTORS", value, "origins such as https://example.org or https://*.example")
            for value in (
                "*",
                "https:",
                "example.org",
                "'none'",
                "https://example.org/path",
                "https://a;script-src *",
                "https://a b",
                "https://a.example.org.",
            )
        ),
        ("ALLOWED_ORIGINS", "*", "origins such as https://example.org, separated by commas"),
        ("ALLOWED_ORIGINS", "example.org", "origins such as https://example.org"),
        ("ALLOWED_ORIGINS", "https://example.org/", "origins such as https://example.org"),
        ("ALLOWED_ORIGINS", "https://", "origins such as https://example.org"),
        ("ALLOWED_ORIGINS", "ws://example.org", "origins such as https://example.org"),
        ("ALLOWED_ORIGINS", "http://localhost:3000,null", "origins such as https://example.org"),
        ("ALLOWED_HOSTS", "localhost:3000", "host names without port, separated by commas"),
        ("ALLOWED_HOSTS", "good.example,http://localhost", "host names without port"),
        ("ALLOWED_HOSTS", "[::1]:3000", "host names without port"),
        ("ALLOWED_HOSTS", "::1", "host names without port"),
        ("ALLOWED_HOSTS", "two words", "host names without port"),
        ("ALLOWED_HOSTS", "", "host names without port"),
    ],
)
def test_a_bad_value_is_refused_with_variable_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingError) as caught:
        load(monkeypatch, name, value)
    error = caught.value
    assert (error.variable, error.value) == (PREFIX + name, value)
    assert error.allowed.startswith(allowed)
    assert str(error) == f"{PREFIX}{name}={value!r} is not allowed; allowed: {error.allowed}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:secret@localhost", "http://***@localhost"),
        ("redis//:secret@localhost", "redis//***@localhost"),
        ("me:secret@localhost", "***@localhost"),
        ("redis://:sec@ret\n@localhost:x", "redis://***@localhost:x"),
        ("redis://localhost:x?password=secret&db=1", "redis://localhost:x?password=***&db=1"),
    ],
)
def test_a_password_in_a_bad_url_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    with pytest.raises(SettingError) as caught:
        load(monkeypatch, "REDIS_URL", url)
    assert caught.value.value == shown
    assert "sec" not in str(caught.value)


def test_settings_can_be_shown_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "secret" not in repr(load(monkeypatch, "REDIS_URL", "redis://:secret@localhost"))


def test_every_setting_says_what_is_allowed() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_data_folder_need_not_exist_yet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    assert load(monkeypatch, "DATA_DIR", str(folder)).data_dir == folder
    assert not folder.parent.exists()


def test_a_data_folder_may_be_relative(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(monkeypatch, "DATA_DIR", "some/where").data_dir == Path("some/where")


@pytest.mark.parametrize("below", ["", "folder", "folder/deeper"])
def test_a_file_is_no_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SettingError, match=r"DASHBOARD_DATA_DIR=.*a folder that can be written to"):
        load(monkeypatch, "DATA_DIR", str(file / below))


def test_a_data_folder_that_cannot_be_looked_up_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=r"DASHBOARD_DATA_DIR=.*a folder that can be written to"):
        load(monkeypatch, "DATA_DIR", str(tmp_path / ("x" * 300)))


def test_a_folder_without_write_permission_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[Path, int]] = []

    def access(path: Path, mode: int) -> bool:
        asked.append((path, mode))
        return False

    monkeypatch.setattr(os, "access", access)
    with pytest.raises(SettingError, match="DASHBOARD_DATA_DIR"):
        load(monkeypatch, "DATA_DIR", str(tmp_path / "new"))
    assert asked == [(tmp_path, os.W_OK)]


@pytest.mark.parametrize("feed", ["replay", "simulator,replay"])
@pytest.mark.parametrize("file", [None, "", "not/there", "folder"])
def test_a_replay_needs_a_readable_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, feed: str, file: str | None
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASHBOARD_FEED", feed)
    if file is not None:
        monkeypatch.setenv("DASHBOARD_REPLAY_FILE", file)
    shown = "is not set" if file is None else f"={file!r} is not allowed"
    with pytest.raises(SettingError) as caught:
        load_settings()
    problem = f"DASHBOARD_REPLAY_FILE{'' if file is not None else ' '}{shown}; allowed: a readable"
    assert str(caught.value).startswith(problem)


def test_a_default_that_is_not_allowed_is_not_shown_as_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".data").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError) as caught:
        load_settings()
    assert str(caught.value) == (
        "DASHBOARD_DATA_DIR is not set, and its default '.data' is not allowed; "
        "allowed: a folder that can be written to"
    )


@pytest.mark.parametrize("name", Settings.model_fields)
def test_no_setting_is_told_to_have_a_value_that_nobody_gave_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    variable = PREFIX + name.upper()
    default = Settings.model_fields[name].default
    unset = str(setting_error(name, default, allowed="x"))
    assert unset.startswith(f"{variable} is not set")
    assert "None" not in unset
    monkeypatch.setenv(variable, "given")
    assert str(setting_error(name, "given", allowed="x")).startswith(f"{variable}='given' is not")


def test_several_feeds_keep_their_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "a.wslog"
    file.touch()
    monkeypatch.setenv("DASHBOARD_REPLAY_FILE", str(file))
    settings = load(monkeypatch, "FEED", "replay,simulator")
    assert (settings.feed, settings.replay_file) == (("replay", "simulator"), file)


def test_settings_cannot_be_changed() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.frequency_ms = 10  # pyright: ignore[reportAttributeAccessIssue] - the test


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREQUENCY_MS", "99")
    monkeypatch.setenv("DASHBOARD_UNHEARD_OF", "1")
    assert load_settings().frequency_ms == 50


def test_settings_or_exit_reads_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_FREQUENCY_MS", "20")
    first = settings_or_exit()
    monkeypatch.setenv("DASHBOARD_FREQUENCY_MS", "30")
    assert settings_or_exit() is first
    assert first.frequency_ms == 20


@pytest.mark.parametrize("value", ["fast", "two\nlines"])
def test_a_bad_setting_ends_the_start_with_one_line(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DASHBOARD_FREQUENCY_MS", value)
    with pytest.raises(SystemExit) as caught:
        settings_or_exit()
    assert caught.value.code == (
        f"livetape: DASHBOARD_FREQUENCY_MS={value!r} is not allowed; "
        "allowed: a whole number of milliseconds, 10 to 1000"
    )
    assert "\n" not in str(caught.value.code)


def test_the_password_of_a_database_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "secret" not in repr(load(monkeypatch, "DB_URL", "postgresql://me:secret@localhost/a"))
    with pytest.raises(SettingError) as caught:
        load(monkeypatch, "DB_URL", "mysql://me:secret@localhost/a")
    assert "mysql://***@localhost/a" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_url_that_pydantic_shows_is_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = "hidden"[::-1]  # as no line of the code has it
    with pytest.raises(SettingError) as caught:
        load(monkeypatch, "db_url", f"mysql://me:{hidden}@h/x?sslpass%77ord={hidden}")
    shown = "".join(traceback.format_exception(caught.value))
    assert "DASHBOARD_DB_URL" in shown
    assert hidden not in shown


def test_a_password_that_tears_its_address_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SettingError) as caught:
        load(monkeypatch, "db_url", "postgresql://me:first@second@h/x")
    assert "first" not in str(caught.value)
    assert "second" not in str(caught.value)


def test_the_secrets_of_all_addresses_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    load(monkeypatch, "redis_url", "redis://:one@h/0")
    settings = load(monkeypatch, "db_url", "postgresql://me:two@h/x?sslpassword=three")
    assert settings.secrets == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("changed", "rule", "reached_as"),
    [
        ({}, "auto", None),
        ({"allowed_hosts": ("localhost", "[::1]", "127.0.0.2")}, "auto", None),
        ({"allowed_origins": ("http://localhost:5173", "http://[::1]:80")}, "auto", None),
        ({"allowed_hosts": ("localhost", "dash.example.org")}, "always", "dash.example.org"),
        ({"allowed_hosts": ("10.0.0.1",)}, "always", "10.0.0.1"),
        ({"allowed_hosts": ("[2001:db8::1]",)}, "always", "[2001:db8::1]"),
        ({"allowed_origins": ("https://a.org:8443",)}, "always", "https://a.org:8443"),
        ({"allowed_hosts": ("a.org",), "require_key": "never"}, "never", "a.org"),
        ({"require_key": "always"}, "always", None),
    ],
)
def test_everybody_needs_a_key_once_others_may_come(
    changed: dict[str, object], rule: str, reached_as: str | None
) -> None:
    settings = load_settings().model_copy(update=changed)
    assert (settings.key_rule, settings.reached_as) == (rule, reached_as)
