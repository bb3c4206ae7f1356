"""The command line for API keys: `python -m dashboard.keys create|list|revoke`.

It works on the same database as the product, whether that runs or not.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from dashboard.config import load_settings
from dashboard.core.errors import LivetapeError
from dashboard.core.principal import OWNER, SCOPES, STREAM
from dashboard.storage.api_keys import create_key
from dashboard.storage.database import database_url, open_database
from dashboard.storage.repository import Repository, StoredKey

HEADINGS = ("NAME", "KEY", "USER", "SCOPES", "CREATED", "LAST USED", "REVOKED")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; give the exit status."""
    options = _parser().parse_args(arguments)
    try:
        repository = Repository(open_database(database_url(load_settings())))
        try:
            repository.migrate()
            _say(_run(options, repository))
        finally:
            repository.close()
    except LivetapeError as error:
        sys.stderr.write(f"keys: {error}\n")
        return 1
    return 0


def format_table(keys: Sequence[StoredKey]) -> str:
    """Give the keys as text in columns, never more of a key than its prefix."""
    rows = [HEADINGS, *(_row(key) for key in keys)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _run(options: argparse.Namespace, repository: Repository) -> str:
    if options.command == "create":
        key = create_key(
            repository,
            options.name,
            now=time.time_ns(),
            scopes=options.scope or (STREAM,),
            user=options.user,
        )
        return f"This key is shown only now; it is stored as a digest alone.\n{key}"
    if options.command == "revoke":
        repository.revoke(options.name, now=time.time_ns())
        return f"The key {options.name!r} holds no longer."
    keys = repository.all_keys()
    return format_table(keys) if keys else "There are no keys yet."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dashboard.keys", description="Make, list and revoke API keys."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    create = commands.add_parser("create", help="make a key; its last line is the key alone")
    create.add_argument("name", metavar="NAME")
    create.add_argument(
        "--scope",
        action="append",
        choices=SCOPES,
        help=f"what it may be used for; may be given again; default: {STREAM}",
    )
    create.add_argument("--user", default=OWNER, help=f"whose key it is; default: {OWNER}")
    commands.add_parser("list", help="list all keys, revoked ones too")
    revoke = commands.add_parser("revoke", help="end a key")
    revoke.add_argument("name", metavar="NAME")
    return parser


def _row(key: StoredKey) -> tuple[str, ...]:
    return (
        key.name,
        f"{key.prefix}…",
        key.user,
        ",".join(sorted(key.scopes)),
        _format_time(key.ts_created),
        _format_time(key.ts_last_used),
        _format_time(key.ts_revoked),
    )


def _format_time(ts: int | None) -> str:
    if ts is None:
        return "-"
    return datetime.fromtimestamp(ts // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%MZ")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
