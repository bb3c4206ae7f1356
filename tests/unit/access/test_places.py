import asyncio
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from dashboard.access import places as module
from dashboard.access.places import Places


def test_places_are_given_up_to_the_limit() -> None:
    places = Places(limit=2)
    assert [places.admit() for _ in range(4)] == [True, True, False, False]
    assert (places.open, places.refused, places.limit) == (2, 2, 2)


def test_a_place_that_is_given_back_can_be_taken_again() -> None:
    places = Places(limit=1)
    assert places.admit()
    places.release()
    assert places.open == 0
    assert places.admit()
    assert places.refused == 0


async def test_without_connections_it_is_drained() -> None:
    assert await Places(limit=1).drained()


async def test_it_is_drained_when_the_last_connection_ends() -> None:
    places = Places(limit=3)
    places.admit()
    places.admit()
    drained = asyncio.ensure_future(places.drained())
    await asyncio.sleep(0)
    places.release()
    await asyncio.sleep(0)
    assert not drained.done()
    places.release()
    assert await asyncio.wait_for(drained, timeout=1)


async def test_a_connection_that_does_not_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DRAIN_TIMEOUT_S", 0)
    places = Places(limit=1)
    places.admit()
    assert not await places.drained()


async def test_a_new_connection_after_the_last_one_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DRAIN_TIMEOUT_S", 0)
    places = Places(limit=1)
    places.admit()
    places.release()
    places.admit()
    assert not await places.drained()


class FakeGuest:
    """A client that owes a key; `displaced` says that it has lost its place."""

    def __init__(self, address: str = "10.0.0.1") -> None:
        self.address = address
        self.displaced = False

    def displace(self) -> None:
        self.displaced = True


def displaced(guests: list[FakeGuest]) -> list[int]:
    return [number for number, guest in enumerate(guests) if guest.displaced]


def test_whoever_comes_takes_the_place_of_the_oldest_guest() -> None:
    places = Places(limit=3)
    guests = [FakeGuest() for _ in range(5)]
    assert all(places.admit(guest) for guest in guests)
    assert displaced(guests) == [0, 1]
    assert (places.open, places.refused) == (3, 2)


def test_of_the_network_with_most_guests_the_oldest_is_displaced() -> None:
    places = Places(limit=6)
    honest = FakeGuest("10.0.0.1")
    networks = ("2001:db8::1", "2001:db8::2", "2001:db8::ffff:1", "10.0.0.3", "10.0.0.2")
    squatters = [FakeGuest(address) for address in networks]
    for guest in (honest, *squatters):
        assert places.admit(guest)
    for expected in ([0], [0, 1]):  # one network has all addresses of a /64
        assert places.admit(FakeGuest("10.0.0.4"))
        assert displaced(squatters) == expected
    assert not honest.displaced
    assert places.admit(FakeGuest("10.0.0.4"))  # that one has most now
    assert not honest.displaced


def test_who_has_shown_its_key_keeps_its_place() -> None:
    places = Places(limit=2)
    known, guest = FakeGuest(), FakeGuest()
    for each in (known, guest):
        assert places.admit(each)
    places.keep(known)
    comers = [FakeGuest(), FakeGuest()]
    assert [places.admit(each) for each in comers] == [True, True]
    assert (known.displaced, guest.displaced, displaced(comers)) == (False, True, [0])
    places.keep(comers[1])
    assert not places.admit(FakeGuest())
    assert (places.open, places.refused) == (2, 3)


def test_who_takes_a_place_for_good_displaces_a_guest_too() -> None:
    places = Places(limit=1)
    guest = FakeGuest()
    assert places.admit(guest)
    assert places.admit()
    assert guest.displaced
    assert not places.admit(FakeGuest())


class PlacesModel(RuleBasedStateMachine):
    """Clients that come, show their keys and leave, in whatever order."""

    present = Bundle("present")
    LIMIT = 5

    def __init__(self) -> None:
        super().__init__()
        self.places = Places(limit=self.LIMIT)
        self.guests: list[FakeGuest] = []
        self.known: list[FakeGuest] = []

    @rule(target=present, address=st.sampled_from(["", "10.0.0.1", "10.0.0.2", "::1"]))
    def come(self, address: str) -> MultipleResults[FakeGuest]:
        comer = FakeGuest(address)
        counts = Counter(guest.address for guest in self.guests)
        is_full = len(self.guests) + len(self.known) == self.LIMIT
        assert self.places.admit(comer) == (not is_full or bool(self.guests))
        lost = [guest for guest in self.guests if guest.displaced]
        assert len(lost) == (is_full and bool(self.guests))
        for guest in lost:
            most = [address for address in counts if counts[address] == max(counts.values())]
            assert guest is next(each for each in self.guests if each.address in most)
            self.guests.remove(guest)
        if is_full and not lost:
            return multiple()
        self.guests.append(comer)
        return multiple(comer)

    @rule(guest=present)
    def show_key(self, guest: FakeGuest) -> None:
        self.places.keep(guest)
        if guest in self.guests:
            self.guests.remove(guest)
            self.known.append(guest)

    @rule(guest=consumes(present))
    def leave(self, guest: FakeGuest) -> None:
        self.places.release(guest)
        for each in (self.guests, self.known):
            if guest in each:
                each.remove(guest)

    @invariant()
    def nobody_who_has_shown_its_key_has_lost_its_place(self) -> None:
        assert not any(each.displaced for each in self.known)
        assert self.places.open == len(self.guests) + len(self.known) <= self.LIMIT


PlacesModel.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestPlaces = PlacesModel.TestCase


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_the_limit_of_open_files_is_raised_as_far_as_it_goes() -> None:
    code = (
        "import resource\n"
        "from dashboard.access.places import allow_open_files\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (128, 300))\n"
        "for count in (64, 200, 1000):\n"
        "    allow_open_files(count)\n"
        "    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["128", "200", "300"]
