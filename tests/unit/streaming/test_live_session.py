from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.core.errors import ScopeError
from dashboard.core.principal import LOCAL, NOBODY, STRANGER, Principal
from dashboard.hub.hub import Hub
from dashboard.protocols import live
from dashboard.streaming.live_session import LiveSession
from tests.unit.fakes import Clock

CONTROLLER = Principal(user_id="ann", scopes=frozenset({"stream", "control"}), key_id=1)
TRADER = Principal(user_id="ann", scopes=frozenset({"stream", "trade"}), key_id=1)


def session(principal: Principal, asked: list[float]) -> LiveSession:
    hub = Hub(epoch="e", clock=Clock(), resume_events=10)
    running: Any = SimpleNamespace(hub=hub, on_demand=frozenset(), set_frequency=asked.append)
    return LiveSession(running, principal)


@pytest.mark.parametrize("principal", [LOCAL, CONTROLLER])
def test_the_frequency_is_changed_by_who_may(principal: Principal) -> None:
    asked: list[float] = []
    session(principal, asked).set_frequency(live.SetFrequency(25))
    assert asked == [25]


@pytest.mark.parametrize("principal", [NOBODY, STRANGER, TRADER])
def test_the_frequency_stays_for_who_may_not(principal: Principal) -> None:
    asked: list[float] = []
    with pytest.raises(ScopeError, match="'control'"):
        session(principal, asked).set_frequency(live.SetFrequency(25))
    assert asked == []
