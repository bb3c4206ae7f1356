"""Tests beside a product that runs in the same folder."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.market_page import by_id
from tests.live_server import ROOT, LiveServer
from tests.web_folders import building


def digests(*folders: str) -> dict[Path, tuple[str, int]]:
    """Give the content and the time of the last change of every file in these folders."""
    return {
        path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }


def content(*folders: str) -> dict[Path, str]:
    return {path: digest for path, (digest, _) in digests(*folders).items()}


def pinned_packages() -> dict[Path, str]:
    """Give the lock files as they are between builds: one of another worker may be at work."""
    with building():
        return content("reflex.lock")


@pytest.fixture
def beside(server: LiveServer) -> Iterator[LiveServer]:
    """Give another server; what a product in the folder has stays as it was."""
    built, pinned = digests(".web", ".states"), pinned_packages()
    with LiveServer(fresh=True) as second, LiveServer(page=False):
        yield second
    assert digests(".web", ".states") == built
    assert pinned_packages() == pinned


def test_servers_build_apart_from_a_product_in_the_folder_and_from_each_other(
    browser: Browser, server: LiveServer, beside: LiveServer
) -> None:
    assert beside.web is not None
    assert server.web is not None
    assert beside.web.path != server.web.path
    for each in (server, beside):
        context = browser.new_context()
        page = context.new_page()
        dialled: list[str] = []
        page.on("websocket", lambda socket, to=dialled: to.append(socket.url))
        page.goto(each.url)
        by_id(page, "connection").and_(page.locator('[data-state="live"]')).wait_for()
        assert [str(each.port) in url for url in dialled] == [True]
        context.close()
