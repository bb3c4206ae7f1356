"""When a client of a stream is closed, and with which words."""

import msgspec

from dashboard.access.keyed_connections import NOT_AUTHENTICATED, REVOKED
from dashboard.streaming.streams import Refusal

AWAY, POLICY_VIOLATION, INTERNAL_ERROR = 1001, 1008, 1011
TRY_AGAIN_LATER = 1013
LINGER_S = 2.0
"""How long a client may take to answer our close before its connection is cut."""
FAILED = Refusal(INTERNAL_ERROR, "internal error")
KEY_REVOKED = Refusal(NOT_AUTHENTICATED, REVOKED)


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long a client may take, in seconds: to ask, to show a key, to drain its buffer, to pong.

    A client that sends nothing for `ping_interval_s` is pinged.
    """

    handshake_s: float = 5
    authenticate_s: float = 15
    drain_s: float = 30
    ping_interval_s: float = 20
    ping_timeout_s: float = 20

    @property
    def not_authenticated(self) -> Refusal:
        """Say that a client took too long to show who it is."""
        return Refusal(NOT_AUTHENTICATED, f"not authenticated within {self.authenticate_s:g} s")

    @property
    def not_read(self) -> Refusal:
        """Say that a client took too long to read."""
        return Refusal(POLICY_VIOLATION, f"nothing was read for {self.drain_s:g} s")

    @property
    def no_pong(self) -> Refusal:
        """Say that a client took too long to answer a ping."""
        return Refusal(AWAY, f"no answer to a ping for {self.ping_timeout_s:g} s")


def no_place(limit: int) -> Refusal:
    """Say that there is no place for a client."""
    return Refusal(TRY_AGAIN_LATER, f"all {limit} places are taken")
