import asyncio

import pytest
from structlog.testing import capture_logs

from dashboard.core.directory import Directory
from dashboard.core.errors import FeedError, LivetapeError, StaticDataError
from dashboard.feeds.catalogues import DAY_S, Catalogues
from tests.unit.fake_feeds import FakeFeed, instrument


class GrowingFeed(FakeFeed):
    """A feed that has one instrument more each time it is read, or cannot be read."""

    error: LivetapeError | None = None

    async def load(self) -> None:
        if self.error is not None:
            raise self.error
        self.standing = [*self.standing, instrument(f"A:{len(self.standing)}")]


class Changes:
    """Notes the directories that it is told of."""

    def __init__(self) -> None:
        self.told: list[Directory] = []

    async def __call__(self, directory: Directory) -> None:
        self.told.append(directory)


async def test_what_the_feeds_have_is_read_anew_once_a_day() -> None:
    feed, changes, naps = GrowingFeed(), Changes(), list[float]()
    catalogues = Catalogues([feed], changed=changes)
    first = catalogues.directory

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) > 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await catalogues.run(sleep=sleep)
    assert naps == [DAY_S] * 3
    assert [each.version for each in changes.told] == [2, 3]
    assert len(catalogues.directory.standing) == 2
    assert (first.version, first.standing) == (1, ())


async def test_a_list_that_is_the_same_is_no_new_directory() -> None:
    changes = Changes()
    catalogues = Catalogues([FakeFeed(standing=[instrument("A:X")])], changed=changes)
    before = catalogues.directory
    await catalogues.refresh()
    assert catalogues.directory is before
    assert not changes.told


@pytest.mark.parametrize(
    "error",
    [
        FeedError(feed="fake", problem="no answer", terminal=True),
        StaticDataError(key="static_data:instruments", found="nothing", expected="an array"),
    ],
)
async def test_a_list_that_cannot_be_read_stays_and_the_others_are_read(
    error: LivetapeError,
) -> None:
    broken, other, changes = GrowingFeed("broken"), GrowingFeed("other"), Changes()
    broken.standing = [instrument("B:Y")]
    broken.error = error
    catalogues = Catalogues([broken, other], changed=changes)
    with capture_logs() as logs:
        await catalogues.refresh()
    warning = logs[0]
    assert (warning["log_level"], warning["feed"]) == ("warning", "broken")
    assert warning["error"] == str(error)
    assert [each.id for each in catalogues.directory.standing] == ["B:Y", "A:0"]
