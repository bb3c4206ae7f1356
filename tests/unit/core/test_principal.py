import pytest

from dashboard.core.errors import ScopeError
from dashboard.core.principal import (
    CONTROL,
    LOCAL,
    NOBODY,
    SCOPES,
    STRANGER,
    STREAM,
    Principal,
    require,
)

READER = Principal(user_id="ann", scopes=frozenset({STREAM}), key_id=1, key_name="laptop")


@pytest.mark.parametrize("scope", SCOPES)
def test_who_has_a_scope_passes(scope: str) -> None:
    require(Principal(user_id="ann", scopes=frozenset({scope})), scope)
    require(LOCAL, scope)


@pytest.mark.parametrize("principal", [NOBODY, STRANGER, READER])
def test_who_lacks_a_scope_is_told_its_name(principal: Principal) -> None:
    with pytest.raises(ScopeError, match="needs an API key with the scope 'control'"):
        require(principal, CONTROL)


def test_nobody_may_anything() -> None:
    assert not NOBODY.scopes
    assert STRANGER.scopes == {STREAM}


def test_who_is_local_may_all_and_is_known_by_its_key() -> None:
    local = READER.as_local
    assert (local.user_id, local.key_id, local.key_name) == ("ann", 1, "laptop")
    assert local.is_local
    assert local.scopes == set(SCOPES)
    assert not READER.is_local
