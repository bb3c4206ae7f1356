"""Who a request is from, and what for."""

import msgspec

from dashboard.core.errors import ScopeError

SCOPES = ("stream", "trade", "control")
"""What a key may be used for: to read, to trade, and to change what all clients share."""
STREAM, TRADE, CONTROL = SCOPES
OWNER = "owner"
"""Whose a key is unless somebody else is named, and who asks from this machine."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who a request is from, and its scopes.

    `key_id` and `key_name` are those of the key that was shown, itself or by a page session;
    None where none was. `session` names the page session, and is None without one. `is_local`
    says that the request came from this machine, and that the settings trust it for that.
    """

    user_id: str
    scopes: frozenset[str]
    key_id: int | None = None
    key_name: str | None = None
    session: str | None = None
    is_local: bool = False

    @property
    def as_local(self) -> "Principal":
        """Give the same one where its request is local: no scope is asked for there."""
        return msgspec.structs.replace(self, scopes=LOCAL.scopes, is_local=True)


LOCAL = Principal(user_id=OWNER, scopes=frozenset(SCOPES), is_local=True)
"""Who comes from this machine and shows no key."""
STRANGER = Principal(user_id="", scopes=frozenset({STREAM}))
"""Who comes from elsewhere and shows no key, where nobody needs one."""
NOBODY = Principal(user_id="", scopes=frozenset())
"""Who has shown no key yet."""


def require(principal: Principal, scope: str) -> None:
    """Let a request pass that needs a scope.

    Raises:
        ScopeError: names the scope, when the principal lacks it.
    """
    if scope not in principal.scopes:
        raise ScopeError(scope=scope)
