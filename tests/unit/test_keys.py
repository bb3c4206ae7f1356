import asyncio
import re
from pathlib import Path

import pytest

from dashboard import keys
from dashboard.core.principal import SCOPES, Principal
from dashboard.storage.api_keys import ApiKeys
from dashboard.storage.database import open_database
from dashboard.storage.repository import Repository
from tests.live_server import free_port
from tests.unit.fakes import Clock


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DASHBOARD_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("DASHBOARD_DB_URL", raising=False)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    """Run one command; give its status, its lines, and what went to standard error."""
    status = keys.main(arguments)
    told = capsys.readouterr()
    return status, told.out.splitlines(), told.err


def holder(folder: Path, key: str, scope: str) -> Principal | None:
    repository = Repository(open_database(f"sqlite:///{folder / 'livetape.db'}"))
    try:
        return asyncio.run(ApiKeys(repository, clock=Clock()).authenticate(key, scope))
    finally:
        repository.close()


def test_a_new_key_is_the_last_line_alone_and_holds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, errors = run(capsys, "create", "laptop")
    assert (status, errors) == (0, "")
    key = lines[-1]
    assert re.fullmatch(r"lt_[\w-]{43}", key)
    assert holder(folder, key, "stream") == Principal(
        user_id="owner", scopes=frozenset({"stream"}), key_id=1, key_name="laptop"
    )
    assert holder(folder, key, "trade") is None


def test_a_key_is_made_with_scopes_and_for_a_user(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--scope", "stream", "--scope", "trade", "--scope", "control", "--user", "ann")
    _, lines, _ = run(capsys, "create", "robot", *options)
    assert holder(folder, lines[-1], "trade") == Principal(
        user_id="ann", scopes=frozenset(SCOPES), key_id=1, key_name="robot"
    )


def test_the_list_tells_all_but_the_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "list") == (0, ["There are no keys yet."], "")
    key = run(capsys, "create", "laptop")[1][-1]
    run(capsys, "create", "old", "--scope", "trade")
    run(capsys, "revoke", "old")
    _, (heading, laptop, old), _ = run(capsys, "list")
    assert heading.split() == " ".join(keys.HEADINGS).split()
    day = r"\d{4}-\d\d-\d\d \d\d:\d\dZ"
    assert re.fullmatch(rf"laptop +lt_.{{8}}… +owner +stream +{day} +- +-", laptop)
    assert re.fullmatch(rf"old +lt_.{{8}}… +owner +trade +{day} +- +{day}", old)
    assert key[:11] in laptop
    assert key[11:] not in laptop


def test_a_revoked_key_holds_no_longer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = run(capsys, "create", "laptop")[1][-1]
    assert run(capsys, "revoke", "laptop") == (0, ["The key 'laptop' holds no longer."], "")
    assert holder(folder, key, "stream") is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("create", "laptop"), "keys: key 'laptop' exists already\n"),
        (("create", "a b"), "keys: key 'a b' is not a name: letters, digits and . @ - _, 64"),
        (("revoke", "other"), "keys: key 'other' does not exist\n"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], error: str
) -> None:
    run(capsys, "create", "laptop")
    status, lines, errors = run(capsys, *arguments)
    assert (status, lines) == (1, [])
    assert errors.startswith(error)
    assert errors.count("\n") == 1


def test_a_database_that_is_away_is_one_line_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DASHBOARD_DB_URL", f"postgresql://me:secret@127.0.0.1:{free_port()}/db")
    status, lines, errors = run(capsys, "list")
    assert (status, lines) == (1, [])
    assert errors.startswith("keys: database postgresql://***@127.0.0.1:")
    assert "refused" in errors
    assert "secret" not in errors
    assert errors.count("\n") == 1


def test_an_unknown_scope_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        keys.main(["create", "laptop", "--scope", "everything"])
    assert "invalid choice: 'everything'" in capsys.readouterr().err
