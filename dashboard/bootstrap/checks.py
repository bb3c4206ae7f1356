"""What is looked at before anything runs: what stands in the way ends the process with one line."""

import sys

from dashboard.config import Settings
from dashboard.core.errors import SettingError, StaticDataError, StorageError
from dashboard.feeds.registry import check_feeds
from dashboard.storage.database import database_url, open_database
from dashboard.storage.repository import Repository


def who_needs_a_key(settings: Settings) -> str:
    """Say in one line who needs a key, and which setting says so."""
    rule = f"(DASHBOARD_REQUIRE_KEY={settings.require_key})"
    if settings.key_rule == "never":
        return f"Nobody needs a key, wherever they come from {rule}"
    if settings.require_key == "always":
        return f"Everybody needs a key {rule}"
    if settings.key_rule == "always":
        return f"Everybody needs a key, since {settings.reached_as} is allowed {rule}"
    return f"Everybody needs a key but who comes from this machine, through no proxy {rule}"


def prepare_storage_or_exit(settings: Settings) -> None:
    """Bring the database up to date; where it cannot be, the process ends with one line."""
    repository = Repository(open_database(database_url(settings)))
    try:
        repository.migrate()
    except StorageError as error:
        sys.exit(f"livetape: {error}")
    finally:
        repository.close()


def check_feeds_or_exit(settings: Settings) -> None:
    """Prepare what the feeds need; where that is of no use, the process ends with one line."""
    try:
        check_feeds(settings)
    except (SettingError, StaticDataError) as error:
        sys.exit(f"livetape: {error}")
